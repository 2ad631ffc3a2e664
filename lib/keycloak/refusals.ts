import { unavailable, type UnavailableError } from '../errors.js'
import { type JsonObject, member, parseObject } from '../util/strict-json.js'
import { reasonFor } from '../reasons/reason.js'

/** The reasons of Keycloak to refuse a call. `question_refused`: it refuses the token that it was asked about, not this client. */
export type RefusalCode =
  | 'https_required' | 'realm_disabled' | 'realm_unknown' | 'path_unknown'
  | 'client_public' | 'client_unknown' | 'client_assertion' | 'client_certificate' | 'client_secret_jwt' | 'client_protocol' | 'client_policy'
  | 'secret_wrong' | 'credentials_refused' | 'question_refused'
  | 'assertion_signature' | 'assertion_key_unknown' | 'assertion_algorithm' | 'assertion_expired' | 'assertion_early' | 'assertion_audience'
  | 'assertion_claims' | 'assertion_reused'

/**
 * `error` and `error_description` of Keycloak's answers, as 26.7.3 and 26.4.7 were seen to write them. Before 26.6 one
 * answer (`Authentication failed.`) stands for all that can be wrong with a client's credentials.
 */
const KNOWN: ReadonlyMap<string, RefusalCode> = new Map([
  ['invalid_request: HTTPS required', 'https_required'],
  ['access_denied: Realm not enabled', 'realm_disabled'],
  ['Realm does not exist', 'realm_unknown'],
  ['Unable to find matching target resource method', 'path_unknown'],
  ['invalid_request: Client not allowed.', 'client_public'],
  ['invalid_client: Invalid client or Invalid client credentials', 'client_unknown'],
  ['invalid_client: Parameter client_assertion_type is missing', 'client_assertion'],
  ['invalid_client: Missing client_id parameter', 'client_certificate'],
  ['unauthorized_client: Client authentication with client secret signed JWT failed: Signature on JWT token by client secret failed validation', 'client_secret_jwt'],
  ['invalid_client: Client authentication with signed JWT failed: Signature on JWT token failed validation', 'assertion_signature'],
  ['invalid_client: Unable to load public key', 'assertion_key_unknown'],
  ['invalid_client: Invalid signature algorithm', 'assertion_algorithm'],
  ['invalid_client: Token is not active', 'assertion_expired'],
  ['invalid_client: Token was issued in the future', 'assertion_early'],
  ['invalid_client: Invalid token audience', 'assertion_audience'],
  ['invalid_client: Multiple audiences not allowed', 'assertion_audience'],
  ['invalid_client: Token expiration is too far in the future and iat claim not present in token', 'assertion_claims'],
  ['invalid_client: Token jti claim is required', 'assertion_claims'],
  ['invalid_client: Token exp claim is required', 'assertion_claims'],
  ['invalid_client: Token reuse detected', 'assertion_reused'],
  ['invalid_client: Wrong client protocol.', 'client_protocol'],
  ['invalid_request: Configured client authentication method not allowed for client', 'client_policy'],
  ['invalid_request: Request not allowed', 'client_policy'],
  ['invalid_client: Client authentication failed.', 'secret_wrong'],
  ['unauthorized_client: Invalid client or Invalid client credentials', 'credentials_refused'],
  ['invalid_request: Authentication failed.', 'credentials_refused']
])

/** Errors of RFC 6749 section 5.2 that are about our own credentials. */
const OURS: ReadonlySet<string> = new Set(['invalid_client', 'unauthorized_client'])

/** Errors with the status 401 that are about the token of a caller, of the token endpoint. */
const OF_CALLERS: ReadonlySet<string> = new Set(['invalid_grant', 'unauthorized_client: Invalid identity'])

/** The form of Keycloak's `error`. A gateway on the way rather writes "Bad Request". */
const CODE = /^[a-z_]{1,64}$/

/** It has two members. */
const MAX_DEPTH = 4

/**
 * The error for a response that is no 200. Its body is compared with the known texts of Keycloak, and never shown.
 * @param body absent if it was not read
 */
export function refusedBy (status: number, body?: string): UnavailableError {
  const code = (body === undefined ? undefined : refusalIn(status, body)) ?? 'status_unexpected'
  return unavailable(reasonFor(code, { status }), status >= 500 ? 'unreachable' : 'bad-response', status)
}

/** The refusal in the body of a response with a status of 4xx. */
export function refusalIn (status: number, body: string): RefusalCode | undefined {
  const answer: JsonObject = parseObject(body, MAX_DEPTH) ?? {}
  const error = member(answer, 'error')
  if (typeof error !== 'string') return undefined
  const description = member(answer, 'error_description')
  const words = typeof description === 'string' ? `${error}: ${description}` : error
  // A 400 of Keycloak's that is not about us is about the token in the question.
  const isOfCaller = status === 400 ? CODE.test(error) && !OURS.has(error) : status === 401 && (OF_CALLERS.has(error) || OF_CALLERS.has(words))
  return KNOWN.get(words) ?? (isOfCaller ? 'question_refused' : undefined)
}
