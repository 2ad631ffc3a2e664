import { randomInt } from 'node:crypto'
import type { Codes, Grant } from './codes.js'
import type { Clients, LoginClient } from './clients.js'
import type { LoginSettings } from './options.js'
import { loginPage } from './page.js'
import { isChallenge } from './pkce.js'
import { PageError, parameter, redirect, repeated, SCOPE, type LoginRequest, type Reply } from './reply.js'
import type { ResourceIndicator } from './resource-indicator.js'
import type { Scopes } from './scopes.js'
import type { LoginRealm } from './tokens.js'

type Query = URLSearchParams

const words = (query: Query, name: string) => parameter(query, name)?.split(' ') ?? []

/** The parts of a login that an authorization request is checked by. */
export interface AuthorizationParts {
  clients: Clients
  scopes: Scopes
  resources: ResourceIndicator
  codes: Codes
}

/** The errors of an authorization request: code, description and condition. The first whose condition is true is the answer. */
const FAULTS: ReadonlyArray<[error: string, description: string, isTrue: (query: Query, client: LoginClient, parts: AuthorizationParts) => boolean]> = [
  ['invalid_request', 'A parameter is there more than once', (query) => repeated(query) !== undefined],
  ['invalid_request', 'Missing parameter: response_type', (query) => !query.get('response_type')],
  ['unsupported_response_type', 'response_type must be code', (query) => query.get('response_type') !== 'code'],
  ['invalid_request', 'response_mode must be query or fragment', (query) => !['query', 'fragment'].includes(parameter(query, 'response_mode') ?? 'query')],
  // PKCE (RFC 7636) for every login, by S256 only: `plain` protects nothing from somebody who sees the request.
  ['invalid_request', 'Missing parameter: code_challenge', (query) => !query.get('code_challenge')],
  ['invalid_request', 'code_challenge_method must be S256', (query) => query.get('code_challenge_method') !== 'S256'],
  ['invalid_request', 'code_challenge must be 43 characters of base64url', (query) => !isChallenge(query.get('code_challenge')!)],
  ['invalid_scope', 'scope must be words with one space between them', (query) => !SCOPE.test(parameter(query, 'scope') ?? 'none')],
  ['invalid_scope', 'This test realm has no offline sessions', (query) => words(query, 'scope').includes('offline_access')],
  ['invalid_scope', 'Invalid scopes', (query, client, { scopes }) => words(query, 'scope').some((word) => !scopes.allows(client, word))],
  ['invalid_target', 'resource must be a whole URL without "#"', (query, _, { resources }) => resources.isMalformed(parameter(query, 'resource'))],
  ['invalid_request', 'max_age must be a number of seconds', (query) => !/^\d+$/.test(parameter(query, 'max_age') ?? '0')],
  // The realm sets no cookie, so every login asks the user, whatever max_age is.
  ['login_required', 'The user must log in', (query) => words(query, 'prompt').includes('none')]
]

/** The authorization endpoint (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2): shows the form, and takes its input. */
export class Authorization {
  readonly #realm: Pick<LoginRealm, 'issuer' | 'options'>
  readonly #settings: LoginSettings
  readonly #parts: AuthorizationParts
  /** The second factor of all users, which the page shows. */
  readonly #secondFactor = String(randomInt(100_000, 1_000_000))

  constructor (realm: Pick<LoginRealm, 'issuer' | 'options'>, settings: LoginSettings, parts: AuthorizationParts) {
    this.#realm = realm
    this.#settings = settings
    this.#parts = parts
  }

  answer ({ method, query, form }: LoginRequest): Reply {
    const client = this.#client(query)
    const [error, description] = FAULTS.find(([,, isTrue]) => isTrue(query, client, this.#parts)) ?? []
    if (error !== undefined) return this.#back(query, { error, error_description: description! })
    if (method === 'GET') return this.#form(query, { username: query.get('login_hint') ?? '' })
    const username = form.get('username') ?? ''
    if (this.#settings.users.get(username)?.password !== form.get('password')) {
      return this.#form(query, { username, error: 'Invalid username or password.' })
    }
    const acr = this.#levelOf(query)
    if (this.#needsCode(acr) && form.get('otp') !== this.#secondFactor) {
      return this.#form(query, { username, error: 'Invalid one-time code.' })
    }
    return this.#back(query, { code: this.#parts.codes.issue({ ...bindings(query), clientId: client.id, acr, username }) })
  }

  /** The lowest level that the client asks for, as in Keycloak; unknown levels are ignored. */
  #levelOf (query: Query): string | undefined {
    const wanted = words(query, 'acr_values')
    return this.#settings.levels.find((level) => wanted.includes(level))
  }

  #needsCode (level: string | undefined): boolean {
    return level !== undefined && level !== this.#settings.levels[0]
  }

  /** An unknown client or redirect URI gets a page, never a redirect (RFC 6749 section 4.1.2.1). */
  #client (query: Query): LoginClient {
    const name = repeated(query)
    if (name === 'client_id' || name === 'redirect_uri') throw new PageError(`${name} is there more than once.`)
    const client = this.#parts.clients.find(query.get('client_id'))
    if (client === undefined) throw new PageError('Client not found.')
    if (client.accepts(query.get('redirect_uri') ?? '')) return client
    throw new PageError('Invalid parameter: redirect_uri is none of those that the client has registered.')
  }

  #form (query: Query, shown: { username: string, error?: string }): Reply {
    const { issuer } = this.#realm
    return loginPage({
      ...shown,
      realm: decodeURIComponent(issuer.slice(issuer.lastIndexOf('/') + 1)),
      action: `${new URL(issuer).pathname}/protocol/openid-connect/auth?${query}`,
      code: this.#needsCode(this.#levelOf(query)) ? this.#secondFactor : undefined,
      users: this.#settings.users,
      roleClient: this.#realm.options.clientId,
      origin: new URL(query.get('redirect_uri')!).origin
    })
  }

  /** Redirects to the client, with the `state` and `iss` (RFC 9207) by which it recognizes the answer. */
  #back (query: Query, answer: Record<string, string>): Reply {
    const location = new URL(query.get('redirect_uri')!)
    const state = query.get('state')
    const entries = Object.entries({ ...answer, ...(state !== null && { state }), iss: this.#realm.issuer })
    if (query.get('response_mode') === 'fragment') location.hash = String(new URLSearchParams(entries))
    else for (const [name, value] of entries) location.searchParams.append(name, value)
    return redirect(location.href)
  }
}

function bindings (query: Query): Pick<Grant, 'redirectUri' | 'challenge' | 'words' | 'resource' | 'nonce'> {
  return {
    redirectUri: query.get('redirect_uri')!,
    challenge: query.get('code_challenge')!,
    words: words(query, 'scope'),
    resource: parameter(query, 'resource'),
    nonce: parameter(query, 'nonce')
  }
}
