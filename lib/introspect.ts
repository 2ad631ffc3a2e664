import type { IntrospectionHealth } from '../types/instance.js'
import type { AccessTokenClaims } from '../types/user.js'
import { Breaker } from './breaker.js'
import { checkClaims, checkDates, type Expectations, WHOLE } from './claims.js'
import { Departure } from './departure.js'
import { notValid, unavailable, type UnavailableError } from './errors.js'
import { type Identity, identityOf } from './identity.js'
import { type JsonObject, member, parseObject } from './json.js'
import type { Maybe } from './maybe.js'
import type { Bounds } from './memory.js'
import type { Monitor } from './monitor.js'
import { Revival } from './revival.js'
import { Secret, type SecretSource } from './secret.js'
import { type Answer, sharing, type Waiting } from './sharing.js'
import type { Upstream } from './upstream.js'
import { seconds } from './verify.js'

export interface IntrospectOptions extends Expectations {
  clientId: string
  clientSecret: SecretSource
  /** Milliseconds, for the whole: the secret, and both calls where the first one was refused for it. */
  timeout: number
  /** Milliseconds; 0: answers are never shared. */
  cacheTtl: number
  /** Of the answers that are shared. */
  kept: Bounds
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

/** Members of an answer that are no claims of the token; `jwt` would even be a token. */
const NO_CLAIMS = ['active', 'jwt']

/** What to ask about when it is only about whether Keycloak answers. */
const NO_TOKEN = 'is-anybody-there'

/** An answer, and the characters it took. */
interface Read {
  answer: JsonObject
  size: number
}

/** Introspection, and how it does. */
export interface Introspection {
  introspect: Introspect
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
  const shared = cacheTtl > 0
    ? sharing(ask, { ttl: cacheTtl, bounds: options.kept, recheck: ({ claims }) => checkDates(claims, options, seconds()) })
    : undefined

  return {
    introspect: shared?.find ?? alone,
    health: () => ({ ...monitor.report(), breaker: breaker.open ? 'open' : 'closed', pending }),
    close () {
      revival.close()
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
    const { answer, size } = await counted(token, departure)
    return { identity: identityOf(judge(answer, claims, options)), size }
  }

  /** As one of those that are pending, and for health to know. */
  async function counted (token: string, departure?: Departure): Promise<Read> {
    pending++
    try {
      if (pending > maxPending) throw unavailable(`${maxPending} calls are pending already`)
      const read = await withSecret(guarded, token, departure)
      monitor.succeeded()
      return read
    } catch (error) {
      monitor.failed(error as UnavailableError)
      if ((error as UnavailableError).outage !== 'ours') revival.begin()
      throw error
    } finally {
      pending--
    }
  }

  /** A secret that was changed at Keycloak is refused once, and then the new one is used. */
  async function withSecret (ask: typeof call, token: string, departure?: Departure): Promise<Read> {
    const deadline = performance.now() + timeout
    const left = (): number => Math.max(Math.ceil(deadline - performance.now()), 1)
    const value = secret.current ?? await secret.get(timeout)
    try {
      return await ask(token, value, left(), departure)
    } catch (error) {
      const other = (error as UnavailableError).status === 401 ? await secret.other(value, left()) : undefined
      if (other === undefined) throw error
      return ask(token, other, left(), departure)
    }
  }

  async function guarded (token: string, value: string, timeout: number, departure?: Departure): Promise<Read> {
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

  async function call (token: string, value: string, timeout: number, departure?: Departure): Promise<Read> {
    const text = await upstream.call({ method: 'POST', path: PATH, form: form(value, token), timeout, maxBytes, departure })
    const answer = parseObject(text, maxDepth)
    if (answer === undefined) throw unavailable('a body that is not a JSON object')
    return { answer, size: text.length }
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

/** Only `true` is active, and an answer about another token, issuer or user is none about this one. */
function judge (answer: JsonObject, token: AccessTokenClaims, expected: Expectations): AccessTokenClaims {
  if (member(answer, 'active') !== true) throw notValid('Keycloak says that the token is not active')
  const jti = member(answer, 'jti')
  if (jti !== undefined && jti !== token.jti) throw notValid('introspection answered with another jti')
  const iss = member(answer, 'iss')
  if (iss !== undefined && iss !== token.iss) throw notValid('introspection answered with another iss')
  const sub = member(answer, 'sub')
  if (sub !== undefined && token.sub !== undefined && sub !== token.sub) throw notValid('introspection answered with another sub')
  const claims = jti === undefined ? { ...token } : liveClaims(answer, token)
  // What is in it is frozen already: the token's claims, and the answer.
  return Object.freeze(checkClaims(claims, expected, seconds(), WHOLE))
}

/**
 * The answer takes the place of the token's claims: Keycloak leaves `resource_access` out when the last role is
 * withdrawn, and a merge would keep it. Only what bounds the token itself stays the token's.
 */
function liveClaims (answer: JsonObject, token: AccessTokenClaims): JsonObject {
  const claims: JsonObject = { iat: token.iat, ...answer, iss: token.iss, exp: earlier(answer, token) }
  for (const name of NO_CLAIMS) delete claims[name]
  for (const name of ['typ', 'cnf']) {
    if (Object.hasOwn(token, name)) claims[name] = token[name]
    else delete claims[name]
  }
  return claims
}

/** What is no number is left to the check of the claims. */
function earlier (answer: JsonObject, token: AccessTokenClaims): unknown {
  const exp = member(answer, 'exp')
  if (exp === undefined) return token.exp
  return typeof exp === 'number' ? Math.min(exp, token.exp) : exp
}
