import { checkDates, type ExpectedClaims, validity } from '../token/claims.js'
import { Cancellation, type Waiting } from '../keycloak/cancellation.js'
import { KeycloakError, refusal, UnavailableError } from '../errors.js'
import type { Identity } from '../token/identity.js'
import { type CacheBounds, credentialsOf, type CacheEntry, TokenCache, BYTES_PER_CHARACTER } from '../token/token-cache.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import { monotonicMilliseconds, wallMilliseconds, wallSeconds } from '../util/clock.js'

/** Who a token is about now, and the characters it took Keycloak to say it. */
export interface Answer {
  identity: Identity
  size: number
}

/** Ask Keycloak about a verified token. */
export type Ask = (token: string, verified: Identity, cancellation: Cancellation) => Promise<Answer>

/** An answer that serves all who come until it ends: who the token is about now, or its refusal. */
interface Shared extends CacheEntry {
  readonly outcome: Identity | KeycloakError
  /** On the monotonic clock. */
  readonly ends: number
  /** In seconds since 1970; before, and from `until` on, the dates of its claims are to be judged one by one. */
  readonly from: number
}

/** A call under way, and whether somebody waits for it. */
interface Call {
  readonly answer: Promise<Identity>
  readonly cancellation: Cancellation
}

export interface SharingOptions {
  /** Milliseconds that an answer may serve, from when it was asked for. */
  ttl: number
  /** Milliseconds that a call has. */
  timeout: number
  bounds: CacheBounds
  /** What the dates of claims that were good before are held against again. */
  expected: ExpectedClaims
}

/**
 * One call in flight for a token, and its answer for a while. What failed is asked again. A call is called off when
 * the last of those who wait for it is gone.
 */
export function sharing (ask: Ask, { ttl, timeout, bounds, expected }: SharingOptions) {
  const answers = new TokenCache<Shared>(bounds)
  const calls = new Map<string, Call>()

  return {
    close: () => answers.close(),

    /** The answer to the token of an Authorization header, where there is one that serves. */
    recall: (header: string, wall: number, monotonic: number) => outcomeOf(answers.findBy(header), wall, monotonic),

    /** There at once when it is known already. */
    find (token: string, verified: Identity, waiting?: Waiting): MaybePromise<Identity> {
      const known = outcomeOf(answers.find(token), wallMilliseconds(), monotonicMilliseconds())
      if (known !== undefined) return known
      const underWay = calls.get(token)
      const call = underWay?.cancellation.canBeJoined(timeout) === true ? underWay : start(token, verified)
      call.cancellation.join(waiting)
      return call.answer
    }
  }

  function outcomeOf (shared: Shared | undefined, wall: number, monotonic: number): Identity | undefined {
    if (shared === undefined || monotonic >= shared.ends) return undefined
    const { outcome, from, until } = shared
    // A new one, since an error handler may write into the one it gets.
    if (outcome instanceof KeycloakError) throw refusal(outcome.code, outcome)
    const now = wall / 1000
    if (now < from || now >= until) checkDates(outcome.claims, expected, now)
    return outcome
  }

  function start (token: string, verified: Identity): Call {
    const ends = monotonicMilliseconds() + ttl
    const last = wallSeconds() + ttl / 1000
    const cancellation = new Cancellation()
    const keep = (outcome: Shared['outcome'], size: number, { claims } = verified): void => {
      const { from, until } = validity(claims, expected)
      answers.keep({ credentials: credentialsOf(token), outcome, ends, from, until: Math.min(until, last), bytes: (token.length + size) * BYTES_PER_CHARACTER, isUsed: false })
    }
    const answer = ask(token, verified, cancellation).then(({ identity, size }) => {
      keep(identity, size, identity)
      return identity
    }).catch((error) => {
      // Its sentence as text: what it would be made of is not to be kept.
      if (!(error instanceof UnavailableError)) keep(refusal(error.code, { reasonCode: error.reasonCode, reason: error.reason }), 0)
      throw error
    }).finally(() => forget(token, call))
    const call: Call = { answer, cancellation }
    calls.set(token, call)
    return call
  }

  function forget (token: string, call: Call): void {
    if (calls.get(token) === call) calls.delete(token)
  }
}
