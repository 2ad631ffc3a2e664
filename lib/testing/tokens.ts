import { randomUUID } from 'node:crypto'
import type { Algorithm } from '../../types/options.js'
import { checkSpec } from './check-spec.js'
import type { Claims, JwsHeader } from './jws.js'
import { userOf, type RealmUser } from './users.js'

/**
 * Which of Keycloak's tokens:
 * - `access`: what an API accepts
 * - `at+jwt`: the same with the header `typ` of RFC 9068
 * - `lightweight`: without `sub`, `aud`, roles and profile, which introspection gives back
 * - `dpop`: bound to a key by `cnf`, payload `typ` DPoP
 * - `id`, `refresh`, `offline`: payload `typ` ID, Refresh or Offline. Keycloak signs the last two by HMAC; here the
 *   realm's key does, so that it is their `typ` that must refuse them
 * - `logout`: of a back-channel logout, header `typ` logout+jwt
 */
export type TokenKind = 'access' | 'at+jwt' | 'lightweight' | 'dpop' | 'id' | 'refresh' | 'offline' | 'logout'

/** What a token shall be; everything has a default. */
export interface TokenSpec {
  /** Who it is for. Default `alice`; `sub`, `sid`, name and email follow from it. */
  username?: string
  /** The user's id. Default: a UUID, always the same for one username. */
  sub?: string
  /** Roles of the realm's `clientId`: `resource_access[clientId].roles`. Default none. */
  roles?: readonly string[]
  /** `realm_access.roles`. Default: the three that Keycloak gives every user. */
  realmRoles?: readonly string[]
  /** Space-separated. Default `openid email profile`. */
  scope?: string
  /** Merged over the claims; a value of undefined removes the claim. */
  claims?: Claims
  /** Merged over the header; a value of undefined removes the member. Its `alg` may be an attack, as in `TestRealm.sign`. */
  header?: JwsHeader
  /** Default `access`. */
  kind?: TokenKind
  /** The signature, one of the realm's `algorithms`. Default: the first of them, RS256. */
  alg?: Algorithm
  /** Expired an hour ago. */
  expired?: boolean
  /** Seconds from now until it expires, negative for one that has. Default: the realm's `tokenLifespan`, less its `age`. */
  expiresIn?: number
  /** Seconds since it was issued, negative for a realm whose clock is ahead. Default 0. */
  age?: number
  /** Signed by another key than the realm's, whose `kid` it claims. */
  forged?: boolean
  /** Names another key in the header (the realm's still signs); `null` leaves `kid` out. */
  kid?: string | null
}

/** What of the realm goes into its tokens. */
export interface Issuer {
  issuer: string
  name: string
  clientId: string
  /** Seconds. */
  tokenLifespan: number
}

interface Kind {
  claims: (spec: TokenSpec, realm: Issuer, user: RealmUser) => Claims
  /** `typ` of the header; default JWT. */
  headerType?: string
  /** Kind of token and grant, as Keycloak notes them in front of the UUID of `jti`, behind the kind of session. */
  jti?: string
  /** Seconds, where not the realm's. */
  lifespan?: number
}

const KINDS: Readonly<Record<TokenKind, Kind>> = {
  access: { claims: access, jti: 'rtro' },
  'at+jwt': { claims: access, jti: 'rtro', headerType: 'at+jwt' },
  lightweight: { claims: access, jti: 'ltro' },
  dpop: { claims: dpop, jti: 'rtro' },
  id: { claims: identity },
  refresh: { claims: renewing('Refresh'), lifespan: 1800 },
  offline: { claims: renewing('Offline'), lifespan: 1800 },
  logout: { claims: logout, headerType: 'logout+jwt', lifespan: 120 }
}

const SCOPE = 'openid email profile'

/** All that a lightweight token says. */
const LIGHTWEIGHT = ['exp', 'iat', 'jti', 'iss', 'typ', 'azp', 'sid', 'scope']

/** A token before it is signed. */
export interface Draft {
  header: JwsHeader
  payload: Claims
  /** What the realm knows of it: the payload, and for a lightweight token what that leaves out. */
  complete: Claims
}

