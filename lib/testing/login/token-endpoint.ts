import { decode } from '../jws.js'
import type { Codes } from './codes.js'
import type { LoginSettings } from './options.js'
import { provenKey } from './proof.js'
import { jsonReply, OAuthError, parameter, repeated, type LoginRequest, type Reply } from './reply.js'
import type { LoginRealm, SessionTokens } from './tokens.js'

type Form = URLSearchParams

/** The token endpoint (RFC 6749 section 3.2), for one public client. */
export class TokenEndpoint {
  readonly #realm: Pick<LoginRealm, 'issuer'>
  readonly #settings: LoginSettings
  readonly #codes: Codes
  readonly #tokens: SessionTokens
  readonly #grants: Readonly<Record<string, (form: Form, jkt: string | undefined) => Promise<object>>> = {
    authorization_code: async (form, jkt) => {
      const { sid, grant } = await this.#codes.redeem(need(form, 'code'), parameter(form, 'redirect_uri'), need(form, 'code_verifier'))
      return this.#tokens.issue(sid, jkt, grant.nonce)
    },
    refresh_token: async (form, jkt) => {
      const refreshToken = need(form, 'refresh_token')
      const sid = await this.#tokens.sessionOf(refreshToken)
      checkKey(refreshToken, jkt)
      return this.#tokens.issue(sid, jkt)
    }
  }

  constructor (realm: Pick<LoginRealm, 'issuer'>, settings: LoginSettings, codes: Codes, tokens: SessionTokens) {
    this.#realm = realm
    this.#settings = settings
    this.#codes = codes
    this.#tokens = tokens
  }

  async answer (request: LoginRequest): Promise<Reply> {
    const { form } = request
    const name = repeated(form)
    if (name !== undefined) throw new OAuthError('invalid_request', 'A parameter is there more than once')
    const type = need(form, 'grant_type')
    checkClient(form, this.#settings)
    if (!Object.hasOwn(this.#grants, type)) throw new OAuthError('unsupported_grant_type', 'Unsupported grant_type')
    const jkt = provenKey(request, `${this.#realm.issuer}/protocol/openid-connect/token`)
    return jsonReply(200, await this.#grants[type]!(form, jkt))
  }
}

/** The refresh token of a public client is bound to the key of its proof (RFC 9449 section 5). */
function checkKey (refreshToken: string, jkt: string | undefined): void {
  const cnf = decode(refreshToken)!.payload.cnf as { jkt: string } | undefined
  if (cnf !== undefined && cnf.jkt !== jkt) throw new OAuthError('invalid_grant', "DPoP confirmation doesn't match DPoP proof")
}

/** A public client has no secret, but must send its id (RFC 6749 section 3.2.1). */
export function checkClient (form: Form, { clientId }: LoginSettings): void {
  if (form.get('client_id') !== clientId) throw new OAuthError('invalid_client', 'Invalid client or Invalid client credentials', 401)
}

function need (form: Form, name: string): string {
  const value = parameter(form, name)
  if (value === undefined) throw new OAuthError('invalid_request', `Missing form parameter: ${name}`)
  return value
}
