import Fastify, { type FastifyInstance } from 'fastify'
import keycloak from '../../index.js'
import { addRoutes } from './api.js'
import { addControls } from './controls.js'
import { addDocs } from './docs.js'
import type { Issuer } from './issuer.js'
import { addHeaders, addPage } from './page.js'
import { syncUser } from './people.js'
import { addTokens } from './tokens.js'

/** The demo: an API, its documentation, and a page that shows what it answers. */
export async function buildApp (issuer: Issuer, origins: () => string[]): Promise<FastifyInstance> {
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' } })
  await addHeaders(app, issuer)
  await app.register(keycloak, { ...issuer.options, syncUser })
  await addDocs(app, issuer)
  addRoutes(app, issuer.partners !== undefined)
  await addPage(app, issuer)
  const { realm, partners } = issuer
  if (realm !== undefined && partners !== undefined) {
    addControls(app, realm, origins)
    addTokens(app, realm, partners)
    app.addHook('onClose', async () => { await Promise.all([realm.close(), partners.close()]) })
  }
  return app
}
