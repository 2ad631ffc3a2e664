import { fileURLToPath } from 'node:url'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'

/** Postgres, whichever driver is behind it. */
export type Database = PgDatabase<PgQueryResultHKT>

export interface Connection {
  db: Database
  close (): Promise<void>
}

const migrationsFolder = fileURLToPath(new URL('migrations', import.meta.url))

/** The Postgres at a URL, or without one PGlite: the same database as WebAssembly in this process, empty each time. */
export function openDatabase (url?: string, schema?: string): Promise<Connection> {
  return url === undefined ? openPglite() : openPostgres(url, schema)
}

async function openPglite (): Promise<Connection> {
  const { drizzle } = await import('drizzle-orm/pglite')
  const { migrate } = await import('drizzle-orm/pglite/migrator')
  const db = drizzle()
  await migrate(db, { migrationsFolder })
  return { db, close: () => db.$client.close() }
}

/**
 * Migrates at start, which is right for one instance: nothing keeps several from doing it at once. With more of them
 * make it a step of the deployment.
 */
async function openPostgres (connectionString: string, schema = 'public'): Promise<Connection> {
  const { drizzle } = await import('drizzle-orm/node-postgres')
  const { migrate } = await import('drizzle-orm/node-postgres/migrator')
  const { default: pg } = await import('pg')
  // A request waits for the database no longer than for Keycloak.
  const pool = new pg.Pool({ connectionString, options: `-c search_path=${schema}`, connectionTimeoutMillis: 5000, query_timeout: 5000 })
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {})
  const db = drizzle(pool)
  await migrate(db, { migrationsFolder, migrationsSchema: schema })
  return { db, close: () => pool.end() }
}
