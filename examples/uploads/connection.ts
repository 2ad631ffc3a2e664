import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'

/**
 * What becomes of a body that nobody wants: of a request that was answered before it had been read, as a refusal is.
 *
 * Left alone, Node keeps the connection open, reads the rest, however long, and throws it away. Here:
 * - A client that asks before it sends (`Expect: 100-continue`, as curl does for more than a megabyte) is told to go on only
 *   when its request was let in. Refused, it sends nothing, and Node closes the connection.
 * - Any other gets `linger` milliseconds to read its answer, then the connection is closed. At once would be too early: data
 *   that arrives at a closed socket makes the client's system forget the answer that it has not read yet (RFC 9112
 *   section 9.6).
 */
export function closeUnread (app: FastifyInstance, linger: number): void {
  const unread = new Set<IncomingMessage>()
  // Without a listener Node answers 100 itself, before anybody has looked at the request.
  app.server.on('checkContinue', (request, response) => app.routing(request, response))
  app.addHook('preParsing', async (request, reply) => {
    // After onRequest, where the plugin refuses.
    if (request.headers.expect !== undefined && !request.is404) reply.raw.writeContinue()
  })
  app.addHook('onResponse', async ({ raw }) => {
    // What app.inject makes has no connection, and does not say.
    if (raw.complete !== false || raw.destroyed) return
    unread.add(raw)
    const timer = setTimeout(() => { if (!raw.complete) raw.socket.destroy() }, linger)
    const over = () => {
      clearTimeout(timer)
      unread.delete(raw)
    }
    // It came to its end after all; or the connection did, of which a request that was answered does not hear.
    raw.once('close', over)
    raw.socket.once('close', over)
  })
  // An API that closes would wait for them.
  app.addHook('preClose', async () => { for (const { socket } of unread) socket.destroy() })
}
