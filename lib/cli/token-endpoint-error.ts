import { member, parseObject } from '../util/strict-json.js'

/** The cure of each error of the token endpoint (RFC 6749 section 5.2, RFC 9449 sections 5 and 8, RFC 8628 section 3.5). */
const CURES: Readonly<Record<string, string>> = {
  invalid_request: 'a parameter of the token request is missing or repeated: look at grant_type, client_id and those of the grant',
  invalid_client: 'correct the client_id, and the secret or key by which the client proves itself',
  invalid_grant: 'log in again: the user name, password, code or refresh token is wrong, was used before, or has expired; or the account is not fully set up',
  unauthorized_client: 'switch this flow of the client on in Keycloak (Standard flow, Direct access grants, Service accounts roles)',
  unsupported_grant_type: 'correct grant_type',
  invalid_scope: 'ask only for client scopes that the client has in Keycloak (Client scopes)',
  access_denied: 'look at the realm and the user in Keycloak: the realm is switched off, or the login was refused',
  invalid_dpop_proof: 'send a DPoP proof for the token endpoint in the header DPoP',
  use_dpop_nonce: 'repeat the request with the nonce of the header DPoP-Nonce in the proof',
  authorization_pending: 'wait until the user has logged in',
  slow_down: 'ask less often',
  expired_token: 'begin the login anew'
}

/** Error responses are flat. */
const MAX_DEPTH = 8

/**
 * The sentence about an answer of the token endpoint that has an error and no token; `undefined` for other texts. The error is
 * shown only if it is a known one: a text of a stranger is not.
 */
export function tokenEndpointError (text: string): string | undefined {
  if (!text.startsWith('{')) return undefined
  const answer = parseObject(text, MAX_DEPTH)
  if (answer === undefined || member(answer, 'access_token') !== undefined) return undefined
  const error = member(answer, 'error')
  if (typeof error !== 'string') return undefined
  if (!Object.hasOwn(CURES, error)) return 'this is an error of the token endpoint, and no token: look at its error_description, and at the log of Keycloak'
  return `this is the error ${error} of the token endpoint, and no token: ${CURES[error]}`
}
