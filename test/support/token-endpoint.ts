import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TestRealm } from '../../lib/testing/index.js'

/** A call of the token endpoint. */
export interface TokenCall {
  readonly form: URLSearchParams
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** A token endpoint of Keycloak whose answers a test gives. */
export interface TokenEndpointFaults {
  /** The forms of all calls. */
  readonly calls: URLSearchParams[]
  /** Seconds that tokens live; members of the answer that replace others. */
  lifespan: number
  more: Record<string, unknown>
  /** Takes the place of the answers; `undefined` ends that. */
  answer: ((call: TokenCall) => void) | undefined
  /** Answers as Keycloak does. */
  grant: (call: TokenCall) => void
  /** Refuses each call. */
  refuse: (status: number, error: string, description?: string) => void
}

export const SERVICE = 'client_credentials'
export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** Lets the token endpoint of a realm answer client credentials and exchange, and count. Each token is another one. */
export function tokenEndpointOf (realm: TestRealm): TokenEndpointFaults {
  const endpoint: TokenEndpointFaults = {
    calls: [],
    lifespan: 300,
    more: {},
    answer: undefined,
    grant ({ form, response }) {
      const isExchange = form.get('grant_type') === EXCHANGE
      const { sub } = isExchange ? claimsOf(form.get('subject_token')!) : { sub: 'service-account-api' }
      json(response, 200, {
        access_token: realm.token({ sub: String(sub), claims: { aud: form.get('audience') ?? 'account', jti: `t${endpoint.calls.length}` } }),
        expires_in: endpoint.lifespan,
        refresh_expires_in: 0,
        token_type: 'Bearer',
        scope: form.get('scope') ?? 'profile',
        ...isExchange && { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
        ...endpoint.more
      })
    },
    refuse (status, error, description) {
      endpoint.answer = ({ response }) => json(response, status, { error, error_description: description })
    }
  }
  realm.respond('token', (request, response, body) => {
    const call = { form: new URLSearchParams(body), request, response }
    endpoint.calls.push(call.form)
    if (endpoint.answer === undefined) endpoint.grant(call)
    else endpoint.answer(call)
  })
  return endpoint
}

/** The claims of a token. */
export function claimsOf (token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
}

export function json (response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body))
}
