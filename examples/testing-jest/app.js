const Fastify = require('fastify')
const keycloak = require('fastify-keycloak-bearer')

/** The API; what differs between production and tests is given to it. */
async function buildApp (keycloakOptions) {
  const app = Fastify()
  await app.register(keycloak, {
    ...keycloakOptions,
    syncUser: async ({ username, email }) => ({ name: username, email, isActive: username !== 'mallory' })
  })

  app.get('/health', async () => ({ ok: true }))

  app.get('/me', { config: { authenticated: true } }, async (request) => request.user)

  app.get('/invoices', { config: { permission: 'invoice:read' } }, async () => [])

  return app
}

module.exports = { buildApp }
