import Fastify from 'fastify'
import keycloak, { type IssuerOptions } from 'fastify-keycloak-bearer'
import { realmsOf, type Tenant, type TenantTable } from './tenants.js'
import { UserTable } from './users.js'

const STAFF = 'staff'

/** An API whose customers each have a realm, by a table, and whose staff has one, by its configuration. */
export async function buildApp (tenants: TenantTable, staff: Omit<IssuerOptions, 'name'>) {
  const users = new UserTable()
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' } })
  await app.register(keycloak, {
    issuers: realmsOf(tenants, { name: STAFF, ...staff }),
    // /tenants/acme/… takes tokens of the tenant acme alone.
    selectIssuer: ({ params }) => (params as { tenant?: string }).tenant ?? null,
    userIdField: 'sub',
    userIdClaim: 'sub',
    syncUser: async ({ sub }, { claims, issuer }) => users.upsert(issuer, sub as string, claims.preferred_username ?? '')
  })

  app.get('/me', { config: { authenticated: true } }, async ({ issuer, user }) => ({ issuer, username: user.username }))
  app.get('/tenants/:tenant/notes', { config: { authenticated: true } }, async ({ user }) => user.notes)
  app.post('/tenants/:tenant/notes', { config: { authenticated: true } }, async ({ user, body }, reply) => {
    user.notes.push(String(body))
    return reply.code(201).send(user.notes)
  })

  const operator = { config: { issuer: STAFF, permission: 'operator' } }
  app.post<{ Body: Tenant }>('/table', { ...operator, schema: { body: TENANT } }, async ({ body }, reply) => {
    const added = await tenants.insert(body)
    app.keycloak.forgetIssuer(body.issuer) // a token of it may have been refused before
    return reply.code(added ? 201 : 409).send()
  })
  app.delete<{ Params: { name: string } }>('/table/:name', operator, async ({ params }, reply) => {
    const deleted = await tenants.delete(params.name)
    if (deleted === null) return reply.code(404).send()
    app.keycloak.forgetIssuer(deleted.issuer) // its next token is 401
    return reply.code(204).send()
  })
  return app
}

const TENANT = {
  type: 'object',
  required: ['name', 'issuer', 'clientId'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,62}$', not: { const: STAFF } },
    issuer: { type: 'string', maxLength: 500 },
    clientId: { type: 'string', minLength: 1, maxLength: 255 }
  }
}
