import type { Organization } from '../../types/request.js'
import { isObject, type JsonObject, member } from '../util/strict-json.js'

/** Members of an organization that Keycloak writes, and none of them as an array: an array there is an attribute of that name. */
const NEVER_ARRAYS = ['id', 'realm_access', 'resource_access'] as const

const NONE: readonly string[] = Object.freeze([])

/** The members of an organization that the token names by its alias alone. */
const NO_MEMBERS: JsonObject = Object.freeze({})

/** The organizations that a token names. */
export class Organizations {
  /** By alias: the members of the organization. */
  readonly #members: ReadonlyMap<string, JsonObject>
  /** By alias: the roles in the organization, read once. */
  readonly #roles = new Map<string, readonly string[]>()
  #list: readonly Organization[] | undefined

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
    if (alias !== undefined) return this.#members.has(alias) && this.#rolesOf(alias).includes(role)
    return Array.from(this.#members.keys()).some((each) => this.#rolesOf(each).includes(role))
  }

  /** `request.organizations`: frozen, made when first read. */
  get list (): readonly Organization[] {
    return (this.#list ??= Object.freeze([...this.#members].map(([alias, members]) => this.#entryOf(alias, members))))
  }

  /** The roles in one of the organizations. */
  #rolesOf (alias: string): readonly string[] {
    let roles = this.#roles.get(alias)
    if (roles === undefined) this.#roles.set(alias, roles = rolesOf(this.#members.get(alias)!))
    return roles
  }

  #entryOf (alias: string, members: JsonObject): Organization {
    const id = member(members, 'id')
    const attributes: Record<string, readonly string[]> = Object.create(null)
    for (const name of Object.keys(members)) {
      const values = stringsIn(members[name])
      if (values !== NONE && name !== 'groups' && (name !== 'roles' || hasImpostors(members))) attributes[name] = values
    }
    return Object.freeze({
      alias,
      ...typeof id === 'string' ? { id } : undefined,
      roles: this.#rolesOf(alias),
      groups: stringsIn(member(members, 'groups')),
      attributes: Object.freeze(attributes)
    })
  }
}

/**
 * Does an attribute stand in the place of a member that Keycloak writes? Then the list `roles`, which has the form of an attribute,
 * may be one, too.
 */
function hasImpostors (members: JsonObject): boolean {
  return NEVER_ARRAYS.some((name) => Array.isArray(member(members, name)))
}

/** The roles in an organization: its own, and in `realm_access` those of its groups, which is an object and no attribute. */
function rolesOf (members: JsonObject): readonly string[] {
  const ofGroups = member(members, 'realm_access')
  const roles = [hasImpostors(members) ? NONE : stringsIn(member(members, 'roles')), isObject(ofGroups) ? stringsIn(member(ofGroups, 'roles')) : NONE].filter(({ length }) => length > 0)
  return roles.length > 1 ? Object.freeze([...new Set(roles.flat())]) : roles[0] ?? NONE
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
