import type { FastifyBaseLogger } from 'fastify'
import type { IntrospectionHealth } from '../../types/instance.js'
import type { EndpointHealth } from '../diagnostics/endpoint-health.js'
import { RateLimit } from '../diagnostics/rate-limit.js'
import { notValid, unavailable, UnavailableError } from '../errors.js'
import { Cancellation, type Waiting } from '../keycloak/cancellation.js'
import type { KeycloakClient } from '../keycloak/client.js'
import type { QueuedCall } from '../keycloak/queued-call.js'
import { RECOVERY } from '../keycloak/recovery.js'
import { KEPT } from '../options/kept-claims.js'
import { plainReason } from '../reasons/reason.js'
import { checkDates } from '../token/claims.js'
import { type Identity, identityOf } from '../token/identity.js'
import { BYTES_PER_CHARACTER, credentialsOf, type TokenCache } from '../token/token-cache.js'
import type { FromCache } from '../token/verifier.js'
import { BackgroundRetry } from '../util/background-retry.js'
import { wallSeconds } from '../util/clock.js'
import { Deadline } from '../util/deadline.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import { type JsonObject, parseObject } from '../util/strict-json.js'
import { claimsFromResponse, type ClaimsFromResponseOptions } from './claims-from-response.js'
import { CoalescedCalls } from './coalesced-calls.js'
import { IntrospectionClient, type IntrospectionClientOptions } from './introspection-client.js'
import { IntrospectionLimiter } from './introspection-limiter.js'
import { createMissingClaims } from './missing-claims.js'
import { type KeptResponse, OwnResponses } from './own-responses.js'
import { type IntrospectionResult, SharedResponses } from './shared-responses.js'

export interface IntrospectionOptions extends IntrospectionClientOptions, Omit<ClaimsFromResponseOptions, 'onClaims'> {
  log: FastifyBaseLogger
  /** Milliseconds, for the whole: the credentials, and both calls if the first one is refused for it. */
  timeout: number
  /** Milliseconds; 0: responses are never shared. */
  cacheTtl: number
  /** The responses that all realms keep. */
  responses: TokenCache<KeptResponse>
  /** May responses be kept that are not shared? Those that are shared need not be kept twice. */
  keepsUnshared: boolean
  /** Calls at once, those that wait for a connection included. */
  maxPending: number
  /** Levels of a response's JSON. */
  maxDepth: number
}

/** Stands for a token in a question that is only about whether Keycloak answers. */
const NO_TOKEN = 'is-anybody-there'

/** The last response about a token, and the identity that it led to. */
interface KnownResponse extends KeptResponse {
  readonly text: string
  readonly identity: Identity
}

/** A response that differs from the last one about its token. */
interface NewResponse {
  readonly text: string
  readonly members: JsonObject
}

/** From a verified token to its identity of now (RFC 7662), as long as somebody waits for it. */
export class Introspection {
  readonly #options: IntrospectionOptions
  readonly #claimsOptions: ClaimsFromResponseOptions
  readonly #client: IntrospectionClient<KnownResponse | NewResponse>
  readonly #endpoint: EndpointHealth
  readonly #limiter: IntrospectionLimiter
  readonly #recoveryProbe = new BackgroundRetry(() => this.#ask(NO_TOKEN, NO_TOKEN, new Cancellation()), RECOVERY)
  readonly #refusalWarning = new RateLimit()
  readonly #coalesced: CoalescedCalls
  readonly #known: OwnResponses<KnownResponse> | undefined
  readonly #shared: SharedResponses | undefined
  /** `undefined` if no response is shared. */
  readonly fromCache: FromCache | undefined

  constructor (options: IntrospectionOptions, client: KeycloakClient, endpoint: EndpointHealth) {
    const keepClaims = [...KEPT, ...options.keepClaims]
    const { timeout, cacheTtl: ttl, responses, keepsUnshared } = options
    this.#options = options
    this.#claimsOptions = { ...options, keepClaims, onClaims: createMissingClaims(options.log, keepClaims) }
    this.#client = new IntrospectionClient(options, client, (token, text) => this.#read(token, text))
    this.#endpoint = endpoint
    this.#limiter = new IntrospectionLimiter({ ...options, closing: client.closing })
    this.#coalesced = new CoalescedCalls(options)
    if (ttl > 0) {
      this.#shared = new SharedResponses(this.#resultOf.bind(this), { ttl, timeout, cache: responses, expected: options })
      this.fromCache = this.#shared.fromCache
    } else if (keepsUnshared) {
      this.#known = new OwnResponses(responses)
    }
  }

