import type { AuthorizationEvent, EventActor } from '../../types/events.js'
import { authorization } from '../diagnostics/channels.js'
import { type Outcome, outcomeOf, plainOutcome, routeOf } from '../diagnostics/event-fields.js'
import { type ReasonSource, refusal } from '../errors.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import { isObject, type JsonObject, member } from '../util/strict-json.js'
import type { Caller } from './caller.js'

/** A rule that a caller was asked for. */
export interface Question {
  source: AuthorizationEvent['source']
  /** The rule in words. */
  rule: string
}

/**
 * Publishes a decision on a rule. All that it tells of the caller is of the verified token.
 * @param route that of the caller's request
 */
export function publishAuthorization ({ source, rule }: Question, caller: Caller, { outcome, code, reason }: Outcome<AuthorizationEvent['outcome']>, route = routeOf(caller.request)): void {
  const claims = caller.claims as JsonObject
  const act = member(claims, 'act')
  authorization.publish({
    outcome,
    code,
    reason,
    source,
    rule,
    issuer: caller.issuer,
    sub: textOf(member(claims, 'sub')),
    azp: textOf(member(claims, 'azp')),
    act: isObject(act) ? act as EventActor : null,
    route
  })
}

/**
 * Asks the question of a handler, and publishes the answer.
 * @param denialOf gives the reason why the caller does not fulfil the rule
 */
export function publishAnswer (question: Question, caller: Caller, denialOf: () => ReasonSource, ask: () => MaybePromise<boolean>): MaybePromise<boolean> {
  const answered = (isAllowed: boolean): boolean => {
    publishAuthorization(question, caller, isAllowed ? plainOutcome('allowed') : { ...plainOutcome('denied'), reason: codeOf(denialOf()) })
    return isAllowed
  }
  const failed = (error: unknown): never => {
    publishAuthorization(question, caller, outcomeOf(error, 'denied'))
    throw error
  }
  let answer: MaybePromise<boolean>
  try {
    answer = ask()
  } catch (error) {
    return failed(error)
  }
  return answer instanceof Promise ? answer.then(answered, failed) : answered(answer)
}

/** A refusal knows the code of each kind of reason, and takes none from a function that throws. */
function codeOf (reason: ReasonSource): AuthorizationEvent['reason'] {
  return refusal('permission_denied', reason).reasonCode
}

function textOf (claim: unknown): string | null {
  return typeof claim === 'string' ? claim : null
}
