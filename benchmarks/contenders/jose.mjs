// https://github.com/panva/jose/blob/main/docs/jwt/verify/functions/jwtVerify.md, with a remote key set.
import Fastify from 'fastify'
import { createRemoteJWKSet, jwtVerify } from 'jose'

export async function start ({ issuer, clientId }) {
  const keys = createRemoteJWKSet(new URL(`${issuer}/protocol/openid-connect/certs`))
  const app = Fastify()
  app.decorateRequest('claims', null)
  app.addHook('onRequest', async (request, reply) => {
    try {
      const token = request.headers.authorization?.slice('Bearer '.length) ?? ''
      request.claims = (await jwtVerify(token, keys, { issuer, audience: clientId, algorithms: ['RS256'] })).payload
    } catch {
      return reply.code(401).send()
    }
    if (!request.claims.resource_access?.[clientId]?.roles?.includes('read-profile')) return reply.code(403).send()
  })
  app.get('/profile', async (request) => ({ hello: request.claims.preferred_username }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server
}
