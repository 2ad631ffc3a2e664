import { type Reason, reasonFor } from '../reasons/reason.js'
import { isLightweight } from '../token/token-kind.js'
import { nameOf, segmentsOf } from '../util/claim-path.js'
import { kindOf } from '../util/kind-of.js'
import { isObject, type JsonObject, member } from '../util/strict-json.js'
import type { Caller } from './caller.js'

/**
 * The reason of a 403 for a token of another issuer.
 * @param name of the token's issuer
 */
export function issuerDenial (issuers: ReadonlySet<string>, name: string): Reason {
  return reasonFor('issuer_denied', { name: JSON.stringify(name), issuers: [...issuers].map((each) => JSON.stringify(each)).join(' or ') })
}

/** The reason of a 403 for scopes that the caller lacks. */
export function scopeDenial (caller: Caller, words: readonly string[]): Reason {
  const scope = member(caller.claims as JsonObject, 'scope')
  if (scope === undefined) return reasonFor('scope_claim_missing', { scopes: words.join(' ') })
  if (typeof scope !== 'string') return reasonFor('scope_claim_not_string', { scopes: words.join(' '), kind: kindOf(scope) })
  return reasonFor('scope_missing', { scopes: words.filter((word) => !caller.hasScopes([word])).join(' ') })
}

/**
 * The reason of a 403 for a role at `permissionPath` that the caller lacks.
 * @param rule the text of the whole permission
 * @param isRole is the permission that role alone?
 */
export function roleDenial ({ claims, realm: { options } }: Caller, rule: string, isRole: boolean): Reason {
  const { permissionPath, verifyTokensWithKeycloak } = options
  const verdict = isRole ? 'is not among' : 'is not fulfilled by'
  if (typeof permissionPath === 'function') return reasonFor('role_missing', { rule, verdict, where: 'that the function permissionPath finds' })
  const values = { rule, verdict, where: `at ${nameOf(permissionPath)}` }
  if (isLightweight(claims as JsonObject) && !verifyTokensWithKeycloak) return reasonFor('roles_lightweight', values)
  return faultAt(segmentsOf(permissionPath), claims as JsonObject, values) ?? reasonFor('role_missing', values)
}

/** The reason if there is no list of roles at the path; `undefined` if there is one. */
function faultAt (segments: readonly string[], claims: JsonObject, values: { rule: string, verdict: string, where: string }): Reason | undefined {
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
