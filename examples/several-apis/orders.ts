import type { FastifyInstance } from 'fastify'
import keycloak from 'fastify-keycloak-bearer'

/** The API of the client `orders`: a token is for it (`aud`), and the roles that count are its own. */
export async function orders (scope: FastifyInstance, { issuer }: { issuer: string }): Promise<void> {
  await scope.register(keycloak, { issuer, clientId: 'orders', audience: 'orders' })

  scope.get('/', { config: { authenticated: true } }, async ({ user }) => ({ ordersOf: user.username }))
  scope.post('/', { config: { permission: 'write' } }, async ({ user }, reply) => reply.code(201).send({ orderedBy: user.username }))
}
