import { notValid } from '../errors.js'
import { reasonFor } from '../reasons/reason.js'
import { type JwsRules, payloadOf } from '../token/jws.js'
import { member } from '../util/strict-json.js'
import { openPush } from './push-receiver.js'

/** Limit of the payload in characters. It is parsed before the signature is checked; Keycloak writes about 600. */
const MAX_PAYLOAD = 8 * 1024

/** Limit of an issuer in characters. */
const MAX_ISSUER = 1024

/**
 * The `iss` of a logout token whose signature is not checked. It picks one of the issuers that the operator trusts, and decides nothing
 * else.
 * @throws {KeycloakError} token_not_valid
 */
export function unverifiedIssuer (token: string, rules: JwsRules): string {
  const jws = openPush(token, rules)
  if (jws.segments.payload.length > MAX_PAYLOAD) throw notValid('push_payload_too_long')
  const issuer = member(payloadOf(jws, rules), 'iss')
  if (issuer === undefined) throw notValid(reasonFor('push_claim_missing', { claim: 'iss' }))
  if (typeof issuer !== 'string') throw notValid(reasonFor('push_claim_not_string', { claim: 'iss' }))
  if (issuer.length > MAX_ISSUER) throw notValid('issuer_unknown')
  return issuer
}
