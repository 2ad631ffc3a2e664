import type { AccessTokenClaims } from '../types/user.js'
import { checkClaims, type Expectations, WHOLE } from './claims.js'
import { notValid } from './errors.js'
import { type JsonObject, member } from './json.js'
import { seconds } from './seconds.js'

/** Members of an answer that are no claims of the token; `jwt` would even be a token. */
const NO_CLAIMS = ['active', 'jwt']

/**
 * What an answer of introspection says of a verified token: its claims of now, frozen. Only `true` is active, and an
 * answer about another token, issuer or user is none about this one.
 * @throws {KeycloakError} token_not_valid, token_expired
 */
export function judge (answer: JsonObject, token: AccessTokenClaims, expected: Expectations): AccessTokenClaims {
  if (member(answer, 'active') !== true) throw notValid('Keycloak says that the token is not active')
  const jti = member(answer, 'jti')
  if (jti !== undefined && jti !== member(token, 'jti')) throw notValid('introspection answered with another jti')
  const iss = member(answer, 'iss')
  if (iss !== undefined && iss !== token.iss) throw notValid('introspection answered with another iss')
  const [sub, tokenSub] = [member(answer, 'sub'), member(token, 'sub')]
  if (sub !== undefined && tokenSub !== undefined && sub !== tokenSub) throw notValid('introspection answered with another sub')
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
