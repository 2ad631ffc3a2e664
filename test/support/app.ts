import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import keycloak from '../../index.js'
import { createTestRealm, type TestRealm, type TestRealmOptions } from '../../lib/testing/index.js'
import type { KeycloakOptions } from '../../types/options.js'

/** A log that keeps what was written, line by line. */
export interface Log {
  readonly lines: Array<{ level: number, msg: string, [key: string]: unknown }>
  readonly text: string
}

export const WARN = 40

const DEBUG = 20

/** The lines about refusals of requests. Some refusals are warned of as well. */
export function refusalsIn (log: Log): Log['lines'] {
  return log.lines.filter(({ level, reasonCode }) => level === DEBUG && reasonCode !== undefined)
}

/** A Fastify server option that logs everything into memory. */
export function logging (): Log & { logger: FastifyServerOptions['logger'] } {
  const lines: string[] = []
  return {
    logger: { level: 'trace', stream: { write: (line: string) => { lines.push(line) } } },
    get lines () { return lines.map((line) => JSON.parse(line)) },
    get text () { return lines.join('') }
  }
}

/** A realm that ends with the test. */
export async function realmFor (t: Test, options?: TestRealmOptions): Promise<TestRealm> {
  const realm = await createTestRealm(options)
  t.teardown(() => realm.close())
  return realm
}

/** An API on a realm, with a route of each kind. */
export async function apiFor (t: Test, realm: TestRealm, options: Partial<KeycloakOptions> = {}, server: FastifyServerOptions = {}): Promise<FastifyInstance> {
  const app = Fastify(server)
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, ...options })
  app.get('/open', async (request) => ({ user: request.user, auth: request.auth }))
  app.get('/me', { config: { authenticated: true } }, async (request) => ({ user: request.user, auth: request.auth }))
  app.get('/profile', { config: { permission: 'view-profile' } }, async (request) => ({ user: request.user }))
  return app
}

/** What the start is refused with; `started` where it is not. */
export async function refusalOf (options: unknown): Promise<string> {
  const app = Fastify()
  try {
    await app.register(keycloak, options as never)
    return 'started'
  } catch (error) {
    return (error as Error).message
  } finally {
    await app.close()
  }
}

/** The Authorization header of a token. */
export function bearer (token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` }
}

/** Ask with a token: `200`, or status and code in a word: `401 token_expired`. */
export async function ask (app: FastifyInstance, url: string, token?: string): Promise<string> {
  const response = await app.inject({ url, headers: token === undefined ? {} : bearer(token) })
  return response.statusCode < 400 ? String(response.statusCode) : `${response.statusCode} ${response.json().code}`
}

/** Resolves when an API has begun to close. Call it before the API listens. */
export function closingOf (app: FastifyInstance): Promise<void> {
  return new Promise((resolve) => {
    // The plugin's own hooks follow in the same turn of the event loop.
    app.addHook('preClose', async () => { setImmediate(resolve) })
  })
}

/** Wait, in milliseconds. */
export function wait (milliseconds: number): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, milliseconds) })
}

/** Wait for what has to come. It fails when that has not come after half a minute, since a test may check nothing after it. */
export async function until (met: () => unknown): Promise<void> {
  const end = performance.now() + 30_000
  while (!await met()) {
    if (performance.now() > end) throw new Error(`this did not come within 30 s: ${String(met)}`)
    await wait(10)
  }
}
