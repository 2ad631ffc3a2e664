import type { KeycloakOptions } from '../../types/options.js'
import { nameOf, segmentsOf } from '../util/claim-path.js'
import type { Guard } from './route-guard.js'
import { isObject, type JsonObject, member } from '../util/strict-json.js'
import { kindOf } from '../util/kind-of.js'
import { INTROSPECT, isLightweight, LIGHTWEIGHT } from '../token/token-kind.js'

type PermissionPath = NonNullable<KeycloakOptions['permissionPath']>

export interface DenialOptions {
  permissionPath: PermissionPath
  /** Are requests introspected? */
  verifyTokensWithKeycloak: boolean
}

/** Why a caller may not use a route, in sentences for an operator. */
export interface Denials {
  permission: (guard: Guard, claims: JsonObject) => string
  scope: (guard: Guard, claims: JsonObject) => string
}

export function createDenials ({ permissionPath, verifyTokensWithKeycloak }: DenialOptions): Denials {
  return {
    permission ({ permission }, claims) {
      const { text, readsRoles, isRole } = permission!
      if (!readsRoles) return `permission ${text} is not fulfilled`
      return `permission ${text} ${isRole ? 'is not among' : 'is not fulfilled by'} the roles ${whereOf(permissionPath)}${faultOf(permissionPath, claims)}`
    },
    scope ({ scopes }, claims) {
      const scope = member(claims, 'scope')
      if (scope === undefined) return `scope ${scopes.join(' ')} is missing: the token has no claim scope`
      if (typeof scope !== 'string') return `scope ${scopes.join(' ')} is missing: the claim scope is ${kindOf(scope)}, not a string`
      const granted = scope.split(' ')
      return `scope ${scopes.filter((each) => !granted.includes(each)).join(' ')} is missing in the claim scope of the token`
    }
  }

  /** What there is at the path instead of a list of roles; nothing where there is one. */
  function faultOf (path: PermissionPath, claims: JsonObject): string {
    if (typeof path === 'function') return ''
    if (isLightweight(claims) && !verifyTokensWithKeycloak) return `: ${LIGHTWEIGHT}, without roles: ${INTROSPECT}`
    const segments = segmentsOf(path)
    let value: unknown = claims
    for (const [at, segment] of segments.entries()) {
      const inner = isObject(value) ? member(value, segment) : undefined
      if (inner === undefined) return `: the token has no "${segment}"${at === 0 ? '' : ` in ${nameOf(segments.slice(0, at))}`}. ${isObject(value) ? ABSENT : `What is there is ${kindOf(value)}`}`
      value = inner
    }
    return Array.isArray(value) ? '' : `, which are ${kindOf(value)} there and not an array: switch Multivalued of the mapper on in Keycloak`
  }
}

const ABSENT = 'Either the user has no such role, or the client of the token passes none on (Full scope allowed, the client scope "roles"), or permissionPath names another place'

function whereOf (path: PermissionPath): string {
  return typeof path === 'function' ? 'that the function permissionPath finds' : `at ${nameOf(path)}`
}
