import { type JsonObject, member } from '../util/strict-json.js'
import { plainReason, type PlainReasonCode, type Reason } from '../reasons/reason.js'

/** By the claim `typ`: tokens that Keycloak makes for other purposes. */
const BY_CLAIM: ReadonlyMap<unknown, PlainReasonCode> = new Map([
  ['ID', 'id_token'],
  ['Refresh', 'refresh_token'],
  ['Offline', 'offline_token'],
  ['Logout', 'logout_token'],
  ['InitialAccessToken', 'registration_token'],
  ['RegistrationAccessToken', 'registration_token']
])

/** By the `typ` of the header, in lower case: what is no access token (RFC 7515 section 4.1.9). */
const BY_HEADER: ReadonlyMap<unknown, PlainReasonCode> = new Map([
  ['logout+jwt', 'logout_token'],
  ['dpop+jwt', 'dpop_proof'],
  ['secevent+jwt', 'security_event'],
  ['token-introspection+jwt', 'introspection_response']
])

/** Before the colon of `jti` Keycloak writes the kinds of session, token (`lt`: lightweight) and grant. */
const LIGHTWEIGHT_JTI = /^[a-z]{2}lt[a-z]{2}:/

/** By claim: the client scope of a new realm that brings it, for the claims that APIs ask for most. */
const SCOPES: ReadonlyMap<string, string> = new Map([
  ...['preferred_username', 'name', 'given_name', 'family_name', 'nickname'].map((claim) => [claim, 'profile'] as const),
  ...['email', 'email_verified'].map((claim) => [claim, 'email'] as const),
  ...['sub', 'auth_time'].map((claim) => [claim, 'basic'] as const),
  ...['realm_access', 'resource_access'].map((claim) => [claim, 'roles'] as const),
  ...['phone_number', 'phone_number_verified'].map((claim) => [claim, 'phone'] as const),
  ['address', 'address'],
  ['organization', 'organization']
])

/** The reason to refuse a token that is of another kind than an access token, by its claims. */
export function otherKind (claims: JsonObject): Reason | undefined {
  return reasonOf(BY_CLAIM.get(member(claims, 'typ')))
}

/** The reason by the `typ` of its header. */
export function otherKindByHeader (typ: unknown): Reason | undefined {
  return typeof typ === 'string' ? reasonOf(BY_HEADER.get(typ.toLowerCase().replace(/^application\//, ''))) : undefined
}

function reasonOf (code: PlainReasonCode | undefined): Reason | undefined {
  return code && plainReason(code)
}

/** Was the token made to be introspected? Keycloak before 26.2 writes nothing into `jti` that would tell. */
export function isLightweight (claims: JsonObject): boolean {
  const jti = member(claims, 'jti')
  if (typeof jti === 'string' && LIGHTWEIGHT_JTI.test(jti)) return true
  return ['sub', 'aud', 'realm_access', 'resource_access', 'preferred_username'].every((name) => member(claims, name) === undefined)
}

/** The client scope that brings a claim; `undefined` if a new realm has none for it. */
export function scopeOf (claim: string): string | undefined {
  return SCOPES.get(claim)
}
