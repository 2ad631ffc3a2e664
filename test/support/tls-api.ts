import { Agent, request as send } from 'node:https'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import keycloak from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { bearer, realmFor } from './app.js'
import { CERTIFICATE, KEY } from './certificate.js'
import { CLIENTS } from './client-certificates.js'

export interface TlsApi { realm: TestRealm, app: FastifyInstance, port: number, token: string }

/** An API that asks for client certificates. */
export async function apiOverTls (t: Test, server: object = {}, options: Partial<KeycloakOptions> = {}): Promise<TlsApi> {
  const realm = await realmFor(t)
  const https = { cert: CERTIFICATE, key: KEY, requestCert: true, rejectUnauthorized: false, ...server }
  const app = Fastify({ https, ...'allowHTTP1' in server && { http2: true } } as FastifyServerOptions) as unknown as FastifyInstance
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, mtls: true, ...options })
  app.get('/me', { config: { authenticated: true } }, async ({ user }) => ({ user }))
  app.get('/resumed', { config: { public: true } }, async ({ raw }) => ({ resumed: (raw.socket as unknown as { isSessionReused: () => boolean }).isSessionReused() }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { realm, app, port: (app.server.address() as AddressInfo).port, token: realm.token({ certificate: CLIENTS.a.cert }) }
}

export type Client = Partial<typeof CLIENTS.a>

/** Status and body of a request over TLS, with a token or without one. */
export function get (port: number, path: string, token: string | undefined, agent: Agent): Promise<{ status: number | undefined, body: any }> {
  return new Promise((resolve, reject) => {
    send({ host: '127.0.0.1', port, path, agent, headers: token === undefined ? {} : bearer(token) }, (response) => {
      let text = ''
      response.on('data', (part) => { text += part }).on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) }))
    }).on('error', reject).end()
  })
}

/** A client with that certificate, each request on a connection of its own. */
export const agentOf = (t: Test, client: Client, more: object = {}): Agent => {
  const agent = new Agent({ ...client, rejectUnauthorized: false, keepAlive: false, ...more })
  t.teardown(() => agent.destroy())
  return agent
}
