import { reasonFor } from '../../reasons/reason.js'
import type { Caller } from '../caller.js'
import type { ObjectRule, Rule } from '../rule.js'
import type { UmaRefusal } from '../uma/decider.js'
import { compilePermission } from '../uma/permission.js'

const KINDS: Rule['kinds'] = new Set(['uma'])

/** `{ uma: 'invoice:{id}#write' }`: a permission that Keycloak's Authorization Services grant. */
export const uma: ObjectRule = {
  companions: [],
  compile (members, place) {
    const { fill } = compilePermission(members.uma, `${place.name}.uma`, place.parameters)
    const text = `uma ${members.uma as string}`
    return {
      text,
      dependsOnClaimsOnly: false,
      kinds: KINDS,
      scopes: [],
      namedScopes: [],
      check (caller) {
        if (caller.isDecided) return caller.umaRefusals?.has(text) !== true
        const permission = fill(caller.request.params)
        if (permission === undefined) return isAllowed(caller, text, 'uma_parameter_unfit')
        return caller.decide(permission).then((refusal) => isAllowed(caller, text, refusal))
      },
      // Only a rule that was asked refuses.
      denial: (caller, rule) => reasonFor(caller.umaRefusals!.get(text)!, { rule })
    }
  }
}

/** The caller keeps the refusal for the reason of the 403. */
function isAllowed (caller: Caller, text: string, refusal: UmaRefusal | undefined): boolean {
  if (refusal === undefined) return true
  caller.umaRefusals ??= new Map()
  caller.umaRefusals.set(text, refusal)
  return false
}
