// A route without authentication that makes the call of introspection for each request and reads the answer.
import Fastify from 'fastify'
import { Pool } from 'undici'

export async function start ({ issuer, clientId, clientSecret, username }) {
  const { origin, pathname } = new URL(issuer)
  const pool = new Pool(origin, { connections: 32 })
  const path = `${pathname}/protocol/openid-connect/token/introspect`
  const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' }
  const app = Fastify()
  app.get('/profile', async (request) => {
    const token = request.headers.authorization.slice('Bearer '.length)
    const form = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, token, token_type_hint: 'access_token' })
    const { body } = await pool.request({ method: 'POST', path, headers, body: form.toString() })
    await body.text()
    return { hello: username }
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server
}
