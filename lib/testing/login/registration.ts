import { randomBytes, randomUUID } from 'node:crypto'
import { isObject } from '../../util/strict-json.js'
import { wallSeconds } from '../../util/clock.js'
import { MAX_CLIENTS, type Clients } from './clients.js'
import { isRedirectUri } from './options.js'
import { jsonReply, OAuthError, SCOPE, type LoginRequest, type Reply } from './reply.js'
import type { Scopes } from './scopes.js'

/** The client authentication at the token endpoint, by the names of RFC 7591 section 2. The first is Keycloak's default. */
export const METHODS = ['client_secret_basic', 'client_secret_post', 'none']

const GRANT_TYPES = ['authorization_code', 'refresh_token']

const MAX_REDIRECT_URIS = 20
const MAX_LENGTH = 1000

type Metadata = Record<string, unknown>

/** Dynamic client registration (RFC 7591 section 3), without a token, by the rules of Keycloak's policies. */
export class Registration {
  readonly #trustedHosts: readonly string[]
  readonly #clients: Clients
  readonly #scopes: Scopes

  constructor (trustedHosts: readonly string[], clients: Clients, scopes: Scopes) {
    this.#trustedHosts = trustedHosts
    this.#clients = clients
    this.#scopes = scopes
  }

  /** May a page of this origin register a client? */
  trusts (origin: string): boolean {
    return URL.canParse(origin) && this.#trustedHosts.includes(new URL(origin).hostname)
  }

  answer ({ origin, json }: LoginRequest): Reply {
    if (origin !== undefined && !this.trusts(origin)) return jsonReply(403, { error: 'Invalid origin' })
    if (!isObject(json)) throw invalid('The body must be a JSON object')
    const redirectUris = this.#redirectUris(json)
    const method = methodOf(json)
    const scopes = this.#scopesOf(json)
    if (this.#clients.isFull) throw rejected('Max Clients Limit', `It's allowed to have max ${MAX_CLIENTS} clients per realm`)
    const id = randomUUID()
    const secret = method === 'none' ? undefined : randomBytes(24).toString('base64url')
    this.#clients.add({ id, secret, scopes }, redirectUris)
    return jsonReply(201, {
      client_id: id,
      client_id_issued_at: Math.floor(wallSeconds()),
      ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }),
      ...(json.client_name !== undefined && { client_name: json.client_name }),
      redirect_uris: redirectUris,
      token_endpoint_auth_method: method,
      grant_types: GRANT_TYPES,
      response_types: ['code'],
      scope: (scopes ?? this.#scopes.optional).join(' ')
    })
  }

  #redirectUris ({ redirect_uris: uris }: Metadata): string[] {
    if (!Array.isArray(uris) || uris.length === 0 || uris.length > MAX_REDIRECT_URIS || !uris.every(isShort) || !uris.every(isRedirectUri)) {
      throw new OAuthError('invalid_redirect_uri', 'redirect_uris must be whole http URLs without "*" and "#"')
    }
    if (uris.every((uri) => this.#trustedHosts.includes(new URL(uri).hostname))) return uris
    throw rejected('Trusted Hosts', "URI doesn't match any trusted host or trusted domain")
  }

  /** The scopes that the client names; `undefined` if it names none, and so has all. */
  #scopesOf ({ scope }: Metadata): string[] | undefined {
    if (scope === undefined || scope === '') return undefined
    if (!isShort(scope) || !SCOPE.test(scope)) throw invalid('scope must be words with one space between them')
    const words = scope.split(' ')
    if (words.every((word) => this.#scopes.has(word))) return words
    throw rejected('Allowed Client Scopes', 'Not permitted to use specified clientScope')
  }
}

function methodOf ({ token_endpoint_auth_method: method = METHODS[0], grant_types: grants = GRANT_TYPES, response_types: responses = ['code'], client_name: name = '' }: Metadata): string {
  if (!METHODS.includes(method as string)) throw invalid(`token_endpoint_auth_method must be one of ${METHODS.join(', ')}`)
  if (!Array.isArray(grants) || !grants.includes('authorization_code')) throw invalid('grant_types must have authorization_code')
  if (!Array.isArray(responses) || !responses.includes('code')) throw invalid('response_types must have code')
  if (!isShort(name)) throw invalid(`client_name must be a string of at most ${MAX_LENGTH} characters`)
  return method as string
}

function isShort (value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_LENGTH
}

function invalid (description: string): OAuthError {
  return new OAuthError('invalid_client_metadata', description)
}

function rejected (policy: string, details: string): OAuthError {
  return new OAuthError('insufficient_scope', `Policy '${policy}' rejected request to client-registration service. Details: ${details}`, 403)
}
