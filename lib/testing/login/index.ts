import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Claims } from '../jws.js'
import type { KeyRing } from '../keys.js'
import { Authorization } from './authorization.js'
import { tell } from './backchannel.js'
import { Codes } from './codes.js'
import { corsHeaders, PREFLIGHT } from './cors.js'
import { Logout } from './logout.js'
import { settingsOf, type LoginOptions, type LoginSettings } from './options.js'
import { messagePage } from './page.js'
import { empty, jsonReply, OAuthError, PageError, type LoginRequest, type Reply } from './reply.js'
import { Sessions } from './sessions.js'
import { TokenEndpoint } from './token-endpoint.js'
import { SessionTokens, type LoginRealm } from './tokens.js'
import { userinfo } from './userinfo.js'

export type { LoginOptions, LoginUser } from './options.js'

interface EndpointOfLogin {
  methods: readonly string[]
  /** True for endpoints that scripts of the client's pages call, false for the pages that people see. */
  cors: boolean
  answer: (request: LoginRequest) => Reply | Promise<Reply>
}

/** Keeps the answers of a login out of caches, frames and Referer headers. */
const HEADERS = {
  'cache-control': 'no-store',
  pragma: 'no-cache',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff'
}

/** The login of users: the authorization code flow with PKCE, for one public client of the test realm. */
export class Login {
  readonly #realm: LoginRealm
  readonly #settings: LoginSettings
  readonly #sessions: Sessions
  readonly #endpoints: Readonly<Record<string, EndpointOfLogin>>

  constructor (options: LoginOptions, realm: LoginRealm, keys: KeyRing, activeClaims: (token: string) => Claims | null) {
    const settings = settingsOf(options)
    const sessions = new Sessions(async (sid, { username }) => {
      const url = settings.backchannelLogoutUrl()
      if (url !== undefined) await tell(url, realm.token({ kind: 'logout', username, claims: { aud: settings.clientId, sid } }))
    })
    const codes = new Codes(sessions, settings.codeLifespan)
    const tokens = new SessionTokens(realm, settings, sessions, keys)
    const authorization = new Authorization(realm, settings, codes)
    const token = new TokenEndpoint(realm, settings, codes, tokens)
    const logout = new Logout(settings, sessions, tokens, keys)
    this.#realm = realm
    this.#settings = settings
    this.#sessions = sessions
    this.#endpoints = {
      auth: { methods: ['GET', 'POST'], cors: false, answer: (request) => authorization.answer(request) },
      token: { methods: ['POST'], cors: true, answer: (request) => token.answer(request) },
      userinfo: { methods: ['GET', 'POST'], cors: true, answer: (request) => userinfo(request, activeClaims) },
      logout: { methods: ['GET', 'POST'], cors: true, answer: (request) => logout.answer(request) }
    }
  }

  /** The levels of logins, from low to high. */
  get levels (): readonly string[] {
    return this.#settings.levels
  }

  /** Did this session begin by a login, and has it ended? */
  isOver (sid: unknown): boolean {
    return this.#sessions.isOver(sid)
  }

  /** Answers a request to an endpoint of the login; `false` for other requests. */
  answer (request: IncomingMessage, response: ServerResponse, body: string): boolean {
    const [path, query] = request.url!.split('?')
    const base = `${new URL(this.#realm.issuer).pathname}/protocol/openid-connect/`
    const name = path!.slice(base.length)
    if (!path!.startsWith(base) || !Object.hasOwn(this.#endpoints, name)) return false
    this.#reply(this.#endpoints[name]!, request.headers.origin, loginRequestOf(request, new URLSearchParams(query), body)).then(
      ({ status, headers, body }) => { response.writeHead(status, { ...HEADERS, ...headers }).end(body) },
      (error: Error) => { response.writeHead(500).end(JSON.stringify({ error: 'unknown_error', error_description: error.message })) }
    )
    return true
  }

  async #reply (endpoint: EndpointOfLogin, origin: string | undefined, request: LoginRequest): Promise<Reply> {
    const cors = endpoint.cors ? corsHeaders(origin, this.#settings.redirectUris()) : {}
    const reply = endpoint.cors && request.method === 'OPTIONS' ? { ...empty(204), headers: PREFLIGHT } : await answered(endpoint, request)
    return { ...reply, headers: { ...cors, ...reply.headers } }
  }
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
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '')
  return { method, query, form: new URLSearchParams(isForm ? body : ''), authorization: headers.authorization ?? '', proof: headers.dpop as string | undefined }
}
