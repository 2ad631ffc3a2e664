import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import keycloak, { type KeycloakOptions } from 'fastify-keycloak-bearer'

const REPORTS = new URL('reports/', import.meta.url)

/** All that is closed unless it says otherwise: whoever adds a route here and thinks of nothing adds one that needs a token. */
export async function api (scope: FastifyInstance, { realm }: { realm: KeycloakOptions }): Promise<void> {
  await scope.register(keycloak, { ...realm, requireAuthentication: true })

  scope.get('/health', { config: { public: true } }, async () => ({ status: 'ok' }))
  scope.get('/teas', { config: { public: true } }, async ({ user }) => ({ teas: ['Assam', 'Sencha'], discount: user !== null }))
  scope.get('/orders', async () => ({ orders: [] }))
  scope.get('/customers', { config: { permission: 'see-customers' } }, async () => ({ customers: [] }))

  // @fastify/static takes no config for its routes: they get their rule here.
  await scope.register(async (reports) => {
    reports.addHook('onRoute', (route) => { route.config = { ...route.config, permission: 'read-reports' } })
    await reports.register(fastifyStatic, { root: REPORTS, prefix: '/reports/' })
  })
}
