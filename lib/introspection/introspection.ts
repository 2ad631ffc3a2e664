import type { FastifyBaseLogger } from 'fastify'
import type { IntrospectionHealth } from '../../types/instance.js'
import { CircuitBreaker } from '../keycloak/circuit-breaker.js'
import type { QueuedCall } from '../keycloak/call-queue.js'
import { checkDates } from '../token/claims.js'
import { Deadline } from '../util/deadline.js'
import { Cancellation, type Waiting } from '../keycloak/cancellation.js'
import { notValid, unavailable, UnavailableError } from '../errors.js'
import { type Identity, identityOf } from '../token/identity.js'
import { type JsonObject, parseObject } from '../util/strict-json.js'
import { type JudgeOptions, judge } from './claims-from-response.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import { type CacheBounds, credentialsOf, type CacheEntry, TokenCache, BYTES_PER_CHARACTER } from '../token/token-cache.js'
import type { EndpointHealth } from '../diagnostics/endpoint-health.js'
import { createMissingClaims } from './missing-claims.js'
import { KEPT } from '../options/kept-claims.js'
import { DEFAULT_CACHE } from '../options/schema.js'
import { RateLimit } from '../diagnostics/rate-limit.js'
import { BackgroundRetry, type RetryDelays } from '../util/background-retry.js'
import { ClientSecret, type SecretSource } from '../keycloak/client-secret.js'
import { type Answer, sharing } from './shared-responses.js'
import { CallLimiter } from '../keycloak/call-limiter.js'
import { CoalescedCalls } from './coalesced-calls.js'
import type { KeycloakClient } from '../keycloak/client.js'
import type { Recall } from '../token/verifier.js'
import { wallSeconds } from '../util/clock.js'
import { plainReason } from '../reasons/reason.js'

export interface IntrospectOptions extends Omit<JudgeOptions, 'onClaims'> {
  log: FastifyBaseLogger
  clientSecret: SecretSource
  /** Milliseconds, for the whole: the secret, and both calls where the first one was refused for it. */
  timeout: number
  /** Milliseconds; 0: answers are never shared. */
  cacheTtl: number
  /** Bounds of the answers that are kept; `false`: none but those that are shared. */
  kept: CacheBounds | false
  /** Calls at once, those that wait for their turn included. */
  maxPending: number
  /** Size of an answer. */
  maxBytes: number
  /** How deep its JSON may nest. */
  maxDepth: number
}

/**
 * From a verified token to who it is about now (RFC 7662), as long as somebody is waiting for it.
 * @throws {KeycloakError} token_not_valid, token_expired, keycloak_unavailable
 */
export type Introspect = (token: string, verified: Identity, waiting?: Waiting) => MaybePromise<Identity>

const PATH = '/protocol/openid-connect/token/introspect'

/** What to ask about when it is only about whether Keycloak answers. */
const NO_TOKEN = 'is-anybody-there'

/**
 * Keycloak is asked in the background until it answers again: an instance that is taken out of the load balancer for a
 * failure gets no request that would find out. If it is unreachable, it may be back at any moment; a response that refuses
 * this client is rather changed by somebody's hand, and is asked for ever less often.
 */
const RECOVERY: RetryDelays = {
  first: 2000,
  most: 30_000,
  jitter: 0.25,
  lengthens: (error) => (error as UnavailableError).failureKind === 'bad-response'
}

/** One question to Keycloak. */
interface Inquiry {
  token: string
  /** For all of it. */
  deadline: Deadline
  cancellation?: Cancellation
  /** Milliseconds until its turn came. */
  waited: number
}

/** An answer: its text, and what it says, which may have been judged before. */
interface Read {
  text: string
  said: Judged | { answer: JsonObject } | { refused: UnavailableError }
}

const { reason: REFUSED } = plainReason('introspection_refused')

/** The last answer about a token, and who it is about by that. */
interface Judged extends CacheEntry {
  readonly text: string
  readonly identity: Identity
}

function isJudged (said: Read['said']): said is Judged {
  return Object.hasOwn(said, 'identity')
}

function isRefused (said: Read['said']): said is { refused: UnavailableError } {
  return Object.hasOwn(said, 'refused')
}

/** Introspection, and how it does. */
export interface Introspection {
  introspect: Introspect
  /** `undefined` where no answer is shared. */
  recall?: Recall
  health: () => IntrospectionHealth
  /** Forget what is kept, and ask no more of its own accord. */
  close: () => void
  /**
   * Ask about a token that is none, to see whether Keycloak lets this client ask. It counts neither for health nor as a
   * failure.
   * @throws {KeycloakError} keycloak_unavailable
   */
  probe: () => Promise<void>
}

