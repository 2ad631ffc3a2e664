import type { AccessTokenClaims } from '../types/user.js'
import { checkClaims, type Expectations, WHOLE } from './claims.js'
import { notValid, unavailable } from './errors.js'
import { deepFreeze, type JsonObject, member, parseObject } from './json.js'
import type { Monitor } from './monitor.js'
import type { Upstream } from './upstream.js'
import { seconds } from './verify.js'

export interface IntrospectOptions extends Expectations {
  clientId: string
  clientSecret: string
  /** Milliseconds. */
  timeout: number
  /** Milliseconds; 0: answers are never shared. */
  cacheTtl: number
}

/**
 * From a verified token to its claims of now (RFC 7662).
 * @throws {KeycloakError} token_not_valid, token_expired, keycloak_unavailable
 */
export type Introspect = (token: string, claims: AccessTokenClaims) => Promise<AccessTokenClaims>

const PATH = '/protocol/openid-connect/token/introspect'

/** A token with a thousand roles has some dozen kilobytes. */
const MAX_BYTES = 512 * 1024

/** How many answers are kept for `cacheTtl`. */
const MAX_KEPT = 1000

/** Members of an answer that are no claims of the token; `jwt` would even be a token. */
const NO_CLAIMS = ['active', 'jwt']

export function createIntrospect (options: IntrospectOptions, upstream: Upstream, monitor: Monitor): Introspect {
  const { clientId, clientSecret, timeout, cacheTtl } = options
  const ask = cacheTtl > 0 ? sharing(askKeycloak, cacheTtl) : askKeycloak
  return async (token, claims) => judge(await ask(token), claims, options)

  /** The credentials go as form members: raw HTTP Basic breaks on `%` and `+` in a secret. */
  function askKeycloak (token: string): Promise<JsonObject> {
    const form = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, token, token_type_hint: 'access_token' })
    return monitor.watch(upstream.call({ method: 'POST', path: PATH, form, timeout, maxBytes: MAX_BYTES }).then(read))
  }
}

function read (text: string): JsonObject {
  const answer = parseObject(text)
  if (answer === undefined) throw unavailable('a body that is not a JSON object')
  return answer
}

/** One call in flight for a token, and its answer for so many milliseconds. What failed is asked again. */
function sharing (ask: (token: string) => Promise<JsonObject>, ttl: number): typeof ask {
  const kept = new Map<string, { answer: Promise<JsonObject>, until: number }>()
  return (token) => {
    const entry = kept.get(token)
    if (entry !== undefined && performance.now() < entry.until) return entry.answer
    const answer = ask(token)
    const fresh = { answer, until: performance.now() + ttl }
    kept.delete(token)
    kept.set(token, fresh)
    if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value!)
    answer.catch(() => { if (kept.get(token) === fresh) kept.delete(token) })
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
  return typeof exp === 'number' ? Math.min(exp, token.exp) : exp ?? token.exp
}
