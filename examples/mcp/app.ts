import cors from '@fastify/cors'
import Fastify from 'fastify'
import keycloak, { type KeycloakOptions } from 'fastify-keycloak-bearer'
import { Notes } from './notes.js'
import { stateful } from './stateful.js'
import { stateless } from './stateless.js'
import { SCOPES } from './tools.js'
import type { SessionLimits } from './sessions.js'

/** The pages that may call by CORS: the MCP inspector. */
const PAGES = ['http://localhost:6274', 'http://127.0.0.1:6274']

export interface AppOptions {
  /** The URL of the MCP server as clients know it. Tokens must have it in `aud`. */
  url: string
  keycloak: Pick<KeycloakOptions, 'issuer' | 'serverUrl'>
  /** With sessions, or without: each request stands for itself. Default: without. */
  sessions?: boolean | Partial<SessionLimits>
}

/** An MCP server with notes of each user. */
export async function buildApp ({ url, keycloak: options, sessions = false }: AppOptions) {
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' }, forceCloseConnections: true })
  await app.register(cors, { origin: PAGES, exposedHeaders: ['Mcp-Session-Id', 'WWW-Authenticate'] })
  await app.register(keycloak, {
    ...options,
    // The metadata by which clients find Keycloak, and the audience. A client that registers itself has the claim acr only if it
    // asks for the client scope acr, and has no preferred_username.
    resource: { resource: url, name: 'Notes', scopes: [...SCOPES, 'acr'] },
    userIdClaim: 'sub',
    clientId: url,
    backchannelLogout: { path: '/backchannel-logout', clients: ['mcp-client'] }
  })

  // A page of any other origin must not call a server on the user's machine.
  app.addHook('onRequest', async ({ headers: { origin } }, reply) => {
    if (origin !== undefined && !PAGES.includes(origin)) return reply.code(403).send({ error: 'Invalid origin' })
  })

  const notes = new Notes()
  if (sessions === false) app.register(stateless, { path: new URL(url).pathname, notes })
  else app.register(stateful, { path: new URL(url).pathname, notes, limits: sessions === true ? {} : sessions })
  return app
}
