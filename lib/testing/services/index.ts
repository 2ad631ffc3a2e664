import type { IncomingMessage, ServerResponse } from 'node:http'
import { OAuthError } from '../login/reply.js'
import { checkRules } from './check-rules.js'
import { methodOf } from './clients.js'
import { foundResources, type ProtectedResources } from './protection.js'
import type { PendingServiceCall, ServiceCall, ServiceInternals, ServiceRealm, ServiceRules } from './rules.js'
import { ServiceTokenEndpoint } from './token-endpoint.js'

export type { ServiceRules } from './rules.js'

type Answer = [status: number, body: object]

const GRANTS: Readonly<Record<string, ServiceCall['grant']>> = {
  client_credentials: 'client_credentials',
  'urn:ietf:params:oauth:grant-type:token-exchange': 'token-exchange',
  'urn:ietf:params:oauth:grant-type:uma-ticket': 'uma-ticket'
}

const MAX_CALLS = 1000

/** The realm's answers to an API that calls other services. See `TestRealm.services`. */
export class TestServices {
  readonly #rules: ServiceRules
  readonly #endpoint: ServiceTokenEndpoint
  readonly #clientId: string
  readonly #api: ProtectedResources
  readonly #calls: ServiceCall[] = []

  /** @internal */
  constructor (rules: ServiceRules, realm: ServiceRealm, internals: ServiceInternals) {
    checkRules(rules)
    this.#rules = rules
    this.#endpoint = new ServiceTokenEndpoint(rules, realm, internals)
    this.#clientId = realm.options.clientId
    this.#api = { clientId: this.#clientId, resources: rules.resources, isActive: internals.isActive }
  }

  /** The last 1000 calls that these rules have answered, the oldest first; no faults, secrets or tokens. A snapshot. */
  get calls (): readonly ServiceCall[] {
    return [...this.#calls]
  }

  /**
   * Gives a client a new secret. Its old one is refused at once, for introspection, too.
   * @param clientId by default the realm's own client
   * @throws {TypeError} when there is no such client, or it has no secret
   */
  rotateSecret (secret: string, clientId: string = this.#clientId): void {
    this.#endpoint.clients.rotateSecret(clientId, secret)
  }

  /**
   * The id of the client that asks the introspection endpoint, or the answer that refuses it, in the words of that endpoint.
   * @internal
   */
  authenticate (form: URLSearchParams, authorization: string | undefined): string | Answer {
    try {
      return this.#endpoint.clients.authenticate(form, authorization).id
    } catch (error) {
      const { status, code, message } = error as OAuthError
      return [status, { error: 'invalid_client', error_description: code === 'unauthorized_client' ? 'Client authentication failed.' : message }]
    }
  }

  /**
   * The answer of the Protection API, which finds the resources of the realm's own client.
   * @internal
   */
  protection (request: IncomingMessage): Answer {
    return foundResources(request, this.#api)
  }

  /**
   * Answers a request to the token endpoint.
   * @param next answers grants of a login
   * @internal
   */
  answer (request: IncomingMessage, response: ServerResponse, body: string, next: (() => void) | undefined): void {
    const form = new URLSearchParams(/^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '') ? body : '')
    const type = form.get('grant_type') ?? ''
    const grant = request.method === 'POST' && Object.hasOwn(GRANTS, type) ? GRANTS[type] : undefined
    if (grant === undefined && next !== undefined) return next()
    const [status, json] = grant === undefined ? unknownGrant(request, type) : this.#granted(grant, request, form)
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' }).end(JSON.stringify(json))
  }

  #granted (grant: ServiceCall['grant'], { method = '', headers }: IncomingMessage, form: URLSearchParams): Answer {
    const { authorization = '', dpop } = headers
    let call = pendingCall(grant, form, authorization)
    let answer: Answer
    try {
      const request = this.#endpoint.identified(call, { method, form, authorization, proof: dpop as string | undefined })
      call = request.call
      const refusal = this.#rules.refuse?.(call)
      answer = refusal === undefined
        ? [200, this.#endpoint.granted(request)]
        : [refusal.status ?? 400, { error: refusal.error, error_description: refusal.description }]
    } catch (error) {
      answer = answerOf(error as Error)
    }
    this.#log({ ...call, status: answer[0], error: (answer[1] as { error?: string }).error })
    return answer
  }

  #log (call: ServiceCall): void {
    this.#calls.push(Object.freeze(call))
    if (this.#calls.length > MAX_CALLS) this.#calls.shift()
  }
}

function answerOf (error: Error): Answer {
  if (error instanceof OAuthError) return [error.status, { error: error.code, error_description: error.message }]
  // Keycloak's answer to its own errors; the message is for the author of the test.
  return [500, { error: 'unknown_error', error_description: `A function in the rules of TestRealm.services() threw: ${error.message}` }]
}

function unknownGrant ({ method }: IncomingMessage, type: string): Answer {
  if (method !== 'POST') return [405, { error: 'HTTP 405 Method Not Allowed' }]
  if (type === '') return [400, { error: 'invalid_request', error_description: 'Missing form parameter: grant_type' }]
  return [400, { error: 'unsupported_grant_type', error_description: 'Unsupported grant_type' }]
}

/** The call that a request is, before anybody knows who sends it. */
function pendingCall (grant: ServiceCall['grant'], form: URLSearchParams, authorization: string): PendingServiceCall {
  return {
    grant,
    client: undefined,
    authentication: methodOf(form, authorization),
    subject: undefined,
    audience: form.getAll('audience'),
    scope: form.get('scope') ?? undefined,
    permissions: form.getAll('permission')
  }
}
