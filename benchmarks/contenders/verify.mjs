// A route that does nothing but crypto.verify for each request: what no verification can go below.
import { createPublicKey, verify } from 'node:crypto'
import Fastify from 'fastify'

export async function start ({ publicJwk, username }) {
  const key = createPublicKey({ key: publicJwk, format: 'jwk' })
  const app = Fastify()
  app.get('/profile', {
    onRequest (request, reply, done) {
      const token = request.headers.authorization.slice('Bearer '.length)
      const end = token.lastIndexOf('.')
      const good = verify('sha256', Buffer.from(token.slice(0, end)), key, Buffer.from(token.slice(end + 1), 'base64url'))
      if (good) done()
      else reply.code(401).send()
    }
  }, async () => ({ hello: username }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server
}
