// As in its README, plain and with the option cache that it shows.
import Fastify from 'fastify'
import fastifyJwtJwks from 'fastify-jwt-jwks'

export async function start ({ issuer, clientId }, mode) {
  const app = Fastify()
  await app.register(fastifyJwtJwks, {
    jwksUrl: `${issuer}/protocol/openid-connect/certs`,
    issuer,
    audience: clientId,
    ...(mode === 'cache' && { cache: true })
  })
  app.get('/profile', {
    preValidation: [app.authenticate, (request, reply, done) => {
      if (request.user.resource_access?.[clientId]?.roles?.includes('read-profile')) done()
      else reply.code(403).send()
    }]
  }, async (request) => ({ hello: request.user.preferred_username }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server
}