export function createIntrospection (options: IntrospectOptions, keycloakClient: KeycloakClient, endpoint: EndpointHealth): Introspection {
  const { clientId, timeout, cacheTtl, maxBytes, maxDepth } = options
  const keepClaims = [...KEPT, ...options.keepClaims]
  const judgment: JudgeOptions = { ...options, keepClaims, onClaims: createMissingClaims(options.log, keepClaims) }
  const refusalWarning = new RateLimit()
  const secret = new ClientSecret(options.clientSecret, keycloakClient.closing)
  const breaker = new CircuitBreaker()
  const recoveryProbe = new BackgroundRetry(() => counted(NO_TOKEN, NO_TOKEN, new Cancellation()), RECOVERY)
  const turns = new CallLimiter({ ...options, closing: keycloakClient.closing })
  const unsent = new CoalescedCalls(options)
  let written = { secret: '', form: '' }
  // Answers that are shared need not be remembered twice.
  const judged = options.kept === false || cacheTtl > 0 ? undefined : new TokenCache<Judged>(options.kept)
  const shared = cacheTtl > 0
    ? sharing(ask, { ttl: cacheTtl, timeout, bounds: options.kept || DEFAULT_CACHE, expected: options })
    : undefined

  return {
    introspect: shared?.find ?? alone,
    recall: shared?.recall,
    health: () => ({ ...endpoint.report(), breaker: breaker.open ? 'open' : 'closed', pending: turns.pending }),
    close () {
      recoveryProbe.close()
      judged?.close()
      shared?.close()
    },
    async probe () {
      const deadline = new Deadline(timeout)
      const { said } = await withSecret(call, { token: NO_TOKEN, deadline, waited: 0 }).finally(() => deadline.clear())
      // Of a token that is none Keycloak says that it is not active: this refusal is about the client.
      if (isRefused(said)) throw said.refused
    }
  }

  /** Without sharing: each request has an answer that was asked for after it came. */
  function alone (token: string, verified: Identity, waiting?: Waiting): Promise<Identity> {
    const joined = unsent.join(token, waiting)
    if (joined !== undefined) return joined
    const cancellation = new Cancellation()
    cancellation.join(waiting)
    const identity = ask(token, verified, cancellation).then((answer) => answer.identity)
    if (cancellation.isQueued) unsent.add(token, identity, cancellation)
    return identity
  }

  async function ask (token: string, { claims }: Identity, cancellation: Cancellation): Promise<Answer> {
    const { text, said } = await counted(token, claims.sub ?? claims.sid ?? token, cancellation)
    const size = text.length
    if (isJudged(said)) return { identity: recall(said), size }
    if (isRefused(said)) {
      if (refusalWarning.allows()) options.log.warn(`${REFUSED}; it is 401 token_not_valid`)
      throw notValid('introspection_refused')
    }
    const identity = identityOf(judge(said.answer, claims, judgment))
    judged?.keep({ credentials: credentialsOf(token), text, identity, until: claims.exp, bytes: (token.length + size) * BYTES_PER_CHARACTER, isUsed: false })
    return { identity, size }
  }

  /** The same answer to the same token was judged before: the dates alone can have changed. */
  function recall ({ identity }: Judged): Identity {
    checkDates(identity.claims, options, wallSeconds())
    return identity
  }

  /** In its turn, and for health to know. A caller is a user, whatever tokens they have. */
  async function counted (token: string, caller: unknown, cancellation: Cancellation): Promise<Read> {
    const place = turns.enter(caller, cancellation)
    const deadline = new Deadline(timeout)
    try {
      let waited = 0
      if (place.turn !== undefined) {
        breaker.mustBeClosed()
        waited = await turns.wait(place, place.turn, deadline)
      }
      const read = await withSecret(guarded, { token, deadline, cancellation, waited })
      end(place, deadline)
      endpoint.succeeded()
      return read
    } catch (error) {
      end(place, deadline)
      endpoint.failed(error as UnavailableError)
      if ((error as UnavailableError).failureKind !== 'local') recoveryProbe.attemptSoon()
      throw error
    }
  }

  function end (place: QueuedCall, deadline: Deadline): void {
    deadline.clear()
    turns.leave(place)
  }

  /** A secret that was changed at Keycloak is refused once, and then the new one is used. */
  async function withSecret (ask: typeof call, inquiry: Inquiry): Promise<Read> {
    const value = secret.current ?? await secret.get(inquiry.deadline)
    try {
      return await ask(inquiry, value)
    } catch (error) {
      const other = (error as UnavailableError).responseStatus === 401 ? await secret.other(value, inquiry.deadline) : undefined
      if (other === undefined) throw error
      return ask(inquiry, other)
    }
  }

  async function guarded (inquiry: Inquiry, value: string): Promise<Read> {
    breaker.admit()
    try {
      const read = await call(inquiry, value)
      breaker.succeeded()
      return read
    } catch (error) {
      breaker.failed(error as UnavailableError)
      throw error
    }
  }

  async function call ({ token, deadline, cancellation, waited }: Inquiry, value: string): Promise<Read> {
    let text: string
    try {
      text = await keycloakClient.fetchText({ method: 'POST', path: PATH, form: form(value, token), timeout: deadline, maxBytes, cancellation, waited })
    } catch (error) {
      if (error instanceof UnavailableError && error.reasonCode === 'question_refused') return { text: '', said: { refused: error } }
      throw error
    }
    const known = judged?.find(token)
    if (known?.text === text) return { text, said: known }
    const answer = parseObject(text, maxDepth)
    if (answer === undefined) throw unavailable('body_not_json')
    return { text, said: { answer } }
  }

  /**
   * The credentials go as form members: raw HTTP Basic breaks on `%` and `+` in a secret. Written anew when the secret
   * changes alone; a token has no character that would have to be escaped.
   */
  function form (value: string, token: string): string {
    if (value !== written.secret) {
      const members = { client_id: clientId, client_secret: value, token_type_hint: 'access_token' }
      written = { secret: value, form: `${new URLSearchParams(members)}&token=` }
    }
    return written.form + token
  }
}
