import type { IntrospectionHealth } from '../types/instance.js'
import type { AccessTokenClaims } from '../types/user.js'
import { Breaker } from './breaker.js'
import { checkClaims, type Expectations, WHOLE } from './claims.js'
import { notValid, unavailable, type UnavailableError } from './errors.js'
import { deepFreeze, type JsonObject, member, parseObject } from './json.js'
import type { Monitor } from './monitor.js'
import { Secret, type SecretSource } from './secret.js'
import { sharing } from './sharing.js'
import type { Upstream } from './upstream.js'
import { seconds } from './verify.js'

export interface IntrospectOptions extends Expectations {
  clientId: string
  clientSecret: SecretSource
  /** Milliseconds. */
  timeout: number
  /** Milliseconds; 0: answers are never shared. */
  cacheTtl: number
  /** Calls at once, those that wait for a connection included. */
  maxPending: number
  /** Size of an answer. */
  maxBytes: number
  /** How deep its JSON may nest. */
  maxDepth: number
}

/**
 * From a verified token to its claims of now (RFC 7662). `signal` says that nobody waits for them any more.
 * @throws {KeycloakError} token_not_valid, token_expired, keycloak_unavailable
 */
export type Introspect = (token: string, claims: AccessTokenClaims, signal?: AbortSignal) => Promise<AccessTokenClaims>

const PATH = '/protocol/openid-connect/token/introspect'

/** Members of an answer that are no claims of the token; `jwt` would even be a token. */
const NO_CLAIMS = ['active', 'jwt']

/** Introspection, and how it does. */
export interface Introspection {
  introspect: Introspect
  health: () => IntrospectionHealth
}

export function createIntrospection (options: IntrospectOptions, upstream: Upstream, monitor: Monitor): Introspection {
  const { clientId, timeout, cacheTtl, maxPending, maxBytes, maxDepth } = options
  const secret = new Secret(options.clientSecret, timeout)
  const breaker = new Breaker()
  let pending = 0
  const ask = cacheTtl > 0 ? sharing(askKeycloak, cacheTtl) : askKeycloak

  return {
    introspect: async (token, claims, signal) => judge(await ask(token, signal), claims, options),
    health: () => ({ ...monitor.report(), breaker: breaker.open ? 'open' : 'closed', pending })
  }

  function askKeycloak (token: string, signal?: AbortSignal): Promise<JsonObject> {
    return monitor.watch(bounded(() => withSecret((value) => breaker.run(() => call(token, value, signal)))))
  }

  async function bounded (ask: () => Promise<JsonObject>): Promise<JsonObject> {
    if (pending >= maxPending) throw unavailable(`${maxPending} calls are pending already`)
    pending++
    try {
      return await ask()
    } finally {
      pending--
    }
  }

  /** A secret that was changed at Keycloak is refused once, and then the new one is used. */
  async function withSecret (ask: (value: string) => Promise<JsonObject>): Promise<JsonObject> {
    const value = await secret.get()
    try {
      return await ask(value)
    } catch (error) {
      const other = (error as UnavailableError).status === 401 ? await secret.other(value) : undefined
      if (other === undefined) throw error
      return ask(other)
    }
  }

  /** The credentials go as form members: raw HTTP Basic breaks on `%` and `+` in a secret. */
  async function call (token: string, value: string, signal?: AbortSignal): Promise<JsonObject> {
    const form = new URLSearchParams({ client_id: clientId, client_secret: value, token, token_type_hint: 'access_token' })
    const answer = parseObject(await upstream.call({ method: 'POST', path: PATH, form, timeout, maxBytes, signal }), maxDepth)
    if (answer === undefined) throw unavailable('a body that is not a JSON object')
    return answer
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
  return deepFreeze(checkClaims(claims, expected, seconds(), WHOLE))
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
