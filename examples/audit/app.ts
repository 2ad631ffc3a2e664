import Fastify, { type FastifyInstance } from 'fastify'
import keycloak, { type KeycloakOptions } from 'fastify-keycloak-bearer'
import audit, { type AuditOptions } from './audit.js'

export async function buildApp (options: KeycloakOptions, write: AuditOptions['write']): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(audit, { write })
  await app.register(keycloak, options)
  app.get('/status', async () => ({ ok: true }))
  app.get('/invoices/:id', { config: { permission: 'read-invoices' } }, async (request) => ({
    id: (request.params as { id: string }).id,
    // A question of a handler is a decision, too.
    notes: request.hasPermission('read-notes') ? ['paid late'] : []
  }))
  return app
}
