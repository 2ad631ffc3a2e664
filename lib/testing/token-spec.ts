import type { Algorithm } from '../../types/options.js'
import { isObject } from '../util/strict-json.js'
import { kindOf } from '../util/kind-of.js'
import { nearest } from '../util/spelling.js'
import type { Claims, JwsHeader } from './jws.js'

/**
 * The kind of Keycloak's token:
 * - `access`: the kind that an API accepts
 * - `at+jwt`: the same with the header `typ` of RFC 9068
 * - `lightweight`: without `sub`, `aud`, roles and profile; introspection answers with them
 * - `dpop`: bound to a key by `cnf`, payload `typ` DPoP
 * - `id`, `refresh`, `offline`: payload `typ` ID, Refresh or Offline. Keycloak signs the last two by HMAC; here the
 *   realm's key signs them, so that an API must refuse them by their `typ`
 * - `logout`: a logout token of back-channel logout, header `typ` logout+jwt
 */
export type TokenKind = 'access' | 'at+jwt' | 'lightweight' | 'dpop' | 'id' | 'refresh' | 'offline' | 'logout'

/** The description of a token; each member has a default. */
export interface TokenSpec {
  /** The user of the token. Default `alice`; `sub`, `sid`, name and email follow from it. */
  username?: string
  /** The user's id. Default: a UUID, always the same for one username. */
  sub?: string
  /** Roles of the realm's `clientId`: `resource_access[clientId].roles`. Default none. */
  roles?: readonly string[]
  /** `realm_access.roles`. Default: the three roles that Keycloak gives every user. */
  realmRoles?: readonly string[]
  /** Scopes, separated by spaces. Default `openid email profile`. */
  scope?: string
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
const list: Rule = [value => Array.isArray(value) && value.every(text[0]), 'an array of strings']

/** A table: the members of a token's description. `kind` and `alg` are checked where they are looked up. */
const MEMBERS: Readonly<Record<keyof TokenSpec, Rule>> = {
  username: text,
  sub: text,
  roles: list,
  realmRoles: list,
  scope: text,
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

function advice (name: string): string {
  const meant = nearest(name, NAMES, Math.floor(name.length / 3))
  return meant === undefined ? `write one of ${NAMES.join(', ')}; a claim goes into claims` : `write "${meant}"`
}
