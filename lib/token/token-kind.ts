import { type JsonObject, member } from '../util/strict-json.js'

const ACCESS = 'send the access token'

/** The claim `typ` of tokens that Keycloak makes for other purposes. */
const BY_CLAIM: ReadonlyMap<unknown, string> = new Map([
  ['ID', `the token is an ID token, which tells a client who logged in: ${ACCESS}`],
  ['Refresh', `the token is a refresh token, which is for Keycloak alone: ${ACCESS}`],
  ['Offline', `the token is an offline token, a refresh token for Keycloak alone: ${ACCESS}`],
  ['Logout', `the token is a logout token, which is for the route of backchannelLogout: ${ACCESS}`],
  ['InitialAccessToken', `the token is one for the registration of clients: ${ACCESS}`],
  ['RegistrationAccessToken', `the token is one for the registration of clients: ${ACCESS}`]
])

/** The `typ` of a header, in lower case, of what is no access token (RFC 7515 section 4.1.9). */
const BY_HEADER: ReadonlyMap<unknown, string> = new Map([
  ['logout+jwt', BY_CLAIM.get('Logout')!],
  ['dpop+jwt', `the token is a DPoP proof, which goes into the header DPoP: ${ACCESS}`],
  ['secevent+jwt', `the token is a security event: ${ACCESS}`],
  ['token-introspection+jwt', `the token is an answer of introspection: ${ACCESS}`]
])

/** The problem, and the cure, of a lightweight token that is not introspected. */
export const LIGHTWEIGHT = 'the token is lightweight'
export const INTROSPECT = 'switch verifyTokensWithKeycloak on, or "Always use lightweight access token" of its client off'

/** What Keycloak writes before the colon of `jti`: the kinds of session, token (`lt`: lightweight) and grant. */
const LIGHTWEIGHT_JTI = /^[a-z]{2}lt[a-z]{2}:/

/** Scopes of a client that bring the claims which APIs ask for most, as Keycloak has them. */
const SCOPES: ReadonlyMap<string, string> = new Map([
  ...['preferred_username', 'name', 'given_name', 'family_name', 'nickname'].map((claim) => [claim, 'profile'] as const),
  ...['email', 'email_verified'].map((claim) => [claim, 'email'] as const),
  ...['sub', 'auth_time'].map((claim) => [claim, 'basic'] as const),
  ...['realm_access', 'resource_access'].map((claim) => [claim, 'roles'] as const),
  ...['phone_number', 'phone_number_verified'].map((claim) => [claim, 'phone'] as const),
  ['address', 'address'],
  ['organization', 'organization']
])

/** A fixed sentence about a token that is of another kind than an access token, by its claims. */
export function otherKind (claims: JsonObject): string | undefined {
  return BY_CLAIM.get(member(claims, 'typ'))
}

/** The same by the `typ` of its header. */
export function otherKindByHeader (typ: unknown): string | undefined {
  return typeof typ === 'string' ? BY_HEADER.get(typ.toLowerCase().replace(/^application\//, '')) : undefined
}

/** Was the token made to be introspected? Older servers write nothing into `jti` that would tell. */
export function isLightweight (claims: JsonObject): boolean {
  const jti = member(claims, 'jti')
  if (typeof jti === 'string' && LIGHTWEIGHT_JTI.test(jti)) return true
  return ['sub', 'aud', 'realm_access', 'resource_access', 'preferred_username'].every((name) => member(claims, name) === undefined)
}

/** The client scope in Keycloak that brings a claim, if a new realm has one. */
export function scopeOf (claim: string): string | undefined {
  return SCOPES.get(claim)
}