  /**
   * The identity of a token by Keycloak's response of now, or by one that is shared.
   * @throws {KeycloakError} token_not_valid, token_expired, keycloak_unavailable
   */
  introspect (token: string, verified: Identity, waiting?: Waiting): MaybePromise<Identity> {
    return this.#shared === undefined ? this.#alone(token, verified, waiting) : this.#shared.find(token, verified, waiting)
  }

  health (): IntrospectionHealth {
    return { ...this.#endpoint.report(), breaker: this.#client.breaker, pending: this.#limiter.pending }
  }

  /** Forget all responses, and ask no more of its own accord. */
  close (): void {
    this.#recoveryProbe.close()
    this.#known?.close()
    this.#shared?.close()
  }

  /**
   * Ask about a text that is no token, to see whether Keycloak lets this client ask. It counts neither for health nor as a
   * failure.
   * @throws {KeycloakError} keycloak_unavailable
   */
  async probe (): Promise<void> {
    const deadline = new Deadline(this.#options.timeout)
    const response = await this.#client.probe({ token: NO_TOKEN, deadline, waited: 0 }).finally(() => deadline.clear())
    // Of a text that is no token Keycloak says that it is not active: this refusal is about the client.
    if (response instanceof UnavailableError) throw response
  }

  /** Without sharing: each request has a response that was asked for after the request came. */
  #alone (token: string, verified: Identity, waiting?: Waiting): Promise<Identity> {
    const joined = this.#coalesced.join(token, waiting)
    if (joined !== undefined) return joined
    const cancellation = new Cancellation()
    cancellation.join(waiting)
    const identity = this.#resultOf(token, verified, cancellation).then((result) => result.identity)
    if (cancellation.isQueued) this.#coalesced.add(token, identity, cancellation)
    return identity
  }

  async #resultOf (token: string, { claims, owner, key }: Identity, cancellation: Cancellation): Promise<IntrospectionResult> {
    const response = await this.#ask(token, claims.sub ?? claims.sid ?? token, cancellation)
    if (response instanceof UnavailableError) {
      if (this.#refusalWarning.allows()) this.#options.log.warn(`${plainReason('introspection_refused').reason}; it is 401 token_not_valid`)
      throw notValid('introspection_refused')
    }
    const size = response.text.length
    if (isKnown(response)) {
      // The same response to the same token was accepted before: only its dates can have passed.
      checkDates(response.identity.claims, this.#options, wallSeconds())
      return { identity: response.identity, size }
    }
    const identity = identityOf(claimsFromResponse(response.members, claims, this.#claimsOptions), owner, key)
    this.#known?.keep({ keeper: this.#known, credentials: credentialsOf(token), text: response.text, identity, until: claims.exp, bytes: (token.length + size) * BYTES_PER_CHARACTER, isUsed: false })
    return { identity, size }
  }

  /** Ask Keycloak when a connection is free, and count the outcome for health. A caller is a user, with any number of tokens. */
  async #ask (token: string, caller: unknown, cancellation: Cancellation): Promise<KnownResponse | NewResponse | UnavailableError> {
    const call = this.#limiter.enter(caller, cancellation)
    const deadline = new Deadline(this.#options.timeout)
    try {
      let waited = 0
      if (call.turn !== undefined) {
        this.#client.mustBeReachable()
        waited = await this.#limiter.wait(call, call.turn, deadline)
      }
      const response = await this.#client.ask({ token, deadline, cancellation, waited })
      this.#leave(call, deadline)
      this.#endpoint.succeeded()
      return response
    } catch (error) {
      this.#leave(call, deadline)
      this.#endpoint.failed(error as UnavailableError)
      if ((error as UnavailableError).failureKind !== 'local') this.#recoveryProbe.attemptSoon()
      throw error
    }
  }

  #leave (call: QueuedCall, deadline: Deadline): void {
    deadline.clear()
    this.#limiter.leave(call)
  }

  #read (token: string, text: string): KnownResponse | NewResponse {
    const known = this.#known?.find(token)
    if (known?.text === text) return known
    const members = parseObject(text, this.#options.maxDepth)
    if (members === undefined) throw unavailable('body_not_json')
    return { text, members }
  }
}

function isKnown (response: KnownResponse | NewResponse): response is KnownResponse {
  return Object.hasOwn(response, 'identity')
}
