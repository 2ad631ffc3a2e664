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
import { uma } from './rules/uma.js'

/** A table: the rules that are objects, by the member that names them. */
const RULES: ReadonlyMap<string, ObjectRule> = new Map(Object.entries({ realmRole, clientRole, group, organization, authorizedParty, scope, uma }))

/** The members that name a rule; each object has one of them. */
const NAMES: readonly PropertyKey[] = ['any', 'all', ...RULES.keys()]

/** The members that stand beside another one, and that one. */
const COMPANIONS: ReadonlyMap<PropertyKey, string> = new Map([...RULES].flatMap(([name, { companions }]) => companions.map((companion) => [companion, name] as const)))

const MEMBERS = [...NAMES, ...COMPANIONS.keys()] as string[]

/** Words of other packages and of Keycloak, in lower case without separators, and the members that are meant. */
const SYNONYMS: ReadonlyMap<string, string> = new Map(Object.entries({
  azp: 'authorizedParty', org: 'organization', organisation: 'organization', alias: 'organization', clientid: 'client', and: 'all', or: 'any', some: 'any', oneof: 'any', every: 'all', allof: 'all', anyof: 'any', enforcer: 'uma', resource: 'uma', authz: 'uma', authorization: 'uma'
}))

/** A rule that is an object: the member that names it, and its own members. */
interface ObjectMembers {
  key: string
  members: JsonObject
}

/**
 * The own members of a rule, each read once. `hasPermission` runs this for each request.
 * @param what the words that complete "… must be"
 * @throws {TypeError} if they are not those of one rule: an unknown or inherited one, none, or two rules
 */
export function membersOf (rule: object, name: string, what: string): ObjectMembers {
  const members: JsonObject = Object.create(null)
  let key: string | undefined
  let companion: string | undefined
  for (const member of Reflect.ownKeys(rule)) {
    const isCompanion = COMPANIONS.has(member)
    if (!isCompanion && !NAMES.includes(member)) throw new TypeError(`${name} must be ${what}, not an object with the key ${JSON.stringify(String(member).slice(0, 40))}${adviceFor(String(member), rule)}`)
    const known = member as string
    members[known] = (rule as JsonObject)[known]
    if (isCompanion) companion = known
    else if (key === undefined) key = known
    else throw new TypeError(`${name} must be one rule, not an object with ${key} and ${known}; write an array of objects for all of them, or { any: [...] }`)
  }
  refuseInherited(rule, members, name, what)
  if (companion !== undefined && COMPANIONS.get(companion) !== key) throw new TypeError(`${name} must be ${what}, not an object with ${key === undefined ? '' : `${key} and `}${companion}; ${companion} goes with ${COMPANIONS.get(companion)} alone`)
  if (key === undefined) throw new TypeError(`${name} must be ${what}, not an object without a rule`)
  return { key, members }
}

/** Most rules inherit nothing but what every object does. */
function refuseInherited (rule: object, members: JsonObject, name: string, what: string): void {
  if (Object.getPrototypeOf(rule) === Object.prototype) return
  const inherited = MEMBERS.find((member) => !Object.hasOwn(members, member) && hasMember(rule, member))
  if (inherited !== undefined) throw new TypeError(`${name} must be ${what}, not an object that inherits ${inherited}; write it as a member of its own`)
}

/** Compile the members that {@link membersOf} has found, of a rule that is no list. */
export function compileObject ({ key, members }: ObjectMembers, place: RulePlace): Rule {
  return RULES.get(key)!.compile(members, place)
}

function adviceFor (key: string, rule: object): string {
  const plain = key.toLowerCase().replaceAll(/[_-]/g, '')
  if (plain === 'roles' && Object.hasOwn(rule, 'organization')) return '; write role: "admin", one role in the organization'
  if (plain === 'roles' || plain === 'permission') return '; write a role of this API as a string, or { realmRole: "admin" }'
  if (plain === 'not') return '; write a function instead'
  if (plain === 'issuer') return '; write config: { issuer: "acme" } beside permission'
  const meant = SYNONYMS.get(plain) ?? nearest(plain, MEMBERS, Math.min(3, Math.ceil(plain.length / 4)))
  return meant === undefined ? `; write one of ${NAMES.join(', ')}` : `; write ${meant}`
}
