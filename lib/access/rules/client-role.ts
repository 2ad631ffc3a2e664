import { reasonFor } from '../../reasons/reason.js'
import { nameOf } from '../../util/claim-path.js'
import { type ObjectRule, rulesOfClaims } from '../rule.js'
import { lightweight } from './lightweight.js'
import { textOf } from './text.js'

const ruleOf = rulesOfClaims('clientRole')

/** `{ clientRole: 'reader', client: 'billing' }`: a role of a client, of this API's or another one. */
export const clientRole: ObjectRule = {
  companions: ['client'],
  compile (members, place) {
    const role = textOf(members, 'clientRole', 'the name of a role of the client', place)
    const client = textOf(members, 'client', 'the id of the client that has the role', place)
    const where = nameOf(['resource_access', client, 'roles'])
    return ruleOf({
      text: `client role ${role} of ${client}`,
      check: ({ rights }) => rights.clientRoles(client).includes(role),
      denial (caller, rule) {
        if (!Array.isArray(caller.rights.clientRoleList(client))) return lightweight(caller, rule, 'resource_access') ?? reasonFor('client_roles_absent', { rule, where })
        return reasonFor('client_role_missing', { rule, role, where })
      }
    })
  }
}
