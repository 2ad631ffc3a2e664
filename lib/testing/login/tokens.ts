import type { KeyRing } from '../keys.js'
import type { TokenSpec } from '../token-spec.js'
import type { LoginSettings } from './options.js'
import { OAuthError } from './reply.js'
import type { Session, Sessions } from './sessions.js'
import { signedAs } from './signed.js'
import { wallMilliseconds } from '../../util/clock.js'

/** The part of the realm that the login needs. */
export interface LoginRealm {
  readonly issuer: string
  readonly options: { readonly clientId: string }
  token (spec: TokenSpec): string
}

/** Makes the tokens of a session by `TestRealm.token()`. */
export class SessionTokens {
  readonly #realm: LoginRealm
  readonly #settings: LoginSettings
  readonly #sessions: Sessions
  readonly #keys: KeyRing

  constructor (realm: LoginRealm, settings: LoginSettings, sessions: Sessions, keys: KeyRing) {
    this.#realm = realm
    this.#settings = settings
    this.#sessions = sessions
    this.#keys = keys
  }

  /** The answer of the token endpoint (RFC 6749 section 5.1). Its refresh token replaces the previous one. */
  issue (sid: string, jkt?: string, nonce?: string): object {
    const session = this.#sessions.get(sid)!
    const { username, scope, acr, authTime } = session
    const { clientId, users } = this.#settings
    const { roles, realmRoles, clientRoles, groups, organizations, claims } = users.get(username)!
    const grants = { roles, realmRoles, clientRoles, groups, organizations }
    const shared = { ...claims, azp: clientId, sid }
    const cnf = jkt === undefined ? {} : { cnf: { jkt, 'kc-jkt-type': 'DPoP' } }
    const make = (spec: TokenSpec) => this.#realm.token({ username, ...grants, scope, acr, authTime, ...spec, claims: { ...shared, ...spec.claims } })
    const accessToken = make({ claims: jkt === undefined ? {} : { typ: 'DPoP', ...cnf } })
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
  async sessionOf (refreshToken: string): Promise<string> {
    const claims = signedAs('Refresh', refreshToken, this.#keys)
    const session: Session | undefined = this.#sessions.get(claims?.sid)
    if (claims === null || session === undefined) throw new OAuthError('invalid_grant', 'Invalid refresh token')
    const sid = claims.sid as string
    if (session.refreshToken !== refreshToken) {
      await this.#sessions.end(sid)
      throw new OAuthError('invalid_grant', 'Stale token')
    }
    if ((claims.exp as number) * 1000 <= wallMilliseconds()) throw new OAuthError('invalid_grant', 'Token is not active')
    return sid
  }
}

/** Seconds from issue to expiry. */
function lifeOf (token: string): number {
  const { exp, iat } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
  return exp - iat
}
