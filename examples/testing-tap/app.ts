import Fastify, { type FastifyInstance } from 'fastify'
import keycloak, { type KeycloakOptions } from 'fastify-keycloak-bearer'

/** The API; what differs between production and tests is given to it. */
export async function buildApp (keycloakOptions: KeycloakOptions): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(keycloak, keycloakOptions)

  app.get('/health', async () => ({ ok: true }))

  app.get('/notes', { config: { authenticated: true } }, async (request) => [`a note of ${request.user.username}`])

  app.post('/notes', { config: { permission: 'note:write', scope: 'notes' } },
    async (request, reply) => reply.code(201).send({ by: request.user.username }))

  return app
}
