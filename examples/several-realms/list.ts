import Fastify from 'fastify'
import keycloak from 'fastify-keycloak-bearer'

/** The realm of each host. Anybody can send any Host header: it only narrows the list below, and never adds to it. */
const REALM_OF_HOST = new Map([['staff.example.com', 'staff'], ['shop.example.com', 'customers']])

/** Two realms that are known at start: the people who work here, and the people who buy here. */
export async function buildShop (issuers: { staff: string, customers: string }) {
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' } })
  await app.register(keycloak, {
    issuers: [
      { name: 'staff', issuer: issuers.staff },
      { name: 'customers', issuer: issuers.customers, clientId: 'shop', audience: 'shop' }
    ],
    clientId: 'api', // of each realm that names none of its own
    audience: 'api',
    selectIssuer: ({ hostname }) => REALM_OF_HOST.get(hostname) ?? null
  })

  app.get('/me', { config: { authenticated: true } }, async ({ issuer, user }) => ({ issuer, username: user.username }))
  app.get('/orders', { config: { issuer: 'customers' } }, async ({ user }) => ({ ordersOf: user.username }))
  // A role "stock" of the customers' realm opens nothing here.
  app.get('/stock', { config: { issuer: 'staff', permission: 'stock' } }, async () => ({ shirts: 12 }))
  return app
}
