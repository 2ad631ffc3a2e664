import { notValid } from '../errors.js'
import { member } from '../util/strict-json.js'
import { ACCESS_TOKEN, type JwsRules, openJws, payloadOf } from './jws.js'

/** Any algorithm: the realm that is picked checks it. */
const ANY_ALGORITHM = { has: () => true } as unknown as ReadonlySet<string>

/**
 * @returns a function that reads the `iss` of an access token that nobody has verified, to pick the realm that verifies it. The
 * form of the token is checked first. The function throws KeycloakError token_not_valid
 */
export function createUnverifiedIssuer (limits: { tokenLength: number, jsonDepth: number }): (token: string) => string {
  const rules: JwsRules = {
    algorithms: ANY_ALGORITHM,
    types: ACCESS_TOKEN,
    typeOptional: true,
    maxLength: limits.tokenLength,
    maxDepth: limits.jsonDepth,
    onOtherAlgorithm: undefined,
    explain: undefined
  }
  return (token) => {
    const iss = member(payloadOf(openJws(token, rules), rules), 'iss')
    if (typeof iss !== 'string') throw notValid(iss === undefined ? 'iss_missing' : 'issuer_unknown')
    return iss
  }
}
