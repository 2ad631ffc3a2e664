import { notValid } from '../errors.js'
import { reasonFor } from '../reasons/reason.js'

// Keycloak does not repeat a push, so a push that is refused because a clock is a little off is a logout lost for good. Beyond the
// skew the refusal tells by how many seconds the clocks differ, because the operator has to set one of them.

/**
 * @param issuedAt seconds since 1970, by Keycloak's clock
 * @param skew seconds
 * @param now time of arrival, in seconds since 1970
 * @throws {KeycloakError} token_not_valid when `issuedAt` is further in the future than the skew allows
 */
export function checkIssuedAt (issuedAt: number, skew: number, now: number): void {
  const ahead = issuedAt - now
  if (ahead > skew) throw notValid(reasonFor('push_future', { seconds: Math.ceil(ahead), leeway: skew }))
}

/**
 * @param expiration seconds since 1970, by Keycloak's clock
 * @param skew seconds
 * @param now time of arrival, in seconds since 1970
 * @throws {KeycloakError} token_not_valid when `expiration` is longer ago than the skew allows
 */
export function checkExpiration (expiration: number, skew: number, now: number): void {
  const ago = now - expiration
  if (ago >= skew) throw notValid(reasonFor('push_ended', { seconds: Math.ceil(ago), leeway: skew }))
}
