import type { UnavailableError } from '../errors.js'
import type { KeycloakReasonCode } from '../reasons/reason.js'
import type { ConnectionCertificate } from './connections.js'
import type { Deadline } from '../util/deadline.js'

/** The authentication of this API's client at Keycloak (RFC 6749 section 2.3). */
export interface ClientAuthentication {
  /** The certificate of the connections for its calls, if they prove the client. */
  readonly certificate?: ConnectionCertificate
  /** The members of a form that authenticate the client, encoded, if they are at hand. */
  readonly current: string | undefined
  /** @throws {KeycloakError} keycloak_unavailable if they cannot be had in time */
  get: (deadline: Deadline) => Promise<string>
  /**
   * Keycloak refused these members, with this error, to a call of this deadline.
   * @returns others; `undefined` if there are none now
   */
  other: (refused: string, deadline: Deadline, error: UnavailableError) => Promise<string | undefined>
}

/** The reasons to refuse the credentials of a client. The same status can mean the token that a call is about. */
const REFUSED: ReadonlySet<KeycloakReasonCode> = new Set([
  'client_unknown', 'client_assertion', 'client_certificate', 'client_secret_jwt', 'secret_wrong', 'credentials_refused',
  'assertion_signature', 'assertion_key_unknown', 'assertion_algorithm', 'assertion_expired', 'assertion_early', 'assertion_audience',
  'assertion_claims', 'assertion_reused'
])

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
    const other = isRefusal(error as UnavailableError) ? await authentication.other(credentials, deadline, error as UnavailableError) : undefined
    if (other === undefined) throw error
    return call(other)
  }
}

/** A 401 in unknown words, of a proxy for example, may be about the credentials, too. */
function isRefusal ({ reasonCode, responseStatus }: UnavailableError): boolean {
  return REFUSED.has(reasonCode) || (reasonCode === 'status_unexpected' && responseStatus === 401)
}

/** The members of a form for an assertion (RFC 7521 section 4.2). The id of the client makes Keycloak refuse one of another client. */
export function assertionMembers (clientId: string, assertion: string): string {
  return new URLSearchParams({
    client_id: clientId,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion
  }).toString()
}
