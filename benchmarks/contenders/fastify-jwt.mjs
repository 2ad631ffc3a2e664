// "Verifying with JWKS" of the README of @fastify/jwt, and its option cache as that recommends: "performance is
// dramatically improved". The claims that it checks only when told to are named.
import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'
import buildGetJwks from 'get-jwks'

export async function start ({ issuer, clientId }, mode) {
  const getJwks = buildGetJwks({ issuersWhitelist: [issuer], providerDiscovery: true })
  const app = Fastify()
  await app.register(fastifyJwt, {
    decode: { complete: true },
    secret (request, token) {
      const { header: { kid, alg }, payload: { iss } } = token
      return getJwks.getPublicKey({ kid, domain: iss, alg })
    },
    verify: { cache: mode === 'cache', algorithms: ['RS256'], allowedIss: issuer, allowedAud: clientId }
  })
  app.addHook('onRequest', async (request, reply) => {
    try {
      await request.jwtVerify()
    } catch (err) {
      return reply.send(err)
    }
    if (!request.user.resource_access?.[clientId]?.roles?.includes('read-profile')) return reply.code(403).send()
  })
  app.get('/profile', async (request) => ({ hello: request.user.preferred_username }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server
}
