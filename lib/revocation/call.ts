import type { Revocation } from '../../types/revocation.js'
import type { JsonObject } from '../json.js'

/** What a call of Keycloak orders, once its signature is known to be good. */
export interface Order {
  /** Counts once. */
  id: string
  /** Seconds since 1970, from which on the call is void. */
  until: number
  revocations: Revocation[]
}

/** A kind of call that Keycloak makes with a signed token as its body. */
export interface CallKind {
  /** In words, for the log. */
  name: string
  /** The header's `typ`, in lower case. */
  types: ReadonlySet<string>
  /**
   * Check the claims, and read what they order.
   * @throws {KeycloakError} token_not_valid, token_expired
   */
  read: (claims: JsonObject) => Order
}
