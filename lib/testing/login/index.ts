import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Claims } from '../jws.js'
import type { KeyRing } from '../keys.js'
import { Authorization } from './authorization.js'
import { tell } from './backchannel.js'
import { Clients } from './clients.js'
import { Codes } from './codes.js'
import { corsHeaders, PREFLIGHT } from './cors.js'
import { Logout } from './logout.js'
import { settingsOf, type LoginOptions, type LoginSettings } from './options.js'
import { messagePage } from './page.js'
import { METHODS, Registration } from './registration.js'
import { empty, jsonReply, OAuthError, PageError, type LoginRequest, type Reply } from './reply.js'
import { ResourceIndicator } from './resource-indicator.js'
import { Scopes } from './scopes.js'
import { Sessions } from './sessions.js'
import { TokenEndpoint } from './token-endpoint.js'
import { SessionTokens, type LoginRealm } from './tokens.js'
import { userinfo } from './userinfo.js'

export type { LoginOptions, LoginUser } from './options.js'

/** The part of a login that the metadata of the realm tells (RFC 8414 section 2). */
export interface LoginMetadata {
  /** The levels of logins, from low to high. */
  levels: readonly string[]
  scopes: readonly string[]
  /** The methods by which clients authenticate at the token endpoint. */
  clientAuthentication: readonly string[]
  /** The path of the registration endpoint, below the realm's. */
  registrationPath: string | undefined
}

const OIDC = '/protocol/openid-connect/'
const REGISTRATION = '/clients-registrations/openid-connect'

interface EndpointOfLogin {
  methods: readonly string[]
  /** Decides whether scripts of a page may call the endpoint; `undefined` for the pages that people see. */
  mayCall?: (origin: string) => boolean
  answer: (request: LoginRequest) => Reply | Promise<Reply>
}

/** Keeps the answers of a login out of caches, frames and Referer headers. */
const HEADERS = {
  'cache-control': 'no-store',
  pragma: 'no-cache',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff'
}

/** The login of users: the authorization code flow with PKCE, for the client of the options, and clients that register. */
export class Login {
  readonly #realm: LoginRealm
  readonly #settings: LoginSettings
  readonly #sessions: Sessions
  readonly #scopes: Scopes
  readonly #endpoints: Readonly<Record<string, EndpointOfLogin>>

  constructor (options: LoginOptions, realm: LoginRealm, keys: KeyRing, activeClaims: (token: string) => Claims | null) {
    const settings = settingsOf(options)
    const [clients, scopes, resources] = [new Clients(settings), new Scopes(settings), new ResourceIndicator(settings)]
    const sessions = sessionsOf(realm, settings)
    const codes = new Codes(sessions, settings.codeLifespan)
    const tokens = new SessionTokens(realm, settings, { clients, scopes, resources, sessions, keys })
    const authorization = new Authorization(realm, settings, { clients, scopes, resources, codes })
    const token = new TokenEndpoint(realm, clients, codes, tokens)
    const logout = new Logout(clients, sessions, tokens, keys)
    const mayCall = (origin: string) => clients.hasOrigin(origin)
    this.#realm = realm
    this.#settings = settings
    this.#sessions = sessions
    this.#scopes = scopes
    this.#endpoints = {
      [`${OIDC}auth`]: { methods: ['GET', 'POST'], answer: (request) => authorization.answer(request) },
      [`${OIDC}token`]: { methods: ['POST'], mayCall, answer: (request) => token.answer(request) },
      [`${OIDC}userinfo`]: { methods: ['GET', 'POST'], mayCall, answer: (request) => userinfo(request, activeClaims) },
      [`${OIDC}logout`]: { methods: ['GET', 'POST'], mayCall, answer: (request) => logout.answer(request) },
      ...registrationEndpoint(settings, clients, scopes)
    }
  }

  get metadata (): LoginMetadata {
    const registers = this.#settings.trustedHosts !== undefined
    return {
      levels: this.#settings.levels,
      scopes: this.#scopes.names,
      clientAuthentication: registers ? METHODS : ['none'],
      registrationPath: registers ? REGISTRATION : undefined
    }
  }

  /** Did this session begin by a login, and has it ended? */
  isOver (sid: unknown): boolean {
    return this.#sessions.isOver(sid)
  }

  /** Answers a request to an endpoint of the login; `false` for other requests. */
  answer (request: IncomingMessage, response: ServerResponse, body: string): boolean {
    const [path, query] = request.url!.split('?')
    const base = new URL(this.#realm.issuer).pathname
    const name = path!.slice(base.length)
    if (!path!.startsWith(base) || !Object.hasOwn(this.#endpoints, name)) return false
    reply(this.#endpoints[name]!, loginRequestOf(request, new URLSearchParams(query), body)).then(
      ({ status, headers, body }) => { response.writeHead(status, { ...HEADERS, ...headers }).end(body) },
      (error: Error) => { response.writeHead(500).end(JSON.stringify({ error: 'unknown_error', error_description: error.message })) }
    )
    return true
  }
}

function sessionsOf (realm: LoginRealm, { clientId, backchannelLogoutUrl }: LoginSettings): Sessions {
  return new Sessions(async (sid, session) => {
    // The URL is a setting of the client of the options; a client that registered has none.
    const url = session.clientId === clientId ? backchannelLogoutUrl() : undefined
    if (url !== undefined) await tell(url, realm.token({ kind: 'logout', username: session.username, claims: { aud: clientId, sid } }))
  })
}

function registrationEndpoint ({ trustedHosts }: LoginSettings, clients: Clients, scopes: Scopes): Record<string, EndpointOfLogin> {
  if (trustedHosts === undefined) return {}
  const registration = new Registration(trustedHosts, clients, scopes)
  const mayCall = (origin: string) => registration.trusts(origin)
  return { [REGISTRATION]: { methods: ['POST'], mayCall, answer: (request) => registration.answer(request) } }
}

async function reply (endpoint: EndpointOfLogin, request: LoginRequest): Promise<Reply> {
  const { mayCall } = endpoint
  if (mayCall === undefined) return answered(endpoint, request)
  const { status, headers, body } = request.method === 'OPTIONS' ? { ...empty(204), headers: PREFLIGHT } : await answered(endpoint, request)
  return { status, headers: { ...corsHeaders(request.origin, mayCall), ...headers }, body }
}

async function answered ({ methods, answer }: EndpointOfLogin, request: LoginRequest): Promise<Reply> {
  if (!methods.includes(request.method)) return jsonReply(405, { error: 'HTTP 405 Method Not Allowed' })
  try {
    return await answer(request)
  } catch (error) {
    if (error instanceof PageError) return messagePage(400, 'We are sorry…', error.message)
    if (error instanceof OAuthError) return jsonReply(error.status, { error: error.code, error_description: error.message })
    throw error
  }
}

function loginRequestOf ({ method = '', headers }: IncomingMessage, query: URLSearchParams, body: string): LoginRequest {
  const { 'content-type': type = '', origin, authorization = '', dpop } = headers
  return {
    method,
    query,
    form: new URLSearchParams(/^application\/x-www-form-urlencoded\b/i.test(type) ? body : ''),
    json: /^application\/json\b/i.test(type) ? parsed(body) : undefined,
    authorization,
    origin,
    proof: dpop as string | undefined
  }
}

function parsed (body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
