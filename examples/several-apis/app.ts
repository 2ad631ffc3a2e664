import Fastify from 'fastify'
import { billing } from './billing.js'
import { orders } from './orders.js'

/** Which API is mounted where, and whose tokens it takes. */
export interface Mounts {
  /** The realm of the shop's own people. */
  shop: string
  /** The realm of its partners. */
  partners: string
}

/** Each API in a scope of its own, with the plugin of its own: siblings, which know nothing of each other. */
const APIS = {
  '/orders': { api: orders, realm: 'shop' },
  '/billing': { api: billing, realm: 'shop' },
  // The same API once more, for another realm: its users, roles and keys are others.
  '/partners/orders': { api: orders, realm: 'partners' }
} as const

export type Path = keyof typeof APIS

export const ALL = Object.keys(APIS) as Path[]

/** All APIs in one process, or some of them: where they run makes no difference to what they accept. */
export async function buildApp (issuers: Mounts, paths: readonly Path[] = ALL) {
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' } })
  for (const prefix of paths) {
    const { api, realm } = APIS[prefix]
    await app.register(api, { prefix, issuer: issuers[realm] })
  }
  // Outside of the scopes: open.
  app.get('/health', async () => ({ status: 'ok' }))
  return app
}
