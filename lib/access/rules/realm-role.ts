import { reasonFor } from '../../reasons/reason.js'
import { type ObjectRule, rulesOfClaims } from '../rule.js'
import { lightweight } from './lightweight.js'
import { textOf } from './text.js'

const ruleOf = rulesOfClaims('realmRole')

/** `{ realmRole: 'admin' }`: a role of the realm. */
export const realmRole: ObjectRule = {
  companions: [],
  compile (members, place) {
    const role = textOf(members, 'realmRole', 'the name of a realm role', place)
    return ruleOf({
      text: `realm role ${role}`,
      check: ({ rights }) => rights.realmRoles.includes(role),
      denial (caller, rule) {
        if (!Array.isArray(caller.rights.realmRoleList)) return lightweight(caller, rule, 'realm_access') ?? reasonFor('realm_roles_absent', { rule })
        return reasonFor('realm_role_missing', { rule, role })
      }
    })
  }
}
