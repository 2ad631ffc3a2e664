import type { IntrospectionHealth } from '../types/instance.js'
import { Breaker } from './breaker.js'
import { checkDates, type Expectations } from './claims.js'
import { Deadline } from './deadline.js'
import { Departure } from './departure.js'
import { unavailable, type UnavailableError } from './errors.js'
import { type Identity, identityOf } from './identity.js'
import { type JsonObject, parseObject } from './json.js'
import { judge } from './judge.js'
import type { Maybe } from './maybe.js'
import { type Bounds, credentialsOf, type Kept, Memory, WEIGHT } from './memory.js'
import type { Monitor } from './monitor.js'
import { DEFAULT_CACHE } from './options.js'
import { Revival } from './revival.js'
import { Secret, type SecretSource } from './secret.js'
import { seconds } from './seconds.js'
import { type Answer, sharing, type Waiting } from './sharing.js'
import type { Upstream } from './upstream.js'
import type { Recall } from './verify.js'

export interface IntrospectOptions extends Expectations {
  clientId: string
  clientSecret: SecretSource
  /** Milliseconds, for the whole: the secret, and both calls where the first one was refused for it. */
  timeout: number
  /** Milliseconds; 0: answers are never shared. */
  cacheTtl: number
  /** Bounds of the answers that are kept; `false`: none but those that are shared. */
  kept: Bounds | false
  /** Calls at once, those that wait for a connection included. */
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
export type Introspect = (token: string, verified: Identity, waiting?: Waiting) => Maybe<Identity>

const PATH = '/protocol/openid-connect/token/introspect'

/** What to ask about when it is only about whether Keycloak answers. */
const NO_TOKEN = 'is-anybody-there'

/** An answer: its text, and what it says, which may have been judged before. */
interface Read {
  text: string
  said: Judged | { answer: JsonObject }
}

/** The last answer about a token, and who it is about by that. */
interface Judged extends Kept {
  readonly text: string
  readonly identity: Identity
}

function isJudged (said: Read['said']): said is Judged {
  return Object.hasOwn(said, 'identity')
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

export function createIntrospection (options: IntrospectOptions, upstream: Upstream, monitor: Monitor): Introspection {
  const { clientId, timeout, cacheTtl, maxPending, maxBytes, maxDepth } = options
  const secret = new Secret(options.clientSecret)
  const breaker = new Breaker()
  const revival = new Revival(() => counted(NO_TOKEN))
  let pending = 0
  let written = { secret: '', form: '' }
  // Answers that are shared need not be remembered twice.
  const judged = options.kept === false || cacheTtl > 0 ? undefined : new Memory<Judged>(options.kept)
  const shared = cacheTtl > 0
    ? sharing(ask, { ttl: cacheTtl, bounds: options.kept || DEFAULT_CACHE, expected: options })
    : undefined

  return {
    introspect: shared?.find ?? alone,
    recall: shared?.recall,
    health: () => ({ ...monitor.report(), breaker: breaker.open ? 'open' : 'closed', pending }),
    close () {
      revival.close()
      judged?.close()
      shared?.close()
    },
    probe: async () => { await withSecret(call, NO_TOKEN) }
  }

  async function alone (token: string, verified: Identity, waiting?: Waiting): Promise<Identity> {
    const departure = new Departure()
    waiting?.once('close', () => departure.leave())
    return (await ask(token, verified, departure)).identity
  }

  async function ask (token: string, { claims }: Identity, departure: Departure): Promise<Answer> {
    const { text, said } = await counted(token, departure)
    const size = text.length
    if (isJudged(said)) return { identity: recall(said), size }
    const identity = identityOf(judge(said.answer, claims, options))
    judged?.keep({ credentials: credentialsOf(token), text, identity, until: claims.exp, bytes: (token.length + size) * WEIGHT })
    return { identity, size }
  }

  /** The same answer to the same token was judged before: the dates alone can have changed. */
  function recall ({ identity }: Judged): Identity {
    checkDates(identity.claims, options, seconds())
    return identity
  }

  /** As one of those that are pending, and for health to know. */
  async function counted (token: string, departure?: Departure): Promise<Read> {
    pending++
    try {
      if (pending > maxPending) throw unavailable(`${maxPending} calls are pending already`)
      const read = await withSecret(guarded, token, departure)
      pending--
      monitor.succeeded()
      return read
    } catch (error) {
      pending--
      monitor.failed(error as UnavailableError)
      if ((error as UnavailableError).outage !== 'ours') revival.begin()
      throw error
    }
  }

  /** A secret that was changed at Keycloak is refused once, and then the new one is used. */
  async function withSecret (ask: typeof call, token: string, departure?: Departure): Promise<Read> {
    const deadline = new Deadline(timeout)
    try {
      const value = secret.current ?? await secret.get(deadline)
      return await ask(token, value, deadline, departure).catch(async (error) => {
        const other = (error as UnavailableError).status === 401 ? await secret.other(value, deadline) : undefined
        if (other === undefined) throw error
        return ask(token, other, deadline, departure)
      })
    } finally {
      deadline.clear()
    }
  }

  async function guarded (token: string, value: string, timeout: Deadline, departure?: Departure): Promise<Read> {
    breaker.admit()
    try {
      const read = await call(token, value, timeout, departure)
      breaker.succeeded()
      return read
    } catch (error) {
      breaker.failed(error as UnavailableError)
      throw error
    }
  }

  async function call (token: string, value: string, timeout: Deadline, departure?: Departure): Promise<Read> {
    const text = await upstream.call({ method: 'POST', path: PATH, form: form(value, token), timeout, maxBytes, departure })
    const known = judged?.find(token)
    if (known?.text === text) return { text, said: known }
    const answer = parseObject(text, maxDepth)
    if (answer === undefined) throw unavailable('a body that is not a JSON object')
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
