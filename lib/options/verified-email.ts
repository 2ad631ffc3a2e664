import { notValid } from '../errors.js'
import { type JsonObject, member } from '../util/strict-json.js'

/** What says whether users are known by their addresses. */
interface EmailOptions {
  /** A name, or the segments of a path. */
  userIdClaim: string | readonly string[]
  acceptUnverifiedEmail: boolean
}

/** Are users identified by addresses that must be verified? Whoever may write any address into a profile is anybody. */
export function needsVerifiedEmail ({ userIdClaim, acceptUnverifiedEmail }: EmailOptions): boolean {
  return !acceptUnverifiedEmail && [userIdClaim].flat().join('.') === 'email'
}

/**
 * OpenID Connect Core 1.0 section 5.1: true when the provider has seen that the address is the user's.
 * @throws {KeycloakError} token_not_valid
 */
export function checkVerifiedEmail (claims: JsonObject): void {
  const verified = member(claims, 'email_verified')
  if (verified === true) return
  throw notValid(verified === undefined ? 'email_verified_missing' : 'email_unverified')
}