/** @throws {TypeError} when the spec is none */
export function draft (spec: TokenSpec, realm: Issuer): Draft {
  checkSpec(spec)
  const kind = kindOf(spec)
  const user = userOf(spec.username ?? 'alice')
  if (spec.sub !== undefined) user.sub = spec.sub
  const lifespan = kind.lifespan ?? realm.tokenLifespan
  const claims = { ...times(spec, lifespan), jti: tokenId(spec, kind), iss: realm.issuer, ...kind.claims(spec, realm, user) }
  const complete = { ...claims, ...spec.claims }
  const payload = spec.kind === 'lightweight' ? { ...lightweight(claims), ...spec.claims } : complete
  return { header: headerOf(spec, kind), payload, complete }
}

function kindOf ({ kind = 'access' }: TokenSpec): Kind {
  if (Object.hasOwn(KINDS, kind)) return KINDS[kind]
  throw new TypeError(`TestRealm.token(): kind is "${kind}", which is none of ${Object.keys(KINDS).join(', ')}.`)
}

function headerOf (spec: TokenSpec, kind: Kind): JwsHeader {
  const header: JwsHeader = { typ: kind.headerType ?? 'JWT' }
  if (spec.alg !== undefined) header.alg = spec.alg
  if (spec.kid !== undefined) header.kid = spec.kid ?? undefined
  return { ...header, ...spec.header }
}

/** A token of offline access is one of an offline session, `of`; any other of an online one, `on`. */
function tokenId ({ scope = SCOPE }: TokenSpec, { jti }: Kind): string {
  if (jti === undefined) return randomUUID()
  return `${scope.split(' ').includes('offline_access') ? 'of' : 'on'}${jti}:${randomUUID()}`
}

/** Seconds since 1970. What has expired was issued before it did, so that nothing but `exp` is wrong with it. */
function times ({ expired, expiresIn, age }: TokenSpec, lifespan: number): { exp: number, iat: number } {
  const now = Math.floor(Date.now() / 1000)
  const left = expired === true ? -3600 : expiresIn ?? lifespan - (age ?? 0)
  return { exp: now + left, iat: now - (age ?? (left > 0 ? 0 : lifespan - left)) }
}

function access (spec: TokenSpec, realm: Issuer, user: RealmUser): Claims {
  const { roles = [], scope = SCOPE } = spec
  const { realmRoles = [`default-roles-${realm.name}`, 'offline_access', 'uma_authorization'] } = spec
  const resources: Claims = { account: { roles: ['manage-account', 'manage-account-links', 'view-profile'] } }
  if (roles.length > 0) resources[realm.clientId] = { roles }
  return {
    ...session('Bearer', [...new Set([realm.clientId, 'account'])], user),
    acr: '1',
    // Keycloak writes no empty list of roles: it leaves the member out.
    ...(realmRoles.length > 0 && { realm_access: { roles: realmRoles } }),
    resource_access: resources,
    scope,
    ...user.profile
  }
}

function dpop (spec: TokenSpec, realm: Issuer, user: RealmUser): Claims {
  // The thumbprint is the one of RFC 9449 section 6.1.
  const cnf = { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I', 'kc-jkt-type': 'DPoP' }
  return { ...access(spec, realm, user), typ: 'DPoP', cnf }
}

function identity (_: TokenSpec, __: Issuer, user: RealmUser): Claims {
  return { ...session('ID', 'web', user), acr: '1', ...user.profile }
}

function renewing (typ: 'Refresh' | 'Offline'): Kind['claims'] {
  return ({ scope = SCOPE }, realm, user) => ({ ...session(typ, realm.issuer, user), scope })
}

// OpenID Connect Back-Channel Logout 1.0 section 2.4: it goes to the client that holds the session.
function logout (_: TokenSpec, __: Issuer, { sub, sid }: RealmUser): Claims {
  return { aud: 'web', sub, typ: 'Logout', sid, events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }
}

/** What the tokens of a session share. */
function session (typ: string, aud: string | string[], { sub, sid }: RealmUser): Claims {
  return { aud, sub, typ, azp: 'web', sid }
}

function lightweight (claims: Claims): Claims {
  return Object.fromEntries(LIGHTWEIGHT.map(claim => [claim, claims[claim]]))
}
