import type { KeyRing } from '../keys.js'
import { authenticatedClient } from './client-authentication.js'
import type { Clients, LoginClient } from './clients.js'
import { messagePage } from './page.js'
import { empty, PageError, parameter, redirect, type LoginRequest, type Reply } from './reply.js'
import type { Sessions } from './sessions.js'
import { signedAs } from './signed.js'
import type { SessionTokens } from './tokens.js'

/**
 * The end of a session by OpenID Connect RP-Initiated Logout 1.0, or by Keycloak's own call with a refresh token, which has no
 * redirect.
 */
export class Logout {
  readonly #clients: Clients
  readonly #sessions: Sessions
  readonly #tokens: SessionTokens
  readonly #keys: KeyRing

  constructor (clients: Clients, sessions: Sessions, tokens: SessionTokens, keys: KeyRing) {
    this.#clients = clients
    this.#sessions = sessions
    this.#tokens = tokens
    this.#keys = keys
  }

  async answer (request: LoginRequest): Promise<Reply> {
    const { method, query, form } = request
    const refreshToken = parameter(form, 'refresh_token')
    if (method === 'POST' && refreshToken !== undefined) {
      const client = authenticatedClient(request, this.#clients)
      await this.#sessions.end(await this.#tokens.sessionOf(refreshToken, client))
      return empty(204)
    }
    return this.#byRedirect(method === 'POST' ? form : query)
  }

  async #byRedirect (parameters: URLSearchParams): Promise<Reply> {
    const { sid, client } = this.#sessionOf(parameter(parameters, 'id_token_hint'))
    const target = parameter(parameters, 'post_logout_redirect_uri')
    if (target !== undefined && !client.postLogoutRedirectUris().includes(target)) {
      throw new PageError('Invalid parameter: post_logout_redirect_uri is none of those that the client has registered.')
    }
    await this.#sessions.end(sid)
    if (target === undefined) return messagePage(200, 'You are logged out', 'The session is over.')
    const location = new URL(target)
    const state = parameter(parameters, 'state')
    if (state !== undefined) location.searchParams.append('state', state)
    return redirect(location.href)
  }

  /** An expired ID token is accepted, because it still names the session (section 4 of RP-Initiated Logout). */
  #sessionOf (hint: string | undefined): { sid: string, client: LoginClient } {
    const claims = hint === undefined ? null : signedAs('ID', hint, this.#keys)
    const client = this.#clients.find(claims?.aud as string | undefined)
    if (typeof claims?.sid === 'string' && client !== undefined) return { sid: claims.sid, client }
    throw new PageError('Missing or invalid parameter: id_token_hint must be the ID token of the login.')
  }
}
