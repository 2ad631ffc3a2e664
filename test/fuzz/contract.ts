// What a token must get by the contract, said once more and in other words than lib/ says it.
/* c8 ignore start: which lines a random run reaches differs from run to run */
import type { TestRealm } from '../../lib/testing/index.js'
import type { Json } from '../support/vectors.js'
import { changed, ROLE } from './inputs.js'

export const NOT_AUTHENTICATED = '401 not_authenticated'
export const BAD_HEADER = '401 bad_authorization_header'
export const NOT_VALID = '401 token_not_valid'
export const EXPIRED = '401 token_expired'
export const DENIED = '403 permission_denied'
export const UNAVAILABLE = '503 keycloak_unavailable'

export const own = (object: unknown, name: string): unknown =>
  typeof object === 'object' && object !== null && !Array.isArray(object) && Object.hasOwn(object, name) ? (object as Json)[name] : undefined

/** What a token that the realm signed must get by the contract; `undefined` where a second may decide. */
export function verdict (realm: TestRealm, header: Json, claims: Json): string | undefined {
  const now = Date.now() / 1000
  const near = (value: unknown) => typeof value === 'number' && Math.abs(value - now) < 5
  const absent = (name: string) => own(claims, name) === undefined
  const types = ['jwt', 'at+jwt', 'application/at+jwt']
  const { typ } = header
  if (Object.hasOwn(header, 'crit') || (Object.hasOwn(header, 'typ') && !(typeof typ === 'string' && types.includes(typ.toLowerCase())))) return NOT_VALID
  if (['iat', 'nbf', 'exp'].some((name) => near(own(claims, name)))) return undefined
  const iat = own(claims, 'iat')
  if (!Number.isFinite(iat) || iat as number > now) return NOT_VALID
  const nbf = own(claims, 'nbf')
  if (!absent('nbf') && (!Number.isFinite(nbf) || nbf as number > now)) return NOT_VALID
  const exp = own(claims, 'exp')
  if (!Number.isFinite(exp)) return NOT_VALID
  if (exp as number <= now) return EXPIRED
  if (own(claims, 'iss') !== realm.issuer) return NOT_VALID
  const aud = own(claims, 'aud')
  const audiences = Array.isArray(aud) ? aud : [aud]
  if (!audiences.every((each) => typeof each === 'string') || !audiences.includes('api')) return NOT_VALID
  if (!absent('typ') && own(claims, 'typ') !== 'Bearer') return NOT_VALID
  if (!absent('cnf')) return NOT_VALID
  if (['sub', 'jti'].some((name) => !absent(name) && typeof own(claims, name) !== 'string')) return NOT_VALID
  const user = own(claims, 'preferred_username')
  if (typeof user !== 'string' || user === '') return NOT_VALID
  const roles = own(own(own(claims, 'resource_access'), 'api'), 'roles')
  return Array.isArray(roles) && roles.includes(ROLE) ? '200' : DENIED
}

/** Options that restrict which tokens are accepted. */
export const RESTRICTED = { authorizedParties: ['web', 'cli'], maxTokenAge: 3600, tokenType: 'at+jwt' } as const

/** What a token must get by the contract with {@link RESTRICTED}. */
export function restrictedVerdict (realm: TestRealm, header: Json, claims: Json): string | undefined {
  if (typeof own(header, 'typ') !== 'string' || !/^(application\/)?at\+jwt$/i.test(header.typ)) return NOT_VALID
  const otherwise = verdict(realm, header, claims)
  if (otherwise === undefined || otherwise.startsWith('401')) return otherwise
  const [azp, clientId] = [own(claims, 'azp'), own(claims, 'client_id')]
  if (azp !== 'web' && azp !== 'cli') return NOT_VALID
  const left = claims.iat + RESTRICTED.maxTokenAge - Date.now() / 1000
  if (Math.abs(left) < 5) return undefined
  if (left <= 0) return NOT_VALID
  const named = [own(claims, 'sub'), own(claims, 'jti'), clientId === undefined ? azp : clientId]
  return named.every((value) => typeof value === 'string' && value !== '') ? otherwise : NOT_VALID
}

/** What a token must get when introspection says this of it. */
export function judged (realm: TestRealm, answer: Json, token: Json, header: Json): string | undefined {
  if (own(answer, 'active') !== true) return NOT_VALID
  if (['jti', 'iss', 'sub'].some((name) => own(answer, name) !== undefined && own(answer, name) !== token[name])) return NOT_VALID
  if (own(answer, 'jti') === undefined) return verdict(realm, header, token)
  // As in a token, null is no date (RFC 7519 section 2), and not the same as none.
  const said = own(answer, 'exp')
  const exp = said === undefined ? token.exp : said
  // Who it is for is said by the token; so are its issuer and its type.
  const { typ, iss, aud } = token
  return verdict(realm, header, changed({ iat: token.iat }, [...Object.entries(answer), ['exp', typeof exp === 'number' ? Math.min(exp, token.exp) : exp], ['iss', iss], ['aud', aud], ['typ', typ], ['cnf', undefined]]))
}
