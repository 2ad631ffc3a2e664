import type { Roles } from '../token/identity.js'
import { rolesIn } from './roles.js'

/** The groups of a caller. A leading slash does not count, because Keycloak writes none with "Full group path" off. */
export class Groups {
  /** Is the claim an array? */
  readonly isList: boolean
  readonly #names: readonly string[]
  readonly #set: Roles

  /** @param claim the value of the claim; whatever is not a string in an array is no group */
  constructor (claim: unknown) {
    this.isList = Array.isArray(claim)
    this.#names = (Array.isArray(claim) ? claim : []).filter((each) => typeof each === 'string').map(withoutSlash).filter(Boolean)
    this.#set = rolesIn(this.#names)
  }

  get isEmpty (): boolean {
    return this.#names.length === 0
  }

  has (name: string): boolean {
    return this.#set.includes(name)
  }

  /** @param prefix the name of a group and a slash */
  hasBelow (prefix: string): boolean {
    return this.#names.some((name) => name.startsWith(prefix))
  }
}

/** The name of a group without one leading slash. Another slash after it belongs to a name, such as that of the group "/it". */
export function withoutSlash (path: string): string {
  return path.startsWith('/') ? path.slice(1) : path
}
