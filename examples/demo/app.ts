import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import Fastify, { type FastifyInstance } from 'fastify'
import keycloak, { type KeycloakOptions } from '../../index.js'

/** The API of the demo: open, authenticated and permission routes, and its own documentation at /docs. */
export async function buildApp (options: KeycloakOptions): Promise<FastifyInstance> {
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' } })
  await app.register(swagger, {
    openapi: { info: { title: 'fastify-keycloak-bearer demo', version: '1.0.0' } },
    transform: keycloak.openapi()
  })
  await app.register(keycloak, options)
  await app.register(swaggerUi, { routePrefix: '/docs' })

  app.get('/hello', { schema: { summary: 'Open to everybody' } },
    async ({ user }) => ({ hello: user?.username ?? 'stranger' }))

  app.get('/me', { schema: { summary: 'Any valid token' }, config: { authenticated: true } },
    async ({ user, auth }) => ({ user, expires: new Date(auth.exp * 1000).toISOString() }))

  app.get('/profile', { schema: { summary: 'The role view-profile' }, config: { permission: 'view-profile' } },
    async ({ user }) => ({ profile: user.username }))

  app.get('/documents/:owner', { schema: { summary: 'Your own, or with the role view-profile everybody\'s' }, config: { authenticated: true } },
    async (request, reply) => {
      const { owner } = request.params as { owner: string }
      if (owner !== request.user.username && !request.hasPermission('view-profile')) {
        return reply.code(403).send({ statusCode: 403, code: 'not_yours', error: 'Forbidden', message: 'This is not yours.' })
      }
      return { documents: [`a letter to ${owner}`] }
    })

  return app
}
