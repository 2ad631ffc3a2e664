import { audienceClaim, audienceOf } from '../grants.js'
import type { Claims } from '../jws.js'
import type { KeyRing } from '../keys.js'
import type { TokenSpec } from '../token-spec.js'
import type { Clients, LoginClient } from './clients.js'
import type { LoginSettings } from './options.js'
import { OAuthError } from './reply.js'
import type { ResourceIndicator } from './resource-indicator.js'
import { missingClaims, type Scopes } from './scopes.js'
import type { Session, Sessions } from './sessions.js'
import { signedAs } from './signed.js'
import { wallMilliseconds } from '../../util/clock.js'

/** The part of the realm that the login needs. */
export interface LoginRealm {
  readonly issuer: string
  readonly options: { readonly clientId: string }
  token (spec: TokenSpec): string
}

/** The parts of a login that tokens depend on. */
export interface TokenParts {
  clients: Clients
  scopes: Scopes
  resources: ResourceIndicator
  sessions: Sessions
  keys: KeyRing
}

/** The parameters of a request for tokens. */
export interface TokenRequest {
  jkt?: string | undefined
  nonce?: string | undefined
  resource?: string | undefined
}

/** Makes the tokens of a session by `TestRealm.token()`. */
export class SessionTokens {
  readonly #realm: LoginRealm
  readonly #settings: LoginSettings
  readonly #parts: TokenParts

  constructor (realm: LoginRealm, settings: LoginSettings, parts: TokenParts) {
    this.#realm = realm
    this.#settings = settings
    this.#parts = parts
  }

  /**
   * The answer of the token endpoint (RFC 6749 section 5.1). Its refresh token replaces the previous one.
   * @throws {OAuthError} `invalid_target`
   */
  issue (sid: string, { jkt, nonce, resource }: TokenRequest): object {
    const session = this.#parts.sessions.get(sid)!
    const { username, clientId, words, acr, authTime } = session
    const client = this.#parts.clients.find(clientId)!
    const scope = this.#parts.scopes.granted(client, words)
    const { roles, realmRoles, clientRoles, groups, organizations, claims } = this.#settings.users.get(username)!
    const grants = { roles, realmRoles, clientRoles, groups, organizations }
    const shared = { ...lackingClaims(client, words), ...claims, azp: clientId, sid }
    const cnf = jkt === undefined ? {} : { cnf: { jkt, 'kc-jkt-type': 'DPoP' } }
    const make = (spec: TokenSpec) => this.#realm.token({ username, ...grants, scope, acr, authTime, ...spec, claims: { ...shared, ...spec.claims } })
    const aud = this.#audience(session, client, scope, resource)
    const accessToken = make({ claims: { ...(claims?.aud === undefined && { aud }), ...(jkt !== undefined && { typ: 'DPoP', ...cnf }) } })
    session.refreshToken = make({ kind: 'refresh', claims: cnf })
    return {
      access_token: accessToken,
      expires_in: lifeOf(accessToken),
      refresh_token: session.refreshToken,
      refresh_expires_in: lifeOf(session.refreshToken),
      token_type: jkt === undefined ? 'Bearer' : 'DPoP',
      ...(scope.split(' ').includes('openid') && {
        id_token: make({ kind: 'id', claims: { aud: clientId, ...(nonce !== undefined && { nonce }) } })
      }),
      'not-before-policy': 0,
      session_state: sid,
      scope
    }
  }

  /**
   * The session of its latest refresh token.
   * @throws {OAuthError} `invalid_grant`. A refresh token that was replaced ends the session (RFC 9700 section 4.14.2).
   */
  async sessionOf (refreshToken: string, client: LoginClient): Promise<string> {
    const claims = signedAs('Refresh', refreshToken, this.#parts.keys)
    const session: Session | undefined = this.#parts.sessions.get(claims?.sid)
    if (claims === null || session === undefined) throw new OAuthError('invalid_grant', 'Invalid refresh token')
    if (session.clientId !== client.id) throw new OAuthError('invalid_grant', 'Invalid refresh token. Token client and authorized client don\'t match')
    const sid = claims.sid as string
    if (session.refreshToken !== refreshToken) {
      await this.#parts.sessions.end(sid)
      throw new OAuthError('invalid_grant', 'Stale token')
    }
    if ((claims.exp as number) * 1000 <= wallMilliseconds()) throw new OAuthError('invalid_grant', 'Token is not active')
    return sid
  }

  /** The audience by the roles of the user, by the scopes, and by the resource that the client asked for. */
  #audience ({ username, words, resource: asked }: Session, { scopes }: LoginClient, scope: string, repeated: string | undefined): Claims['aud'] {
    const { scopes: known, resources } = this.#parts
    const own = this.#realm.options.clientId
    const byRoles = scopes === undefined || words.includes('roles')
      ? audienceOf(this.#settings.users.get(username)!, { clientId: own })
      : []
    const all = [...new Set([...byRoles, ...known.audiences(scope)])]
    return resources.audience(asked, repeated, { own, all }) ?? audienceClaim(all)
  }
}

/** The claims that the client's scopes do not give, as members of undefined, which remove them. */
function lackingClaims ({ scopes }: LoginClient, words: readonly string[]): Claims {
  return scopes === undefined ? {} : Object.fromEntries(missingClaims(words).map((claim) => [claim, undefined]))
}

/** Seconds from issue to expiry. */
function lifeOf (token: string): number {
  const { exp, iat } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
  return exp - iat
}
