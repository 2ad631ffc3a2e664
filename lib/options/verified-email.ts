import { notValid } from '../errors.js'
import { type JsonObject, member } from '../util/strict-json.js'

/** The options that decide whether users are identified by their addresses. */
interface EmailOptions {
  /** A name, or the segments of a path. */
  userIdClaim: string | readonly string[]
  acceptUnverifiedEmail: boolean
}

/**
 * Are users identified by addresses, which then have to be verified? If not, a user who writes the address of another user
 * into the own profile would be that user.
 */
export function needsVerifiedEmail ({ userIdClaim, acceptUnverifiedEmail }: EmailOptions): boolean {
  return !acceptUnverifiedEmail && [userIdClaim].flat().join('.') === 'email'
}

/**
 * Check `email_verified`, which is true if Keycloak has verified that the address is the user's (OpenID Connect Core 1.0
 * section 5.1).
 * @throws {KeycloakError} token_not_valid
 */
export function checkVerifiedEmail (claims: JsonObject): void {
  const verified = member(claims, 'email_verified')
  if (verified === true) return
  throw notValid(verified === undefined ? 'email_verified_missing' : 'email_unverified')
}
