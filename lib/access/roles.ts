import type { KeycloakOptions } from '../../types/options.js'
import type { Identity, Roles } from '../token/identity.js'
import { claimAt } from '../util/claim-path.js'
import { asynchronous } from '../util/kind-of.js'
import { isThenable } from '../util/maybe-promise.js'

export type RolesOf = (identity: Identity) => Roles

/** Looking through so many roles costs less than a Set of them does. */
const FEW = 32

const NO_ROLES: Roles = []

/**
 * The roles in some claims; what is no list is no roles.
 */
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

function rolesIn (value: unknown): Roles {
  if (!Array.isArray(value)) return NO_ROLES
  if (value.length <= FEW) return value
  const roles = new Set(value)
  return { includes: (role) => roles.has(role) }
}
