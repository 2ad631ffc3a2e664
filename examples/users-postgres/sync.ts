import createError from '@fastify/error'
import { eq, lte } from 'drizzle-orm'
import type { KeycloakOptions, Profile } from 'fastify-keycloak-bearer'
import type { Database } from './database.js'
import { users, type User } from './schema.js'

/** What a token tells of its user. What it does not tell is not there, and the table keeps what it has. */
type Told = Pick<User, 'id' | 'username'> & Partial<Pick<User, 'email' | 'name'>>

/** The errors of Drizzle carry the query and its parameters, which are neither the client's business nor the log's. */
const UsersUnavailable = createError<[]>('USERS_UNAVAILABLE', 'The users cannot be read, try again later.', 503)

/** Options that make `request.user` the row of who calls. */
export function usersIn (db: Database) {
  return {
    userIdField: 'id',
    userIdClaim: 'sub', // preferred_username can be given to somebody else
    claimMapping: { username: 'preferred_username', email: 'email', name: 'name' },
    async syncUser (profile, { claims, request }) {
      const told = toldBy(profile)
      if (told === null) return null // 401 user_inactive
      try {
        return await sync(db, told, new Date(claims.iat * 1000))
      } catch (error) {
        request.log.error({ code: codeOf(error) }, 'the users cannot be read')
        throw new UsersUnavailable()
      }
    }
  } satisfies Partial<KeycloakOptions>
}

/** This runs on every request: it reads one row by its key, and writes when the token tells something new. */
async function sync (db: Database, told: Told, toldAt: Date): Promise<User | null> {
  const known = await find(db, told.id)
  if (known !== null && knows(known, told)) return known
  // ON CONFLICT, since two first requests of a user come at once more often than not. It touches neither isActive nor
  // what the token does not tell, and lets the newest token win, whatever order they come in.
  const [written] = await db.insert(users).values({ ...told, toldAt })
    .onConflictDoUpdate({ target: users.id, set: { ...told, toldAt }, setWhere: lte(users.toldAt, toldAt) })
    .returning()
  return written ?? await find(db, told.id)
}

async function find (db: Database, id: string): Promise<User | null> {
  const [user] = await db.select().from(users).where(eq(users.id, id))
  return user ?? null
}

function knows (known: User, told: Told): boolean {
  return (Object.keys(told) as Array<keyof Told>).every((key) => known[key] === told[key])
}

/**
 * A claim is of any type and of any length, a column is not, and a statement that fails would be a 500 at each request of
 * that user. So: a name is cut; an email that does not fit is left out, as half an address may be somebody else's; an id
 * or a username that does not fit is nobody we know.
 */
function toldBy ({ id, username, email, name }: Profile): Told | null {
  if (!fits(id, 255) || !fits(username, 255)) return null
  const told: Told = { id, username }
  if (fits(email, 255)) told.email = email
  if (fits(name, Infinity)) told.name = [...name].slice(0, 100).join('')
  return told
}

/** Text that Postgres can hold in a varchar of that length: it counts characters, and has neither NUL nor half a pair. */
function fits (value: unknown, length: number): value is string {
  return typeof value === 'string' && [...value].length <= length && !/[\0\p{Surrogate}]/u.test(value)
}

/** SQLSTATE, or how the connection failed. */
function codeOf (error: unknown): unknown {
  return ((error as Error).cause as { code?: unknown } | undefined)?.code
}
