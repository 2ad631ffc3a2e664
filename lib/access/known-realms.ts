import type { JsonObject } from '../util/strict-json.js'
import type { AcrLevels } from './authentication-levels.js'
import { type AuthenticationRule, compileAuthentication } from './authentication-rule.js'
import type { Rule } from './rule.js'

/** The options of an issuer that rules depend on. */
export interface KnownRealm {
  /** Its levels of authentication; `undefined` for an issuer without `acrLevels`. */
  readonly levels: AcrLevels | undefined
  /** Does Keycloak decide on rules such as `{ uma }`? */
  readonly decides: boolean
}

/** All issuers by name. */
export type KnownRealms = ReadonlyMap<string, KnownRealm>

/**
 * `config.issuer`.
 * @param realms all issuers, if they are known at start
 * @throws {TypeError} without a prefix
 */
export function readIssuers (issuer: unknown, realms: KnownRealms | undefined): ReadonlySet<string> {
  const names: unknown[] = Array.isArray(issuer) ? Array.from(issuer) : [issuer]
  const good = (each: unknown): each is string => typeof each === 'string' && each !== ''
  if (names.length === 0 || !names.every(good)) throw new TypeError('config.issuer must be the name of an issuer such as "acme", or an array of such names')
  const stranger = names.find((name) => realms?.has(name) === false)
  if (stranger !== undefined) throw new TypeError(`config.issuer names ${JSON.stringify(stranger)}, which no issuer is called; the names are ${quoted(realms!.keys())}`)
  return new Set(names)
}

/**
 * `config.acr` and `config.maxAge`.
 * @param issuers the names of the route's issuers; `undefined`: all
 * @returns `undefined` if config has neither
 * @throws {TypeError} without a prefix
 */
export function readAuthentication (config: JsonObject, issuers: ReadonlySet<string> | undefined, realms: KnownRealms | undefined): AuthenticationRule | undefined {
  const rule = compileAuthentication(config, (key) => `config.${key}`)
  const known = rule?.acr && realms && levelsOf(realms, issuers)
  const stranger = known && rule.acr.find((level) => !known.has(level))
  if (stranger !== undefined) throw new TypeError(`config.acr names ${JSON.stringify(stranger)}, which acrLevels does not have; its levels are ${quoted(known!)}`)
  return rule
}

/** The levels of the issuers of a route; `undefined` if one of them has no `acrLevels`, so that any level may be one of its. */
function levelsOf (realms: KnownRealms, issuers: ReadonlySet<string> | undefined): ReadonlySet<string> | undefined {
  const admitted = admittedOf(realms, issuers).map(({ levels }) => levels)
  return admitted.includes(undefined) ? undefined : new Set(admitted.flatMap((levels) => levels!))
}

function admittedOf (realms: KnownRealms, issuers: ReadonlySet<string> | undefined): KnownRealm[] {
  return [...realms].filter(([name]) => issuers?.has(name) !== false).map(([, realm]) => realm)
}

/**
 * A rule `{ uma }` needs the option of one of the issuers of the route.
 * @param issuers the names of the route's issuers; `undefined`: all
 * @throws {TypeError} without a prefix
 */
export function refuseUndecided (permission: Rule, issuers: ReadonlySet<string> | undefined, realms: KnownRealms | undefined): void {
  if (!permission.kinds.has('uma') || realms === undefined || admittedOf(realms, issuers).some(({ decides }) => decides)) return
  throw new TypeError(`config.permission has a rule { uma }, which needs the option uma${issuers === undefined ? '' : ' of an issuer that config.issuer names'}, such as uma: true, so that Keycloak is asked`)
}

function quoted (names: Iterable<string>): string {
  return Array.from(names, (name) => JSON.stringify(name)).join(', ')
}
