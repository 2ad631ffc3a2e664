import { notValid } from '../errors.js'
import { seconds } from '../seconds.js'

// Keycloak makes a call once, so that one which is refused for a clock that is a little off is a logout lost for good. Beyond
// the leeway the refusal says by how much the clocks differ, since the operator has to set one of them.

/**
 * @param made when the call was made, in seconds since 1970
 * @param leeway seconds
 * @throws {KeycloakError} token_not_valid when that is later than the leeway allows
 */
export function checkMade (made: number, leeway: number): void {
  const ahead = made - seconds()
  if (ahead > leeway) throw notValid(`the call is dated ${Math.ceil(ahead)} s in the future: ${cause(leeway)}`)
}

/**
 * @param end when the call ends, in seconds since 1970
 * @param leeway seconds
 * @throws {KeycloakError} token_not_valid when that is longer ago than the leeway allows
 */
export function checkEnd (end: number, leeway: number): void {
  const ago = seconds() - end
  if (ago >= leeway) throw notValid(`the call ended ${Math.ceil(ago)} s ago: it comes late, or ${cause(leeway)}`)
}

function cause (leeway: number): string {
  return `the clocks of Keycloak and this API differ by more than ${leeway} s (revocation.leeway); NTP keeps both right`
}
