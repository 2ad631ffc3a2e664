import { isThenable } from '../util/maybe-promise.js'
import { plainCopy, withoutPrototype } from '../util/members.js'
import { isObject, type JsonObject } from '../util/strict-json.js'
import { isTestRealm } from '../util/test-realms.js'
import { AUTHENTICATION_OPTIONS } from './client-authentication.js'
import { parse, plainOptions, wrong } from './parse.js'
import { entrySchema, groups } from './schema.js'
import { PLUGIN_OPTIONS, type RealmSettings, realmSettingsOf, refuseContradictions } from './settings.js'

/** The options that stand beside `issuers` alone, because they count for all realms. */
const BESIDE_ISSUERS: ReadonlySet<string> = new Set([...PLUGIN_OPTIONS, 'issuers', 'maxIssuers', 'leeway', 'verifySignature', 'adminUrl', 'revocation'])

/** The options beside `issuers` that are not the default of an entry. */
const NO_DEFAULTS: ReadonlySet<string> = new Set([...PLUGIN_OPTIONS, 'issuers', 'maxIssuers'])

/** The options of one realm, which are no default for several. */
const OF_ONE_REALM = ['issuer', 'serverUrl', 'name'] as const

/** The group whose path is one for all issuers. */
const LOGOUT = 'backchannelLogout'

/**
 * Refuse the options of one realm beside `issuers`.
 * @param written a plain copy of the options
 * @throws {TypeError}
 */
export function refuseBesideIssuers (written: JsonObject): void {
  const misplaced = OF_ONE_REALM.find((name) => written[name] !== undefined)
  if (misplaced === 'issuer') throw wrong('option "issuer" goes without issuers; write it into the list, as { issuer: "…" }, or leave issuers out')
  if (misplaced !== undefined) throw wrong(`option "${misplaced}" is of one realm; write it into an entry of issuers`)
}

/**
 * The settings of the realms of a list.
 * @param defaults a plain copy of the options beside `issuers`
 * @throws {TypeError} for a wrong entry, and for two entries with one issuer or one name
 */
export function listedRealms (entries: readonly unknown[], defaults: JsonObject): RealmSettings[] {
  const realms = entries.map((entry, at) => entryRealm(entry, defaults, `issuers[${at}]`))
  for (const [at, realm] of realms.entries()) {
    for (const [before, other] of realms.slice(0, at).entries()) {
      if (realm.issuer === other.issuer) throw wrong(`option "issuers[${at}].issuer" must be another one than that of issuers[${before}], since an issuer is one realm`)
      if (realm.name === other.name) throw wrong(`option "issuers[${at}].name" must be another one than that of issuers[${before}], ${JSON.stringify(realm.name)}; ${otherName(realm)}`)
    }
  }
  return realms
}

/** The way to another name: a test realm has it in its URL. */
function otherName ({ issuer }: RealmSettings): string {
  return isTestRealm(issuer) ? 'write createTestRealm({ name: "…" })' : 'give one of them a name of its own'
}

/**
 * The settings of one entry of `issuers`, or of an entry that the function `issuers` returned.
 * @param defaults a plain copy of the options beside `issuers`
 * @param where the entry in words, such as `issuers[0]`
 * @throws {TypeError}
 */
export function entryRealm (entry: unknown, defaults: JsonObject, where: string): RealmSettings {
  const written = plainOptions(entry)
  const isEntry = isObject(written) && !isThenable(entry)
  if (isEntry) refuseInEntry(written, defaults, where)
  const options = isEntry ? withDefaults(written, defaults) : entry
  const parsed = parse(entrySchema, options, options, where)
  refuseContradictions({ ...parsed, resource: defaults.resource as typeof parsed.resource }, where)
  return realmSettingsOf(parsed)
}

function refuseInEntry (written: JsonObject, defaults: JsonObject, where: string): void {
  const misplaced = Object.keys(written).find((name) => BESIDE_ISSUERS.has(name))
  if (misplaced !== undefined) throw wrong(`option "${where}.${misplaced}" counts for all issuers; write it beside issuers`)
  const logout = written[LOGOUT]
  if (!isObject(logout)) return
  const advice = `write it beside issuers, as ${LOGOUT}: { path: "/backchannel-logout" }`
  if (Object.hasOwn(logout, 'path')) throw wrong(`option "${where}.${LOGOUT}.path" is one for all issuers; ${advice}`)
  if (!isObject(defaults[LOGOUT])) throw wrong(`option "${LOGOUT}.path" is missing, which ${where} needs; ${advice}`)
}

/** An entry over the options beside `issuers`, member by member also in a group. */
function withDefaults (entry: JsonObject, defaults: JsonObject): JsonObject {
  const merged = plainCopy(defaults, [])
  for (const name of NO_DEFAULTS) delete merged[name]
  // An entry with an authentication of its own has no other.
  if (AUTHENTICATION_OPTIONS.some((name) => entry[name] !== undefined)) {
    for (const name of AUTHENTICATION_OPTIONS) delete merged[name]
  }
  for (const [name, value] of givenMembers(entry)) {
    const common = merged[name]
    const isGroup = Object.hasOwn(groups, name) && isObject(value) && isObject(common)
    merged[name] = isGroup ? withoutPrototype({ ...common, ...Object.fromEntries(givenMembers(value)) }) : value
  }
  return merged
}

/** A member that is `undefined` is left out, so that its default counts. */
function givenMembers (members: JsonObject): Array<[string, unknown]> {
  return Object.entries(members).filter(([, value]) => value !== undefined)
}
