import type { Codes } from './codes.js'
import type { LoginSettings } from './options.js'
import { jsonReply, OAuthError, parameter, repeated, type LoginRequest, type Reply } from './reply.js'
import type { SessionTokens } from './tokens.js'

type Form = URLSearchParams

/** The token endpoint (RFC 6749 section 3.2), for one public client. */
export class TokenEndpoint {
  readonly #settings: LoginSettings
  readonly #codes: Codes
  readonly #tokens: SessionTokens
  readonly #grants: Readonly<Record<string, (form: Form) => Promise<object>>> = {
    authorization_code: async (form) => {
      const { sid, grant } = await this.#codes.redeem(need(form, 'code'), parameter(form, 'redirect_uri'), need(form, 'code_verifier'))
      return this.#tokens.issue(sid, grant.nonce)
    },
    refresh_token: async (form) => this.#tokens.issue(await this.#tokens.sessionOf(need(form, 'refresh_token')))
  }

  constructor (settings: LoginSettings, codes: Codes, tokens: SessionTokens) {
    this.#settings = settings
    this.#codes = codes
    this.#tokens = tokens
  }

  async answer ({ form }: LoginRequest): Promise<Reply> {
    const name = repeated(form)
    if (name !== undefined) throw new OAuthError('invalid_request', 'A parameter is there more than once')
    const type = need(form, 'grant_type')
    checkClient(form, this.#settings)
    if (!Object.hasOwn(this.#grants, type)) throw new OAuthError('unsupported_grant_type', 'Unsupported grant_type')
    return jsonReply(200, await this.#grants[type]!(form))
  }
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
