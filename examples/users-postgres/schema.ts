import { boolean, pgTable, timestamp, varchar } from 'drizzle-orm/pg-core'

export const users = pgTable('users', {
  // The claim `sub`. Not a uuid: for users of a federated directory Keycloak writes f:<provider>:<their id>.
  id: varchar({ length: 255 }).primaryKey(),
  // Not unique, and neither is email: in Keycloak both can change hands, and the old owner's row is still here then.
  username: varchar({ length: 255 }).notNull(),
  email: varchar({ length: 255 }),
  name: varchar({ length: 100 }),
  // The API's own: false locks the user out here, whatever Keycloak says.
  isActive: boolean('is_active').notNull().default(true),
  // When the token was issued that told all this: an older one, still valid, does not take it back.
  toldAt: timestamp('told_at', { withTimezone: true }).notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow()
})

export type User = typeof users.$inferSelect

// From here on `request.user` is a row of that table, null where a route lets anonymous callers in.
declare module 'fastify-keycloak-bearer' {
  interface KeycloakTypes {
    user: User
  }
}
