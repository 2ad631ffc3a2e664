import type { FastifyRequest } from 'fastify'
import type { EventRoute } from '../../types/events.js'
import { isRefusal, type KeycloakErrorCode } from '../errors.js'
import { isReasonCode, type KeycloakReasonCode } from '../reasons/reason.js'

/** The outcome of a decision, with the codes of its refusal. */
export interface Outcome<Name extends string> {
  readonly outcome: Name
  readonly code: KeycloakErrorCode | null
  readonly reason: KeycloakReasonCode | null
}

/** An outcome that is no refusal. */
export function plainOutcome<Name extends string> (outcome: Name): Outcome<Name> {
  return { outcome, code: null, reason: null }
}

/**
 * The outcome of a decision that an error ended.
 * @param refused the name of the outcome for a refusal
 */
export function outcomeOf<Refused extends string> (error: unknown, refused: Refused): Outcome<Refused | 'unavailable' | 'failed'> {
  if (!isRefusal(error)) return plainOutcome('failed')
  const { code, reasonCode } = error
  // An error that only looks like one of the package may have any code of a reason, or none.
  return { outcome: code === 'keycloak_unavailable' ? 'unavailable' : refused, code, reason: isReasonCode(reasonCode) ? reasonCode : null }
}

/** The pattern of a request's route, of which an API has few; `null` if it matches none. Frozen, because the events of a request share it. */
export function routeOf ({ is404, method, routeOptions: { url } }: FastifyRequest): EventRoute | null {
  return is404 || url === undefined ? null : Object.freeze({ method, url })
}
