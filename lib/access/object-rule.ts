import { hasMember } from '../util/members.js'
import { nearest } from '../util/spelling.js'
import type { JsonObject } from '../util/strict-json.js'
import type { ObjectRule, Rule, RulePlace } from './rule.js'
import { authorizedParty } from './rules/authorized-party.js'
import { clientRole } from './rules/client-role.js'
import { group } from './rules/group.js'
import { organization } from './rules/organization.js'
import { realmRole } from './rules/realm-role.js'
import { scope } from './rules/scope.js'

/** A table: the rules that are objects, by the member that names them. */
const RULES: ReadonlyMap<string, ObjectRule> = new Map(Object.entries({ realmRole, clientRole, group, organization, authorizedParty, scope }))

/** The members that name a rule; each object has one of them. */
const NAMES: readonly string[] = ['any', 'all', ...RULES.keys()]

/** The members that stand beside another one, and that one. */
const COMPANIONS: ReadonlyMap<string, string> = new Map([...RULES].flatMap(([name, { companions }]) => companions.map((companion) => [companion, name] as const)))

/** Words of other packages and of Keycloak, in lower case without separators, and the members that are meant. */
const SYNONYMS: ReadonlyMap<string, string> = new Map(Object.entries({
  azp: 'authorizedParty', org: 'organization', organisation: 'organization', alias: 'organization', clientid: 'client', and: 'all', or: 'any', some: 'any', oneof: 'any', every: 'all', allof: 'all', anyof: 'any'
}))

/**
 * The own members of a rule, each read once.
 * @param what the words that complete "… must be"
 * @throws {TypeError} if they are not those of one rule: an unknown or inherited one, none, or two rules
 */
export function membersOf (rule: object, name: string, what: string): JsonObject {
  const members: JsonObject = Object.create(null)
  for (const key of Reflect.ownKeys(rule)) {
    if (typeof key === 'symbol' || !isKnown(key)) throw new TypeError(`${name} must be ${what}, not an object with the key ${JSON.stringify(String(key).slice(0, 40))}${adviceFor(String(key))}`)
    members[key] = (rule as JsonObject)[key]
  }
  const inherited = [...NAMES, ...COMPANIONS.keys()].find((key) => !Object.hasOwn(members, key) && hasMember(rule, key))
  if (inherited !== undefined) throw new TypeError(`${name} must be ${what}, not an object that inherits ${inherited}; write it as a member of its own`)
  const names = NAMES.filter((key) => Object.hasOwn(members, key))
  if (names.length > 1) throw new TypeError(`${name} must be one rule, not an object with ${names.join(' and ')}; write an array of objects for all of them, or { any: [...] }`)
  if (names.length === 0 && Object.keys(members).length === 0) throw new TypeError(`${name} must be ${what}, not an object without a rule`)
  const companion = Object.keys(members).find((key) => COMPANIONS.has(key) && COMPANIONS.get(key) !== names[0])
  if (companion !== undefined) throw new TypeError(`${name} must be ${what}, not an object with ${[...names, companion].join(' and ')}; ${companion} goes with ${COMPANIONS.get(companion)} alone`)
  return members
}

/** Compile the members that {@link membersOf} has found. */
export function compileObject (members: JsonObject, place: RulePlace): Rule {
  const name = NAMES.find((key) => Object.hasOwn(members, key))!
  return RULES.get(name)!.compile(members, place)
}

function isKnown (key: string): boolean {
  return NAMES.includes(key) || COMPANIONS.has(key)
}

function adviceFor (key: string): string {
  const plain = key.toLowerCase().replaceAll(/[_-]/g, '')
  if (plain === 'roles' || plain === 'permission') return '; write a role of this API as a string, or { realmRole: "admin" }'
  if (plain === 'not') return '; write a function instead'
  const known = [...NAMES, ...COMPANIONS.keys()]
  const meant = SYNONYMS.get(plain) ?? nearest(plain, known, Math.min(3, Math.ceil(plain.length / 4)))
  return meant === undefined ? `; write one of ${NAMES.join(', ')}` : `; write ${meant}`
}
