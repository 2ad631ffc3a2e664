import { KeycloakError, refusal, UnavailableError } from '../errors.js'
import { Cancellation, type Waiting } from '../keycloak/cancellation.js'
import { checkDates, type ExpectedClaims, validity } from '../token/claims.js'
import type { Identity } from '../token/identity.js'
import { BYTES_PER_CHARACTER, credentialsOf, type TokenCache } from '../token/token-cache.js'
import type { FromCache } from '../token/verifier.js'
import { monotonicMilliseconds, wallMilliseconds, wallSeconds } from '../util/clock.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import { type KeptResponse, OwnResponses } from './own-responses.js'

/** The identity of a token by a response of Keycloak, and the characters of that response. */
export interface IntrospectionResult {
  identity: Identity
  size: number
}

/** Ask Keycloak about a verified token. */
export type AskKeycloak = (token: string, verified: Identity, cancellation: Cancellation) => Promise<IntrospectionResult>

/** A response that serves all who come until it ends: the identity of its token, or a refusal. */
interface SharedResponse extends KeptResponse {
  readonly outcome: Identity | KeycloakError
  /** Milliseconds of the monotonic clock. */
  readonly ends: number
  /** Seconds since 1970; before, and from `until` on, the dates of its claims are checked one by one. */
  readonly from: number
}

/** A call under way, and whether somebody waits for it. */
interface PendingCall {
  readonly identity: Promise<Identity>
  readonly cancellation: Cancellation
}

export interface SharedResponsesOptions {
  /** Milliseconds for which a response serves, from the moment at which it was asked for. */
  ttl: number
  /** Milliseconds for a call. */
  timeout: number
  /** The responses of all realms. */
  cache: TokenCache<KeptResponse>
  /** The dates of claims that were good before are checked against these again. */
  expected: ExpectedClaims
}

/**
 * One call under way for a token, and its response for a while. A failure is asked for again. A call is cancelled when the
 * last request that waits for it is gone.
 */
export class SharedResponses {
  readonly #ask: AskKeycloak
  readonly #options: SharedResponsesOptions
  readonly #responses: OwnResponses<SharedResponse>
  readonly #calls = new Map<string, PendingCall>()

  constructor (ask: AskKeycloak, options: SharedResponsesOptions) {
    this.#ask = ask
    this.#options = options
    this.#responses = new OwnResponses(options.cache)
  }

  close (): void {
    this.#responses.close()
  }

  /**
   * The identity for the token of an Authorization header, if there is a response that serves.
   * @throws {KeycloakError} token_not_valid, token_expired
   */
  readonly fromCache: FromCache = (header, wall, monotonic) => {
    const shared = this.#responses.findBy(header)
    return shared && identityNow(shared, this.#options.expected, wall, monotonic)
  }

  /**
   * The identity for a token: at once by a response that serves, or by a call.
   * @throws {KeycloakError} token_not_valid, token_expired, keycloak_unavailable
   */
  find (token: string, verified: Identity, waiting?: Waiting): MaybePromise<Identity> {
    const shared = this.#responses.find(token)
    const known = shared && identityNow(shared, this.#options.expected, wallMilliseconds(), monotonicMilliseconds())
    if (known !== undefined) return known
    const underWay = this.#calls.get(token)
    const call = underWay?.cancellation.canBeJoined(this.#options.timeout) === true ? underWay : this.#start(token, verified)
    call.cancellation.join(waiting)
    return call.identity
  }

  #start (token: string, verified: Identity): PendingCall {
    const asked = { monotonic: monotonicMilliseconds(), wall: wallSeconds() }
    const cancellation = new Cancellation()
    const identity = this.#ask(token, verified, cancellation).then((result) => {
      this.#keep(token, result.identity, result, asked)
      return result.identity
    }).catch((error) => {
      // Its sentence as text: the token that it would be made of is not to be kept.
      const kept = { identity: verified, size: 0 }
      if (!(error instanceof UnavailableError)) this.#keep(token, refusal(error.code, { reasonCode: error.reasonCode, reason: error.reason }), kept, asked)
      throw error
    }).finally(() => {
      if (this.#calls.get(token) === call) this.#calls.delete(token)
    })
    const call: PendingCall = { identity, cancellation }
    this.#calls.set(token, call)
    return call
  }

  /** @param asked the moment of the question, in milliseconds of the monotonic clock and in seconds of the wall clock */
  #keep (token: string, outcome: SharedResponse['outcome'], { identity, size }: IntrospectionResult, asked: { monotonic: number, wall: number }): void {
    const { ttl, expected } = this.#options
    const { from, until } = validity(identity.claims, expected)
    this.#responses.keep({
      keeper: this.#responses,
      credentials: credentialsOf(token),
      outcome,
      ends: asked.monotonic + ttl,
      from,
      until: Math.min(until, asked.wall + ttl / 1000),
      bytes: (token.length + size) * BYTES_PER_CHARACTER,
      isUsed: false
    })
  }
}

/**
 * The identity of a response that still serves.
 * @throws {KeycloakError} the refusal that it was, anew: an error handler may write into the one it gets
 */
function identityNow ({ outcome, from, until, ends }: SharedResponse, expected: ExpectedClaims, wall: number, monotonic: number): Identity | undefined {
  if (monotonic >= ends) return undefined
  if (outcome instanceof KeycloakError) throw refusal(outcome.code, outcome)
  const now = wall / 1000
  if (now < from || now >= until) checkDates(outcome.claims, expected, now)
  return outcome
}
