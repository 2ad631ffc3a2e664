import type { Organization } from '../../types/request.js'
import { isObject, type JsonObject, member } from '../util/strict-json.js'

/** Members of an organization that Keycloak writes as arrays itself; every other array is an attribute. */
const LISTS: ReadonlySet<string> = new Set(['roles', 'groups'])

const NONE: readonly string[] = Object.freeze([])

/** The members of an organization that the token names by its alias alone. */
const NO_MEMBERS: JsonObject = Object.freeze({})

/** The organizations that a token names. */
export class Organizations {
  /** By alias: the members of the organization. */
  readonly #members: ReadonlyMap<string, JsonObject>
  #list: readonly Organization[] | undefined
  #hasAttributes: boolean | undefined

  /** @param claim an array of aliases, an object by alias, or one alias; anything else is no membership */
  constructor (claim: unknown) {
    this.#members = new Map(entriesOf(claim).filter(([alias]) => alias !== ''))
  }

  get isEmpty (): boolean {
    return this.#members.size === 0
  }

  has (alias: string): boolean {
    return this.#members.has(alias)
  }

  /** Does the caller have a role in an organization? `undefined`: in any. */
  hasRole (alias: string | undefined, role: string): boolean {
    return this.#membersOf(alias).some((members) => this.#rolesOf(members).includes(role))
  }

  /** Does an organization have a list of roles that is not counted, because it may be an attribute? */
  hasDoubtfulRoles (alias: string | undefined): boolean {
    return this.hasAttributes && this.#membersOf(alias).some((members) => Object.hasOwn(members, 'roles'))
  }

  /** `request.organizations`: frozen, made when first read. */
  get list (): readonly Organization[] {
    return (this.#list ??= Object.freeze([...this.#members].map(([alias, members]) => this.#entryOf(alias, members))))
  }

  /**
   * Does the token carry attributes of organizations? Then `roles` of an organization may be one of them: attributes are
   * arrays of strings, as roles are, and who may edit an organization may not therefore give roles.
   */
  get hasAttributes (): boolean {
    return (this.#hasAttributes ??= [...this.#members.values()].some((members) => Object.keys(members).some((name) => !LISTS.has(name) && Array.isArray(member(members, name)))))
  }

  #membersOf (alias: string | undefined): JsonObject[] {
    if (alias === undefined) return [...this.#members.values()]
    const members = this.#members.get(alias)
    return members === undefined ? [] : [members]
  }

  /** The roles in an organization. `realm_access`, the roles of its groups, is an object, which no attribute is. */
  #rolesOf (members: JsonObject): readonly string[] {
    const ofGroups = member(members, 'realm_access')
    const roles = [this.hasAttributes ? NONE : stringsIn(member(members, 'roles')), isObject(ofGroups) ? stringsIn(member(ofGroups, 'roles')) : NONE].filter(({ length }) => length > 0)
    return roles.length > 1 ? Object.freeze([...new Set(roles.flat())]) : roles[0] ?? NONE
  }

  #entryOf (alias: string, members: JsonObject): Organization {
    const id = member(members, 'id')
    const isAttribute = (name: string): boolean => name !== 'groups' && (name !== 'roles' || this.hasAttributes) && stringsIn(member(members, name)) !== NONE
    const attributes: Record<string, readonly string[]> = Object.create(null)
    for (const name of Object.keys(members).filter(isAttribute)) attributes[name] = stringsIn(members[name])
    return Object.freeze({
      alias,
      ...typeof id === 'string' ? { id } : undefined,
      roles: this.#rolesOf(members),
      groups: stringsIn(member(members, 'groups')),
      attributes: Object.freeze(attributes)
    })
  }
}

function entriesOf (claim: unknown): Array<[alias: string, members: JsonObject]> {
  if (isObject(claim)) return Object.entries(claim).filter((entry): entry is [string, JsonObject] => isObject(entry[1]))
  const aliases: unknown[] = Array.isArray(claim) ? claim : [claim]
  return aliases.filter((alias) => typeof alias === 'string').map((alias) => [alias, NO_MEMBERS])
}

/** An array of strings; an empty one for anything else. */
function stringsIn (value: unknown): readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string') ? value : NONE
}
