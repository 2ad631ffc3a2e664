import { type Reason, reasonFor } from '../../reasons/reason.js'
import { isLightweight } from '../../token/token-kind.js'
import type { JsonObject } from '../../util/strict-json.js'
import type { Caller } from '../caller.js'

/** The reason if a claim is missing because the token is made for introspection, which is off. */
export function lightweight ({ claims, realm }: Caller, rule: string, claim: string): Reason | undefined {
  return isLightweight(claims as JsonObject) && !realm.options.verifyTokensWithKeycloak ? reasonFor('claim_lightweight', { rule, claim }) : undefined
}
