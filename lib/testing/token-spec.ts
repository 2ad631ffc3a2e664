import { X509Certificate } from 'node:crypto'
import type { Algorithm } from '../../types/options.js'
import { isObject } from '../util/strict-json.js'
import { kindOf } from '../util/kind-of.js'
import { nearest } from '../util/spelling.js'
import { DpopClient } from './dpop-client.js'
import type { Claims, JwsHeader } from './jws.js'

/**
 * The kind of Keycloak's token:
 * - `access`: the kind that an API accepts
 * - `at+jwt`: the same with the header `typ` of RFC 9068
 * - `lightweight`: without `sub`, `aud`, roles and profile; introspection answers with them
 * - `dpop`: bound to a key that nobody has, payload `typ` DPoP; the member `dpop` binds a token to the key of a client
 * - `id`, `refresh`, `offline`: payload `typ` ID, Refresh or Offline. Keycloak signs the last two by HMAC; here the
 *   realm's key signs them, so that an API must refuse them by their `typ`
 * - `logout`: a logout token of back-channel logout, header `typ` logout+jwt
 */
export type TokenKind = 'access' | 'at+jwt' | 'lightweight' | 'dpop' | 'id' | 'refresh' | 'offline' | 'logout'

/** An organization in a token: its id, the user's groups, and attributes of the organization, which are arrays. */
export interface TokenOrganization {
  /** By the mapper's switch *Add organization id*. */
  id?: string
  /** The user's groups of the organization, such as `/admins`. */
  groups?: readonly string[]
  /** Any other member, such as `plan: ['gold']`. */
  [attribute: string]: unknown
}

/** The description of a token; each member has a default. */
export interface TokenSpec {
  /** The user of the token. Default `alice`; `sub`, `sid`, name and email follow from it, and are the same in each realm. */
  username?: string
  /** The user's id. Default: a UUID, always the same for one username. */
  sub?: string
  /** Roles of the realm's `clientId`: `resource_access[clientId].roles`. Default none. */
  roles?: readonly string[]
  /** `realm_access.roles`. Default: the three roles that Keycloak gives every user. */
  realmRoles?: readonly string[]
  /** Roles of any clients: `{ billing: ['reader'] }`. Those of the realm's `clientId` add to `roles`. The clients are in `aud`. */
  clientRoles?: Readonly<Record<string, readonly string[]>>
  /** The full paths of groups: `['/staff/it']`. Default none, and no claim `groups`. */
  groups?: readonly string[]
  /**
   * The organizations of the user: aliases, `['acme']`, as Keycloak's mapper is shipped, or with ids, groups and attributes:
   * `{ acme: { id: 'fe4e18bb', groups: ['/admins'], plan: ['gold'] } }`. Default none, and no claim `organization`.
   */
  organizations?: readonly string[] | Readonly<Record<string, TokenOrganization>>
  /** The client that the user logged in by: `azp`. Default `web`. */
  authorizedParty?: string
  /** Scopes, separated by spaces. Default `openid email profile`, with `organization:acme` for that organization. */
  scope?: string
  /** The level of the login: the claim `acr`. Default `1`. */
  acr?: string
  /** The time of the login, in seconds since 1970, such as `Date.now() / 1000 - 60`: the claim `auth_time`. Default: no claim. */
  authTime?: number
  /**
   * Binds the token to the key of a client of `TestRealm.dpop()` (RFC 9449 section 6): `cnf.jkt`, payload `typ` DPoP. `true`: a
   * client of the realm's own. Default: a Bearer token.
   */
  dpop?: DpopClient | true
  /** Binds the token to a client certificate (RFC 8705 section 3.1), PEM or DER: `cnf["x5t#S256"]`. Default: a Bearer token. */
  certificate?: string | Uint8Array
  /** Merged over the claims; a value of undefined removes the claim. */
  claims?: Claims
  /** Merged over the header; a value of undefined removes the member. Its `alg` may be an attack, as in `TestRealm.sign`. */
  header?: JwsHeader
  /** Default `access`. */
  kind?: TokenKind
  /** The signature, one of the realm's `algorithms`. Default: the first of them, RS256. */
  alg?: Algorithm
  /** Makes a token that expired an hour ago. */
  expired?: boolean
  /** Seconds from now until it expires, negative for an expired token. Default: the realm's `tokenLifespan` less `age`. */
  expiresIn?: number
  /** Seconds since it was issued, negative for a realm whose clock is ahead. Default 0. */
  age?: number
  /** Makes a token with the `kid` of the realm's key that another key has signed. */
  forged?: boolean
  /** The `kid` in the header; the realm's key signs the token nevertheless. `null` leaves `kid` out. */
  kid?: string | null
}

type Rule = [is: (value: unknown) => boolean, what: string]

const text: Rule = [value => typeof value === 'string', 'a string']
const flag: Rule = [value => typeof value === 'boolean', 'true or false']
const seconds: Rule = [Number.isFinite, 'a number of seconds']
const object: Rule = [isObject, 'an object']
const isList = (value: unknown): boolean => Array.isArray(value) && value.every(text[0])
const list: Rule = [isList, 'an array of strings']
const lists: Rule = [value => isObject(value) && Object.values(value).every(isList), "an object of clients and their roles, such as { billing: ['reader'] }"]
const organizations: Rule = [
  value => isList(value) || (isObject(value) && Object.values(value).every(isObject)),
  "an array of aliases, or an object such as { acme: { groups: ['/admins'] } }"
]

/** A table: the members of a token's description. `kind` and `alg` are checked where they are looked up. */
const MEMBERS: Readonly<Record<keyof TokenSpec, Rule>> = {
  username: text,
  sub: text,
  roles: list,
  realmRoles: list,
  clientRoles: lists,
  groups: list,
  organizations,
  authorizedParty: text,
  scope: text,
  acr: text,
  authTime: [Number.isFinite, 'a number of seconds since 1970'],
  dpop: [value => value === true || value instanceof DpopClient, 'true, or a client of TestRealm.dpop()'],
  certificate: [isCertificate, 'a certificate, as PEM or DER'],
  claims: object,
  header: object,
  kind: text,
  alg: text,
  expired: flag,
  expiresIn: seconds,
  age: seconds,
  forged: flag,
  kid: [value => value === null || text[0](value), 'a string or null']
}

const NAMES = Object.keys(MEMBERS)

/**
 * Check the description of a token. Tests are often JavaScript, in which a misspelled `role` would make a token without roles,
 * and with it a test that passes for the wrong reason.
 * @throws {TypeError} one sentence that names the problem
 */
export function checkSpec (spec: unknown): asserts spec is TokenSpec {
  if (!isObject(spec)) {
    throw new TypeError(`TestRealm.token() takes an object such as { username: 'bob', roles: ['admin'] }, not ${kindOf(spec)}.`)
  }
  for (const [name, value] of Object.entries(spec)) {
    if (!Object.hasOwn(MEMBERS, name)) throw new TypeError(`TestRealm.token(): "${name}" is unknown; ${advice(name)}.`)
    const [is, what] = MEMBERS[name as keyof TokenSpec]
    if (value !== undefined && !is(value)) throw new TypeError(`TestRealm.token(): ${name} must be ${what}, not ${kindOf(value)}.`)
  }
}

function isCertificate (value: unknown): boolean {
  try {
    return new X509Certificate(value as string).raw.length > 0
  } catch {
    return false
  }
}

function advice (name: string): string {
  const meant = nearest(name, NAMES, Math.floor(name.length / 3))
  return meant === undefined ? `write one of ${NAMES.join(', ')}; a claim goes into claims` : `write "${meant}"`
}
