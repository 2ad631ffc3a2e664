import type { FastifyInstance } from 'fastify'
import keycloak from 'fastify-keycloak-bearer'

/** The API of the client `billing`. Its role `write` has the name of another API's, and nothing else in common with it. */
export async function billing (scope: FastifyInstance, { issuer }: { issuer: string }): Promise<void> {
  await scope.register(keycloak, { issuer, clientId: 'billing', audience: 'billing' })

  scope.get('/', { config: { authenticated: true } }, async ({ user }) => ({ invoicesOf: user.username }))
  scope.post('/', { config: { permission: 'write' } }, async ({ user }, reply) => reply.code(201).send({ billedBy: user.username }))
}
