import createError from '@fastify/error'
import Fastify, { type FastifyInstance, type FastifyPluginCallback } from 'fastify'
import keycloak, { KeycloakError, type KeycloakOptions } from 'fastify-keycloak-bearer'

/** Neither the answer nor the status of the warehouse is the client's business: its 401 is no 401 of this API. */
const WarehouseFailed = createError<[]>('WAREHOUSE_FAILED', 'The warehouse cannot be asked, try again later.', 502)

export interface ShopOptions extends KeycloakOptions {
  /** The URL of the warehouse. */
  warehouse: string
  /** The plugin of @fastify/otel, which must come first. */
  otel?: FastifyPluginCallback
}

/** The API of the client `shop`, which calls the warehouse: for itself, and for its users. */
export async function buildShop ({ warehouse, otel, ...options }: ShopOptions): Promise<FastifyInstance> {
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' } })
  if (otel !== undefined) await app.register(otel)
  await app.register(keycloak, { ...options, clientId: 'shop', audience: 'shop' })

  // One for all requests: the token is that of the shop itself.
  const asShop = app.keycloak.dispatcher({ to: [warehouse], as: 'service', scope: 'stock:read' })

  app.get<{ Params: { item: string } }>('/items/:item', async ({ params }) => {
    return ask(new URL(`/stock/${encodeURIComponent(params.item)}`, warehouse), asShop)
  })

  app.get('/parcels', { config: { permission: 'view-parcels' } }, async (request) => {
    // One for each request: the token is exchanged for that of the caller.
    const asCaller = app.keycloak.dispatcher({ to: [warehouse], as: 'exchange', request, audience: 'warehouse', scope: 'parcels:read' })
    return ask(new URL('/parcels', warehouse), asCaller)
  })
  return app
}

async function ask (url: URL, dispatcher: ReturnType<FastifyInstance['keycloak']['dispatcher']>): Promise<unknown> {
  const response = await fetch(url, { dispatcher, signal: AbortSignal.timeout(5000) }).catch((error: unknown) => {
    // Keycloak may refuse the exchange, or be away: that error has an answer of its own.
    const { cause } = error as Error
    throw cause instanceof KeycloakError ? cause : new WarehouseFailed()
  })
  if (response.ok) return response.json()
  await response.body?.cancel()
  throw new WarehouseFailed()
}
