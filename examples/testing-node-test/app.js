import Fastify from 'fastify'
import keycloak from 'fastify-keycloak-bearer'

/** The API; what differs between production and tests is given to it. */
export async function buildApp (keycloakOptions) {
  const app = Fastify()
  await app.register(keycloak, keycloakOptions)

  const orders = new Map([['1', { item: 'book', owner: 'bob' }], ['2', { item: 'lamp', owner: 'carol' }]])

  app.get('/health', async () => ({ ok: true }))

  app.get('/orders', { config: { permission: 'order:read' } }, async () => [...orders.values()])

  // Who ordered may cancel, and who may cancel anything.
  app.delete('/orders/:id', { config: { authenticated: true } }, async (request, reply) => {
    const order = orders.get(request.params.id)
    if (order === undefined) return reply.code(404).send()
    if (order.owner !== request.user.username && !request.hasPermission('order:cancel')) return reply.code(403).send()
    orders.delete(request.params.id)
    return reply.code(204).send()
  })

  return app
}
