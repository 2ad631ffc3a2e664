import { UnavailableError } from '../errors.js'
import { type JsonObject, member, parseObject } from '../util/strict-json.js'
import { withoutStack } from '../util/without-stack.js'

/** Why Keycloak refuses a call, for programs. `token`: it refuses the token that it was asked about, not us. */
export type RefusalCode =
  | 'https_required' | 'realm_disabled' | 'realm_unknown' | 'path_unknown'
  | 'client_public' | 'client_unknown' | 'client_assertion' | 'client_protocol' | 'client_policy'
  | 'secret_wrong' | 'credentials_refused' | 'token'

/** Keycloak refuses a call; `refusal` is absent if nobody knows why. */
export class RefusedError extends UnavailableError {
  declare readonly refusal: RefusalCode | undefined

  constructor (reason: string, status: number, refusal: RefusalCode | undefined) {
    super(reason, status >= 500 ? 'unreachable' : 'bad-response', status)
    Object.defineProperty(this, 'refusal', { value: refusal })
  }
}

/** In words, for logs and health(). */
const WORDS: Readonly<Record<Exclude<RefusalCode, 'token'>, string>> = {
  https_required: 'the realm demands HTTPS',
  realm_disabled: 'the realm is disabled',
  realm_unknown: 'there is no such realm',
  path_unknown: 'Keycloak has no such path',
  client_public: 'the client is public',
  client_unknown: 'the client is unknown, disabled or authenticates by a certificate',
  client_assertion: 'the client authenticates by a signed JWT, not by a secret',
  client_protocol: 'the client is one of SAML',
  client_policy: 'a client policy of the realm forbids the call',
  secret_wrong: 'the secret is not that of the client',
  credentials_refused: 'the client or its secret is refused'
}

/**
 * `error` and `error_description` of Keycloak's answers, as 26.7.3 and 26.4.7 were seen to write them. Before 26.6 one
 * answer (`Authentication failed.`) stands for all that can be wrong with a client's credentials.
 */
const KNOWN: ReadonlyMap<string, Exclude<RefusalCode, 'token'>> = new Map([
  ['invalid_request: HTTPS required', 'https_required'],
  ['access_denied: Realm not enabled', 'realm_disabled'],
  ['Realm does not exist', 'realm_unknown'],
  ['Unable to find matching target resource method', 'path_unknown'],
  ['invalid_request: Client not allowed.', 'client_public'],
  ['invalid_client: Invalid client or Invalid client credentials', 'client_unknown'],
  ['invalid_client: Parameter client_assertion_type is missing', 'client_assertion'],
  ['invalid_client: Wrong client protocol.', 'client_protocol'],
  ['invalid_request: Configured client authentication method not allowed for client', 'client_policy'],
  ['invalid_request: Request not allowed', 'client_policy'],
  ['invalid_client: Client authentication failed.', 'secret_wrong'],
  ['unauthorized_client: Invalid client or Invalid client credentials', 'credentials_refused'],
  ['invalid_request: Authentication failed.', 'credentials_refused']
])

/** Errors of RFC 6749 section 5.2 that are about our own credentials. */
const OURS: ReadonlySet<string> = new Set(['invalid_client', 'unauthorized_client'])

/** How Keycloak writes `error`. That of a gateway on the way is rather "Bad Request". */
const CODE = /^[a-z_]{1,64}$/

/** It has two members. */
const MAX_DEPTH = 4

/**
 * The error for an answer that is no 200. Its body is compared with what Keycloak is known to say, and never shown.
 * @param body where it was read
 */
export function refusedBy (status: number, body?: string): RefusedError {
  const refusal = body === undefined ? undefined : refusalIn(status, body)
  const why = refusal === undefined || refusal === 'token' ? '' : `: ${WORDS[refusal]}`
  return withoutStack(() => new RefusedError(`status ${status} instead of 200${why}`, status, refusal))
}

/** What the body of an answer with a status of 4xx says. */
export function refusalIn (status: number, body: string): RefusalCode | undefined {
  const answer: JsonObject = parseObject(body, MAX_DEPTH) ?? {}
  const error = member(answer, 'error')
  if (typeof error !== 'string') return undefined
  const description = member(answer, 'error_description')
  const known = KNOWN.get(typeof description === 'string' ? `${error}: ${description}` : error)
  // A 400 of Keycloak's that is not about us is about the token that we asked about.
  return known ?? (status === 400 && CODE.test(error) && !OURS.has(error) ? 'token' : undefined)
}
