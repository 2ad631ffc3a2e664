import type { KeycloakOptions } from '../../types/options.js'
import { type Reason, reasonFor } from '../reasons/reason.js'
import { isLightweight } from '../token/token-kind.js'
import { nameOf, segmentsOf } from '../util/claim-path.js'
import { kindOf } from '../util/kind-of.js'
import { isObject, type JsonObject, member } from '../util/strict-json.js'
import type { Guard } from './route-guard.js'

type PermissionPath = NonNullable<KeycloakOptions['permissionPath']>

export interface DenialOptions {
  permissionPath: PermissionPath
  /** Are requests introspected? */
  verifyTokensWithKeycloak: boolean
}

/** Functions that make the reason of a 403. */
export interface Denials {
  permission: (guard: Guard, claims: JsonObject) => Reason
  /** @param name of the token's issuer */
  issuer: (guard: Guard, name: string) => Reason
  scope: (guard: Guard, claims: JsonObject) => Reason
}

export function createDenials ({ permissionPath, verifyTokensWithKeycloak }: DenialOptions): Denials {
  const where = typeof permissionPath === 'function' ? 'that the function permissionPath finds' : `at ${nameOf(permissionPath)}`
  return {
    permission ({ permission }, claims) {
      const { text: rule, readsRoles, isRole } = permission!
      if (!readsRoles) return reasonFor('rule_not_fulfilled', { rule })
      const values = { rule, verdict: isRole ? 'is not among' : 'is not fulfilled by', where }
      return faultAt(permissionPath, claims, values) ?? reasonFor('role_missing', values)
    },
    issuer: ({ issuers }, name) => reasonFor('issuer_denied', { name: JSON.stringify(name), issuers: [...issuers!].map((each) => JSON.stringify(each)).join(' or ') }),
    scope ({ scopes }, claims) {
      const scope = member(claims, 'scope')
      if (scope === undefined) return reasonFor('scope_claim_missing', { scopes: scopes.join(' ') })
      if (typeof scope !== 'string') return reasonFor('scope_claim_not_string', { scopes: scopes.join(' '), kind: kindOf(scope) })
      const granted = scope.split(' ')
      return reasonFor('scope_missing', { scopes: scopes.filter((each) => !granted.includes(each)).join(' ') })
    }
  }

  /** The reason if there is no list of roles at the path; `undefined` if there is one. */
  function faultAt (path: PermissionPath, claims: JsonObject, values: { rule: string, verdict: string, where: string }): Reason | undefined {
    if (typeof path === 'function') return undefined
    if (isLightweight(claims) && !verifyTokensWithKeycloak) return reasonFor('roles_lightweight', values)
    const segments = segmentsOf(path)
    let value: unknown = claims
    for (const [at, name] of segments.entries()) {
      const inner = isObject(value) ? member(value, name) : undefined
      if (inner === undefined) {
        const gap = { ...values, segment: `"${name}"`, parent: at === 0 ? undefined : nameOf(segments.slice(0, at)) }
        // The claims are an object, so a value that is not an object has a parent.
        return isObject(value) ? reasonFor('roles_absent', gap) : reasonFor('roles_misplaced', { ...gap, parent: gap.parent!, kind: kindOf(value) })
      }
      value = inner
    }
    return Array.isArray(value) ? undefined : reasonFor('roles_not_array', { ...values, kind: kindOf(value) })
  }
}
