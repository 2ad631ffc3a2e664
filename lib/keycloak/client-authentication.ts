import type { UnavailableError } from '../errors.js'
import type { Deadline } from '../util/deadline.js'

/** The authentication of this API's client at Keycloak (RFC 6749 section 2.3). */
export interface ClientAuthentication {
  /** The members of a form that authenticate the client, encoded, if they are at hand. */
  readonly current: string | undefined
  /** @throws {KeycloakError} keycloak_unavailable if they cannot be had in time */
  get: (deadline: Deadline) => Promise<string>
  /**
   * Keycloak refused these members.
   * @returns others; `undefined` if there are none now
   */
  other: (refused: string, deadline: Deadline) => Promise<string | undefined>
}

/**
 * Call Keycloak as this API's client. Credentials that were changed at Keycloak are refused once, and then the new ones are used.
 * @param call gets the members of the form that authenticate the client
 * @throws {KeycloakError} keycloak_unavailable
 */
export async function asClient<T> (authentication: ClientAuthentication, deadline: Deadline, call: (credentials: string) => Promise<T>): Promise<T> {
  const credentials = authentication.current ?? await authentication.get(deadline)
  try {
    return await call(credentials)
  } catch (error) {
    const other = (error as UnavailableError).responseStatus === 401 ? await authentication.other(credentials, deadline) : undefined
    if (other === undefined) throw error
    return call(other)
  }
}
