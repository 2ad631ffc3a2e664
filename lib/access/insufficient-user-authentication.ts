import type { AuthenticationDemand } from '../../types/authentication.js'
import { type KeycloakError, refusal } from '../errors.js'
import { reasonFor } from '../reasons/reason.js'
import { readDemand } from './authentication-rule.js'

/**
 * The error to throw from a handler if the caller has to log in again first: 401 `insufficient_user_authentication`, with
 * the challenge that tells the client how (RFC 9470 section 3).
 *
 * @example
 * if (amount > 1000 && !request.hasAuthentication({ acr: 'gold', maxAge: 300 })) {
 *   throw insufficientUserAuthentication({ acr: 'gold', maxAge: 300 })
 * }
 *
 * @param demand the level, the greatest age of the login in seconds, or both
 * @throws {TypeError} for a demand that means nothing
 */
export function insufficientUserAuthentication (demand: AuthenticationDemand): KeycloakError {
  const { text, challenge } = readDemand(demand, 'insufficientUserAuthentication')
  return refusal('insufficient_user_authentication', () => reasonFor('login_not_enough', { demand: text }), challenge)
}
