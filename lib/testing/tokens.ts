import { randomUUID } from 'node:crypto'
import { checkSpec, type TokenKind, type TokenSpec } from './token-spec.js'
import type { Claims, JwsHeader } from './jws.js'
import { userOf, type RealmUser } from './users.js'
import { wallSeconds } from '../util/clock.js'

/** The settings of the realm that go into its tokens. */
export interface Issuer {
  issuer: string
  name: string
  clientId: string
  /** Seconds. */
  tokenLifespan: number
}

interface Kind {
  claims: (spec: TokenSpec, realm: Issuer, user: RealmUser) => Claims
  /** `typ` of the header. Default JWT. */
  headerType?: string
  /** Kind of token and grant, which Keycloak writes into `jti`, after the kind of session and before the UUID. */
  jti?: string
  /** Lifetime in seconds, if it is not the realm's. */
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

/** The claims of a lightweight token. */
const LIGHTWEIGHT = ['exp', 'iat', 'jti', 'iss', 'typ', 'azp', 'sid', 'scope']

/** A token before it is signed. */
export interface Draft {
  header: JwsHeader
  payload: Claims
  /** The claims of the payload, and for a lightweight token also those that it leaves out. */
  complete: Claims
}

/** @throws {TypeError} when `spec` is wrong */
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

/** The `jti`: it begins with `of` for a token of an offline session, else with `on`. */
function tokenId ({ scope = SCOPE }: TokenSpec, { jti }: Kind): string {
  if (jti === undefined) return randomUUID()
  return `${scope.split(' ').includes('offline_access') ? 'of' : 'on'}${jti}:${randomUUID()}`
}

/** Seconds since 1970. An expired token was issued before its `exp`, so that only its `exp` is wrong. */
function times ({ expired, expiresIn, age }: TokenSpec, lifespan: number): { exp: number, iat: number } {
  const now = Math.floor(wallSeconds())
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
    // Keycloak leaves the member out instead of an empty list of roles.
    ...(realmRoles.length > 0 && { realm_access: { roles: realmRoles } }),
    resource_access: resources,
    scope,
    ...user.profile
  }
}

function dpop (spec: TokenSpec, realm: Issuer, user: RealmUser): Claims {
  // The example thumbprint of RFC 9449 section 6.1.
  const cnf = { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I', 'kc-jkt-type': 'DPoP' }
  return { ...access(spec, realm, user), typ: 'DPoP', cnf }
}

function identity (_: TokenSpec, __: Issuer, user: RealmUser): Claims {
  return { ...session('ID', 'web', user), acr: '1', ...user.profile }
}

function renewing (typ: 'Refresh' | 'Offline'): Kind['claims'] {
  return ({ scope = SCOPE }, realm, user) => ({ ...session(typ, realm.issuer, user), scope })
}

// OpenID Connect Back-Channel Logout 1.0 section 2.4: `aud` is the client of the session.
function logout (_: TokenSpec, __: Issuer, { sub, sid }: RealmUser): Claims {
  return { aud: 'web', sub, typ: 'Logout', sid, events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }
}

/** The claims that all tokens of a session share. */
function session (typ: string, aud: string | string[], { sub, sid }: RealmUser): Claims {
  return { aud, sub, typ, azp: 'web', sid }
}

function lightweight (claims: Claims): Claims {
  return Object.fromEntries(LIGHTWEIGHT.map(claim => [claim, claims[claim]]))
}
