import Fastify, { type FastifyInstance, type FastifyPluginCallback } from 'fastify'
import keycloak, { type KeycloakOptions } from 'fastify-keycloak-bearer'

/** Stock is for services, parcels are for their owner: the second API sees who calls by the token alone. */
const STOCK = new Map([['lamp', 3], ['chair', 0]])

/**
 * The API of the client `warehouse`, which other APIs call.
 * @param otel the plugin of @fastify/otel, which must come first
 */
export async function buildWarehouse (options: KeycloakOptions, otel?: FastifyPluginCallback): Promise<FastifyInstance> {
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' } })
  if (otel !== undefined) await app.register(otel)
  await app.register(keycloak, { ...options, clientId: 'warehouse', audience: 'warehouse', requireAuthentication: true })

  app.get('/stock/:item', { config: { scope: 'stock:read' } }, async ({ params, auth }) => {
    const { item } = params as { item: string }
    return { item, left: STOCK.get(item) ?? 0, askedBy: auth.azp }
  })
  app.get('/parcels', { config: { scope: 'parcels:read' } }, async ({ user, auth }) => ({
    parcelsOf: user.username,
    askedBy: auth.azp,
    tokenFor: auth.aud
  }))
  return app
}
