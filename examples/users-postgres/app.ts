import { eq } from 'drizzle-orm'
import Fastify from 'fastify'
import keycloak, { type KeycloakOptions } from 'fastify-keycloak-bearer'
import type { Database } from './database.js'
import { users } from './schema.js'
import { usersIn } from './sync.js'

/** An API that has a row for each of its users. */
export async function buildApp (db: Database, options: KeycloakOptions) {
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'warn' } })
  await app.register(keycloak, { ...options, ...usersIn(db) })

  app.get('/me', { config: { authenticated: true } }, async ({ user }) => user)

  app.get('/users', { config: { permission: 'manage-users' } }, async () => db.select().from(users).orderBy(users.username))

  app.patch<{ Params: { id: string }, Body: { isActive: boolean } }>('/users/:id', {
    schema: { body: { type: 'object', properties: { isActive: { type: 'boolean' } }, required: ['isActive'], additionalProperties: false } },
    config: { permission: 'manage-users' }
  }, async ({ params, body }, reply) => {
    const [user] = await db.update(users).set({ isActive: body.isActive }).where(eq(users.id, params.id)).returning()
    return user ?? reply.callNotFound()
  })

  return app
}
