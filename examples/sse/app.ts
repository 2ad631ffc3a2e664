import Fastify from 'fastify'
import keycloak, { type KeycloakOptions } from 'fastify-keycloak-bearer'
import { PassThrough } from 'node:stream'

/** Milliseconds between two comments that keep proxies from closing a silent stream. */
const HEARTBEAT = 15_000

/** Bytes that may wait for a client that reads more slowly than others write. */
const MAX_BUFFERED = 256 * 1024

/** News for users with the role `read-news`, as server-sent events. */
export async function buildApp (options: KeycloakOptions) {
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' }, forceCloseConnections: true })
  await app.register(keycloak, { backchannelLogout: { path: '/backchannel-logout', clients: ['web'] }, ...options })

  const streams = new Set<PassThrough>()
  const tell = (text: string): void => {
    for (const stream of streams) {
      if (stream.writableLength > MAX_BUFFERED) stream.destroy()
      else stream.write(text)
    }
  }
  const heartbeat = setInterval(() => tell(': still here\n\n'), HEARTBEAT).unref()
  app.addHook('onClose', async () => clearInterval(heartbeat))

  app.get('/news', { config: { permission: 'read-news' } }, async (request, reply) => {
    const { authSignal } = request
    const stream = new PassThrough()
    const end = (): void => { stream.end(`event: end\ndata: ${authSignal.reason.code}\n\n`) }
    stream.once('close', () => streams.delete(stream))
    stream.write(': welcome\n\n')
    if (authSignal.aborted) end()
    else streams.add(stream)
    authSignal.addEventListener('abort', () => {
      streams.delete(stream)
      end()
    })
    return reply.type('text/event-stream').header('cache-control', 'no-store').send(stream)
  })

  app.post('/news', { config: { permission: 'write-news' } }, async (request, reply) => {
    tell(`data: ${JSON.stringify({ from: request.user.username, text: request.body })}\n\n`)
    return reply.code(204).send()
  })

  return app
}
