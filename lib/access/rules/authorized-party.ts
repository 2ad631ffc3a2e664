import { reasonFor } from '../../reasons/reason.js'
import { shown } from '../../util/shown.js'
import { type JsonObject, member } from '../../util/strict-json.js'
import { type ObjectRule, rulesOfClaims } from '../rule.js'
import { textOf } from './text.js'

const ruleOf = rulesOfClaims('authorizedParty')

/** `{ authorizedParty: 'web' }`: the client that the token was issued to. */
export const authorizedParty: ObjectRule = {
  companions: [],
  compile (members, place) {
    const client = textOf(members, 'authorizedParty', 'the id of the client that asks for tokens', place)
    return ruleOf({
      text: `authorized party ${client}`,
      check: ({ claims }) => member(claims as JsonObject, 'azp') === client,
      denial: ({ claims }, rule) => reasonFor('authorized_party_other', { rule, azp: shown(member(claims as JsonObject, 'azp')) })
    })
  }
}
