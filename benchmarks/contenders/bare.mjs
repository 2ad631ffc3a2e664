// Fastify without authentication: what the others are measured against.
import Fastify from 'fastify'

export async function start ({ username }) {
  const app = Fastify()
  app.get('/profile', async () => ({ hello: username }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server
}
