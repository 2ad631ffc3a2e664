// What the tests of this folder share: an API behind the plugin, and what its refusals look like. Tokens, the admin
// API and the server itself come from the files beside.
import Fastify from 'fastify'
import type { FastifyInstance, FastifyServerOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import keycloak from '../../index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { issuer } from './server.js'

export * from './admin.js'
export * from './server.js'
export * from './tokens.js'

/** What the realm's API would be registered with. */
export const options = { issuer, clientId: 'api', clientSecret: 'api-secret', audience: 'api' } satisfies KeycloakOptions

/** {@link options} with introspection of each request. */
export const introspecting = { ...options, verifyTokensWithKeycloak: true } satisfies KeycloakOptions

/** An API behind the plugin; closed when the test ends. */
export async function api (t: Test, settings: KeycloakOptions = options, server: FastifyServerOptions = {}): Promise<FastifyInstance> {
  const app = Fastify(server)
  t.teardown(() => app.close())
  await app.register(keycloak, settings)
  app.get('/profile', { config: { permission: 'view-profile' } }, async (request) => ({ user: request.user }))
  app.get('/admin', { config: { permission: 'manage-profile' } }, async (request) => ({ user: request.user }))
  app.get('/me', { config: { authenticated: true } }, async (request) => ({ user: request.user, claims: request.auth }))
  app.get('/open', async (request) => ({ user: request.user }))
  return app
}

/** GET with a bearer token, or without one. */
export async function get (app: FastifyInstance, url: string, accessToken?: string): Promise<LightMyRequestResponse> {
  return app.inject({ url, headers: accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` } })
}

interface Refusal { statusCode: number, error: string, challenge?: string }

/** The answers of the contract: the status, and the error of the challenge (RFC 6750 section 3). */
const refusals = {
  not_authenticated: { statusCode: 401, error: 'Unauthorized' },
  bad_authorization_header: { statusCode: 401, error: 'Unauthorized', challenge: 'invalid_request' },
  token_not_valid: { statusCode: 401, error: 'Unauthorized', challenge: 'invalid_token' },
  token_expired: { statusCode: 401, error: 'Unauthorized', challenge: 'invalid_token' },
  dpop_proof_not_valid: { statusCode: 401, error: 'Unauthorized', challenge: 'invalid_dpop_proof' },
  dpop_nonce_required: { statusCode: 401, error: 'Unauthorized', challenge: 'use_dpop_nonce' },
  insufficient_user_authentication: { statusCode: 401, error: 'Unauthorized', challenge: 'insufficient_user_authentication' },
  user_inactive: { statusCode: 401, error: 'Unauthorized', challenge: 'invalid_token' },
  permission_denied: { statusCode: 403, error: 'Forbidden', challenge: 'insufficient_scope' },
  keycloak_unavailable: { statusCode: 503, error: 'Service Unavailable' }
} satisfies Record<string, Refusal>

/** The answer is this refusal, body and headers. */
export function refused (t: Test, response: LightMyRequestResponse, code: keyof typeof refusals): void {
  const { statusCode, error, challenge }: Refusal = refusals[code]
  const body = response.json()
  t.match(body, { statusCode, code, error, message: String }, `${statusCode} ${code}`)
  t.strictSame(Object.keys(body).sort(), ['code', 'error', 'message', 'statusCode'], 'nothing else is in the body')
  t.equal(response.statusCode, statusCode)
  const header = response.headers['www-authenticate']
  if (statusCode === 503) {
    t.equal(header, undefined, 'an outage is no challenge')
    t.match(response.headers['retry-after'], /^\d+$/, 'it says when to try again')
  } else {
    t.match(header, /^Bearer /, 'it challenges')
    t.equal(/error="([^"]*)"/.exec(String(header))?.[1], challenge, `the challenge's error is ${challenge}`)
  }
}
