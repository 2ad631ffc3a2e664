import { createHash, randomUUID, X509Certificate } from 'node:crypto'
import type { DpopClient } from './dpop-client.js'
import { audienceClaim, audienceOf, clientRoles, memberships, realmRoles, scopeOf } from './grants.js'
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
  clientOf (dpop: DpopClient | true): DpopClient
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

/** The claims of a lightweight token. */
const LIGHTWEIGHT = ['exp', 'iat', 'jti', 'iss', 'typ', 'azp', 'sid', 'scope', 'cnf']

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
function tokenId (spec: TokenSpec, { jti }: Kind): string {
  if (jti === undefined) return randomUUID()
  return `${scopeOf(spec).split(' ').includes('offline_access') ? 'of' : 'on'}${jti}:${randomUUID()}`
}

/** Seconds since 1970. An expired token was issued before its `exp`, so that only its `exp` is wrong. */
function times ({ expired, expiresIn, age }: TokenSpec, lifespan: number): { exp: number, iat: number } {
  const now = Math.floor(wallSeconds())
  const left = expired === true ? -3600 : expiresIn ?? lifespan - (age ?? 0)
  return { exp: now + left, iat: now - (age ?? (left > 0 ? 0 : lifespan - left)) }
}

function access (spec: TokenSpec, realm: Issuer, user: RealmUser): Claims {
  return {
    ...session('Bearer', spec, audienceClaim(audienceOf(spec, realm)), user),
    ...login(spec),
    ...realmRoles(spec, realm),
    resource_access: Object.fromEntries(clientRoles(spec, realm)),
    ...memberships(spec),
    scope: scopeOf(spec),
    ...user.profile,
    ...confirmation(spec, realm),
    ...(spec.dpop !== undefined && { typ: 'DPoP' })
  }
}

/** The level and time of the login. */
function login ({ acr = '1', authTime }: TokenSpec): Claims {
  return { acr, ...(authTime !== undefined && { auth_time: Math.floor(authTime) }) }
}

/** The keys that a token is bound to, as Keycloak 26.7 writes them. */
function confirmation ({ dpop, certificate }: TokenSpec, realm: Issuer): Claims {
  const cnf = {
    ...(dpop !== undefined && { jkt: realm.clientOf(dpop).jkt, 'kc-jkt-type': 'DPoP' }),
    ...(certificate !== undefined && { 'x5t#S256': createHash('sha256').update(new X509Certificate(certificate).raw).digest('base64url') })
  }
  return Object.keys(cnf).length > 0 ? { cnf } : {}
}

function dpop (spec: TokenSpec, realm: Issuer, user: RealmUser): Claims {
  // The example thumbprint of RFC 9449 section 6.1.
  const cnf = { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I', 'kc-jkt-type': 'DPoP' }
  return { cnf, ...access(spec, realm, user), typ: 'DPoP' }
}

function identity (spec: TokenSpec, _: Issuer, user: RealmUser): Claims {
  return { ...session('ID', spec, partyOf(spec), user), ...login(spec), ...memberships(spec), ...user.profile }
}

function renewing (typ: 'Refresh' | 'Offline'): Kind['claims'] {
  return (spec, realm, user) => ({ ...session(typ, spec, realm.issuer, user), scope: scopeOf(spec), ...confirmation(spec, realm) })
}

// OpenID Connect Back-Channel Logout 1.0 section 2.4: `aud` is the client of the session.
function logout (spec: TokenSpec, _: Issuer, { sub, sid }: RealmUser): Claims {
  return { aud: partyOf(spec), sub, typ: 'Logout', sid, events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }
}

/** The claims that all tokens of a session share. */
function session (typ: string, spec: TokenSpec, aud: string | readonly string[] | undefined, { sub, sid }: RealmUser): Claims {
  return { aud, sub, typ, azp: partyOf(spec), sid }
}

function partyOf ({ authorizedParty = 'web' }: TokenSpec): string {
  return authorizedParty
}

function lightweight (claims: Claims): Claims {
  return Object.fromEntries(LIGHTWEIGHT.map(claim => [claim, claims[claim]]))
}
