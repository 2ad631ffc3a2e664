import { type JsonObject, member } from '../util/strict-json.js'

/** The claims about the login of a token (OpenID Connect Core section 2). */
export type LoginClaim = 'acr' | 'auth_time'

const LOGIN_CLAIMS: readonly LoginClaim[] = ['acr', 'auth_time']

/** The member of claims that holds the token's own claims about its login. */
const OWN = Symbol('login of the token')

/**
 * Note what a token itself says about its login if introspection answers otherwise: Keycloak answers by the session of now,
 * so that a later login raises or lowers the level of an older token. The note is seen by {@link loginClaim} alone.
 * @param claims of the answer, not frozen yet
 */
export function noteOwnLogin (claims: JsonObject, token: JsonObject): void {
  const differing = LOGIN_CLAIMS.filter((name) => Object.hasOwn(token, name) && token[name] !== claims[name])
  if (differing.length === 0) return
  Object.defineProperty(claims, OWN, { value: Object.fromEntries(differing.map((name) => [name, token[name]])) })
}

/** The values of a claim about the login: that of the claims, and the token's own if it is another. */
export function loginClaim (claims: JsonObject, name: LoginClaim): readonly unknown[] {
  const own = (claims as { [OWN]?: JsonObject })[OWN]
  return own !== undefined && Object.hasOwn(own, name) ? [member(claims, name), own[name]] : [member(claims, name)]
}
