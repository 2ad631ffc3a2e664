import { UnavailableError } from '../errors.js'
import type { EndpointHealth } from '../diagnostics/endpoint-health.js'
import { Deadline } from '../util/deadline.js'
import { member, parseObject } from '../util/strict-json.js'
import type { CallLimiter } from './call-limiter.js'
import type { Cancellation } from './cancellation.js'
import { CircuitBreaker } from './circuit-breaker.js'
import type { KeycloakClient } from './client.js'
import { asClient, type ClientAuthentication } from './client-authentication.js'
import type { QueuedCall } from './queued-call.js'
import { refusedBy } from './refusals.js'

export interface TokenEndpointOptions {
  /** Its connections are those of this endpoint alone. */
  client: KeycloakClient
  authentication: ClientAuthentication
  limiter: CallLimiter
  health: EndpointHealth
  /** Milliseconds for the whole: the turn, the credentials, and both calls if the first one is refused for them. */
  timeout: number
  /** Bytes of a response. */
  maxBytes: number
}

/** One call of the token endpoint. */
export interface TokenCall {
  /** The members of the form without those that authenticate the client, encoded: `grant_type=client_credentials`. */
  form: string
  /** The key of the caller, who gets a fair share of the connections. */
  caller: unknown
  cancellation: Cancellation
  /** Is the call about a token of one user? Then it may fail for that one alone. */
  isOfUser?: boolean
}

/** A response of the token endpoint with the status 200, 400, 401 or 403. */
export interface TokenReply {
  readonly status: number
  readonly body: string
  /** The members of an error (RFC 6749 section 5.2); `undefined` if the body has them not, and for the status 200. */
  readonly error: string | undefined
  readonly description: string | undefined
}

const PATH = '/protocol/openid-connect/token'

/** The statuses of a response that can be about the call. Others are no response of Keycloak's token endpoint. */
const STATUSES: ReadonlySet<number> = new Set([200, 400, 401, 403])

/** The reasons of failures that may be about one user: a long list of permissions, a token that Keycloak cannot take. */
const OF_USER: ReadonlySet<string> = new Set(['body_too_long', 'question_refused'])

/** A refusal has two members. */
const MAX_DEPTH = 4

/** The token endpoint of Keycloak (RFC 6749 section 3.2), called as this API's client, by way of a circuit breaker and a fair queue. */
export class TokenEndpoint {
  readonly #options: TokenEndpointOptions
  readonly #breaker = new CircuitBreaker()

  constructor (options: TokenEndpointOptions) {
    this.#options = options
  }

  /**
   * @param read makes the result of a response. It throws an UnavailableError for a response that is no answer to the call, made by
   * `refusedBy` if it refuses this client; other errors that it throws are answers
   * @throws {KeycloakError} keycloak_unavailable, and the errors of `read`
   */
  async call<Result> (call: TokenCall, read: (reply: TokenReply) => Result): Promise<Result> {
    const { limiter, timeout } = this.#options
    const place = limiter.enter(call.caller, call.cancellation)
    const deadline = new Deadline(timeout)
    return this.#counted(call, this.#whenFree(call, place, deadline, read)).finally(() => {
      deadline.clear()
      limiter.leave(place)
    })
  }

  health () {
    const { health, limiter } = this.#options
    return { ...health.report(), breaker: this.#breaker.open ? 'open' as const : 'closed' as const, pending: limiter.pending }
  }

  /** Counts the outcome for health. A failure that may be about one user tells neither that Keycloak is well nor that it is not. */
  async #counted<Result> ({ isOfUser }: TokenCall, outcome: Promise<Result>): Promise<Result> {
    const { health } = this.#options
    try {
      const result = await outcome
      health.succeeded()
      return result
    } catch (error) {
      if (!(error instanceof UnavailableError)) health.succeeded()
      else if (isOfUser !== true || !OF_USER.has(error.reasonCode)) health.failed(error)
      throw error
    }
  }

  async #whenFree<Result> (call: TokenCall, place: QueuedCall, deadline: Deadline, read: (reply: TokenReply) => Result): Promise<Result> {
    let waited = 0
    if (place.turn !== undefined) {
      this.#breaker.mustBeClosed()
      waited = await this.#options.limiter.wait(place, place.turn, deadline)
    }
    return asClient(this.#options.authentication, deadline, (credentials) => this.#send(`${credentials}&${call.form}`, call, deadline, waited, read))
  }

  async #send<Result> (form: string, { cancellation }: TokenCall, deadline: Deadline, waited: number, read: (reply: TokenReply) => Result): Promise<Result> {
    const { client, maxBytes } = this.#options
    this.#breaker.admit()
    try {
      const { status, body } = await client.fetch({ method: 'POST', path: PATH, form, timeout: deadline, maxBytes, anyStatus: true, cancellation, waited })
      if (!STATUSES.has(status)) throw refusedBy(status)
      const result = read(replyOf(status, body))
      this.#breaker.succeeded()
      return result
    } catch (error) {
      if (error instanceof UnavailableError) this.#breaker.failed(error)
      else this.#breaker.succeeded()
      throw error
    }
  }
}

function replyOf (status: number, body: string): TokenReply {
  const refusal = status === 200 ? undefined : parseObject(body, MAX_DEPTH)
  return { status, body, error: textOf(refusal && member(refusal, 'error')), description: textOf(refusal && member(refusal, 'error_description')) }
}

function textOf (value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
