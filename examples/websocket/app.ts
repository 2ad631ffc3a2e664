import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import keycloak, { type KeycloakOptions } from 'fastify-keycloak-bearer'
import { on } from 'node:events'
import { readFile } from 'node:fs/promises'
import { handleProtocols, isForeign, tokenOf } from './handshake.js'
import { lease } from './lease.js'
import { Room, send } from './room.js'

const PAGE = [['/', 'index.html', 'text/html; charset=utf-8'], ['/client.js', 'client.js', 'text/javascript; charset=utf-8']] as const

/** All of them have defaults. */
export interface ChatOptions {
  /** The origins of the pages that may connect. Default: none, just clients that are no browsers. */
  origins?: readonly string[]
  /** With introspection: milliseconds between two calls of Keycloak about a connection's token. Default 30 000. */
  checkEvery?: number
  /** Milliseconds that a connection is kept while Keycloak cannot be asked. Default 60 000. */
  grace?: number
}

/** A chat for those with the role `chat`. */
export async function buildApp (options: KeycloakOptions, chat: ChatOptions = {}) {
  const { origins = [], checkEvery = 30_000, grace = 60_000 } = chat
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' } })

  await app.register(websocket, {
    options: { handleProtocols, maxPayload: 16 * 1024 },
    // By default each message that is too long would be an error in the log.
    errorHandler (error, socket, request) {
      request.log.info({ err: error }, 'the connection broke')
      socket.terminate()
    }
  })
  // Before the plugin: a foreign page does not get as far as its token.
  app.addHook('onRequest', async (request, reply) => {
    if (isForeign(request, origins)) return reply.code(403).send({ statusCode: 403, code: 'foreign_origin', error: 'Forbidden', message: 'This page may not connect.' })
  })
  await app.register(keycloak, {
    backchannelLogout: { path: '/backchannel-logout', clients: ['web'] },
    ...options,
    extractToken: tokenOf
  })

  const room = new Room()

  app.get('/chat', { websocket: true, config: { permission: 'chat' } }, async (socket, request) => {
    // Listens from here on, message after message, and lets the client wait while one is worked on.
    const messages = on(socket, 'message', { close: ['close'], highWaterMark: 4, lowWaterMark: 1 })
    const token = tokenOf(request)!
    const { username } = request.user
    const check = lease(socket, {
      signal: request.authSignal,
      allowed: options.verifyTokensWithKeycloak ? allowed : undefined,
      checkEvery,
      grace,
      log: request.log
    })
    room.join(socket)

    async function allowed (): Promise<boolean> {
      // The claims of now, for hasPermission.
      request.auth = await app.keycloak.verify(token)
      return request.hasPermission('chat')
    }

    for await (const [data] of messages) {
      const standing = await check()
      if (standing === true) room.tell({ from: username, text: String(data) })
      if (standing === 'unknown') send(socket, JSON.stringify({ error: 'keycloak_unavailable' }))
    }
  })

  for (const [url, file, type] of PAGE) {
    const content = await readFile(new URL(`public/${file}`, import.meta.url))
    app.get(url, async (_request, reply) => reply.type(type).send(content))
  }

  app.get('/people', { config: { permission: 'chat' } }, async () => ({ connected: room.size }))

  return app
}
