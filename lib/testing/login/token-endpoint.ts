import { decode } from '../jws.js'
import { authenticatedClient } from './client-authentication.js'
import type { Clients, LoginClient } from './clients.js'
import type { Codes } from './codes.js'
import { provenKey } from './proof.js'
import { jsonReply, OAuthError, parameter, repeated, type LoginRequest, type Reply } from './reply.js'
import type { LoginRealm, SessionTokens } from './tokens.js'

type Form = URLSearchParams

/** The token endpoint (RFC 6749 section 3.2). */
export class TokenEndpoint {
  readonly #realm: Pick<LoginRealm, 'issuer'>
  readonly #clients: Clients
  readonly #codes: Codes
  readonly #tokens: SessionTokens
  readonly #grants: Readonly<Record<string, (form: Form, client: LoginClient, jkt: string | undefined) => Promise<object>>> = {
    authorization_code: async (form, client, jkt) => {
      const { sid, grant } = await this.#codes.redeem(need(form, 'code'), {
        clientId: client.id,
        redirectUri: parameter(form, 'redirect_uri'),
        verifier: need(form, 'code_verifier')
      })
      return this.#tokens.issue(sid, { jkt, nonce: grant.nonce, resource: parameter(form, 'resource') })
    },
    refresh_token: async (form, client, jkt) => {
      const refreshToken = need(form, 'refresh_token')
      const sid = await this.#tokens.sessionOf(refreshToken, client)
      checkKey(refreshToken, jkt)
      return this.#tokens.issue(sid, { jkt, resource: parameter(form, 'resource') })
    }
  }

  constructor (realm: Pick<LoginRealm, 'issuer'>, clients: Clients, codes: Codes, tokens: SessionTokens) {
    this.#realm = realm
    this.#clients = clients
    this.#codes = codes
    this.#tokens = tokens
  }

  async answer (request: LoginRequest): Promise<Reply> {
    const { form } = request
    const name = repeated(form)
    if (name !== undefined) throw new OAuthError('invalid_request', 'A parameter is there more than once')
    const type = need(form, 'grant_type')
    const client = authenticatedClient(request, this.#clients)
    if (!Object.hasOwn(this.#grants, type)) throw new OAuthError('unsupported_grant_type', 'Unsupported grant_type')
    const jkt = provenKey(request, `${this.#realm.issuer}/protocol/openid-connect/token`)
    return jsonReply(200, await this.#grants[type]!(form, client, jkt))
  }
}

/** The refresh token of a public client is bound to the key of its proof (RFC 9449 section 5). */
function checkKey (refreshToken: string, jkt: string | undefined): void {
  const cnf = decode(refreshToken)!.payload.cnf as { jkt: string } | undefined
  if (cnf !== undefined && cnf.jkt !== jkt) throw new OAuthError('invalid_grant', "DPoP confirmation doesn't match DPoP proof")
}

function need (form: Form, name: string): string {
  const value = parameter(form, name)
  if (value === undefined) throw new OAuthError('invalid_request', `Missing form parameter: ${name}`)
  return value
}
