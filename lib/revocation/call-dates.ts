import { notValid } from '../errors.js'

// Keycloak makes a call once, so that one which is refused for a clock that is a little off is a logout lost for good. Beyond
// the skew the refusal says by how much the clocks differ, since the operator has to set one of them.

/**
 * @param made when the call was made, in seconds since 1970
 * @param skew seconds
 * @param now seconds since 1970: when the call came
 * @throws {KeycloakError} token_not_valid when that is later than the skew allows
 */
export function checkMade (made: number, skew: number, now: number): void {
  const ahead = made - now
  if (ahead > skew) throw notValid(`the call is dated ${Math.ceil(ahead)} s in the future: ${cause(skew)}`)
}

/**
 * @param end when the call ends, in seconds since 1970
 * @param skew seconds
 * @param now seconds since 1970: when the call came
 * @throws {KeycloakError} token_not_valid when that is longer ago than the skew allows
 */
export function checkEnd (end: number, skew: number, now: number): void {
  const ago = now - end
  if (ago >= skew) throw notValid(`the call ended ${Math.ceil(ago)} s ago: it comes late, or ${cause(skew)}`)
}

function cause (skew: number): string {
  return `the clocks of Keycloak and this API differ by more than ${skew} s (revocation.leeway); NTP keeps both right`
}
