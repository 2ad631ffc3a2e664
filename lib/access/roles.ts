import type { KeycloakOptions } from '../../types/options.js'
import type { Identity, Roles } from '../token/identity.js'
import { claimAt } from '../util/claim-path.js'
import { asynchronous } from '../util/kind-of.js'
import { isThenable } from '../util/maybe-promise.js'

export type RolesOf = (identity: Identity) => Roles

/** The most roles that are searched one by one; for more of them a Set is faster. */
const MAX_LIST = 32

const NO_ROLES: Roles = []

/** @returns a function that finds the roles of an identity; a value that is not an array is no roles */
export function rolesAt (path: NonNullable<KeycloakOptions['permissionPath']>): RolesOf {
  if (typeof path !== 'function') {
    const find = claimAt(path)
    return (identity) => (identity.roles ??= rolesIn(find(identity.claims)))
  }
  return ({ claims }) => {
    const roles = path(claims)
    if (isThenable(roles)) throw asynchronous(roles, 'permissionPath')
    return rolesIn(roles)
  }
}

/** The roles of a list; none if it is not an array. */
export function rolesIn (value: unknown): Roles {
  if (!Array.isArray(value)) return NO_ROLES
  if (value.length <= MAX_LIST) return value
  const roles = new Set(value)
  return { includes: (role) => roles.has(role) }
}
