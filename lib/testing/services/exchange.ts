import { decode, type Claims } from '../jws.js'
import { OAuthError } from '../login/reply.js'
import type { RegisteredClient } from './clients.js'
import type { ServiceScopes } from './scopes.js'

/** The `token_type` identifier of access tokens (RFC 8693 section 3). */
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

/** Parameters of the older token exchange of Keycloak. */
const UNSUPPORTED = ['requested_subject', 'requested_issuer', 'subject_issuer']

/** A request for a token exchange (RFC 8693), after the client has authenticated. */
export interface ExchangeRequest {
  readonly form: URLSearchParams
  readonly client: RegisteredClient
  /** The thumbprint of the key of the request's DPoP proof. */
  readonly jkt: string | undefined
  /** The claims of the subject token; null for a token that is not valid. */
  readonly subject: Claims | null
}

/** The parts of the realm that decide on an exchange. */
export interface ExchangeRules {
  readonly scopes: ServiceScopes
  /** Is there a client of this id? */
  hasClient (id: string): boolean
}

/**
 * The claims of the new token, as Keycloak's standard token exchange makes them: those of the subject token, for the requested
 * audience.
 * @throws {OAuthError} in Keycloak's words
 */
export function exchanged (request: ExchangeRequest, { scopes, hasClient }: ExchangeRules): Claims {
  const { form, client, jkt } = request
  const subject = subjectOf(request)
  const scope = scopes.granted(form.get('scope') ?? '')
  const roles = rolesOf(subject)
  const available = new Set([...scopes.audiences(scope), ...Object.keys(roles)])
  available.delete(client.id)
  const audience = form.getAll('audience').filter((each) => each !== '')
  if (!audience.every((each) => available.has(each) || hasClient(each) || scopes.knows(each))) throw new OAuthError('invalid_client', 'Audience not found')
  const lacking = audience.filter((each) => !available.has(each))
  if (lacking.length > 0) throw new OAuthError('invalid_request', `Requested audience not available: ${lacking.join(', ')}`)
  return {
    ...subject,
    nbf: undefined,
    typ: jkt === undefined ? 'Bearer' : 'DPoP',
    azp: client.id,
    aud: audience.length > 0 ? audience : [...available],
    resource_access: audience.length > 0 ? Object.fromEntries(Object.entries(roles).filter(([id]) => audience.includes(id))) : subject.resource_access,
    scope,
    cnf: jkt === undefined ? undefined : { jkt, 'kc-jkt-type': 'DPoP' }
  }
}

function subjectOf ({ form, client, jkt, subject }: ExchangeRequest): Claims {
  const unsupported = UNSUPPORTED.find((name) => form.has(name))
  if (unsupported !== undefined) throw invalid(`Parameter '${unsupported}' is not supported for standard token exchange`)
  if (client.rules.exchange === false) throw invalid('Standard token exchange is not enabled for the requested client')
  if (form.get('subject_token_type') !== ACCESS_TOKEN) throw invalid("Parameter 'subject_token' supports access tokens only")
  if (![ACCESS_TOKEN, null].includes(form.get('requested_token_type'))) throw invalid('requested_token_type unsupported')
  if (subject === null) throw invalid('Invalid token')
  if (!mayUse(subject, client.id, jkt)) throw invalid('Sender-constrained token exchange rejected as the token was not issued for the requesting client')
  if (subject.azp !== client.id && ![subject.aud].flat().includes(client.id)) throw new OAuthError('access_denied', 'Client is not within the token audience', 403)
  return subject
}

/** A bound token can be exchanged only by the client that it was issued to, with a proof by its key. */
function mayUse ({ cnf, azp }: Claims, clientId: string, jkt: string | undefined): boolean {
  return cnf === undefined || (azp === clientId && jkt !== undefined && (cnf as { jkt?: string }).jkt === jkt)
}

function rolesOf ({ resource_access: access }: Claims): Record<string, unknown> {
  return { ...access as Record<string, unknown> | undefined }
}

function invalid (description: string): OAuthError {
  return new OAuthError('invalid_request', description)
}

/** The visible claims of a token that is `isActive`, if it is an access token; else null. */
export function subjectClaims (token: string | null, isActive: (token: string) => boolean): Claims | null {
  if (token === null || !isActive(token)) return null
  const { payload } = decode(token)!
  return payload.typ === 'Bearer' || payload.typ === 'DPoP' ? payload : null
}

/** Keycloak decides for no token that is bound to a key (DPoP), but for those that are bound to a certificate. */
export function isBoundToKey ({ cnf }: Claims): boolean {
  return (cnf as { jkt?: unknown } | undefined)?.jkt !== undefined
}
