// The page "Set up Keycloak": its script, run on a realm of its own, and an API that uses the result.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import keycloak from '../../index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { adminOf, ask, base, browserLogin, issuer as issuerOfDev, type Tokens } from './helpers.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SCRIPT = join(ROOT, 'examples/setup-keycloak/setup-keycloak.mjs')
const WEB_URL = 'http://127.0.0.1:3000'

/** A file of the repository. */
export function read (path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** The environment that the script needs; a test names what it wants otherwise. */
export const ENVIRONMENT = {
  KEYCLOAK_URL: base,
  KEYCLOAK_ADMIN: process.env.KEYCLOAK_ADMIN ?? 'admin',
  KEYCLOAK_ADMIN_PASSWORD: process.env.KEYCLOAK_ADMIN_PASSWORD ?? 'admin-pw',
  API_URL: 'http://127.0.0.1:3000',
  WEB_URL
}

/** Runs the script; answers its exit code, its lines, and the sentence that it ended with, if any. */
export async function runScript (env: Record<string, string>): Promise<{ code: number, lines: string[], problem: string }> {
  const child = spawn(process.execPath, [SCRIPT], { env: { ...ENVIRONMENT, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) child[stream].setEncoding('utf8').on('data', (text) => { output[stream] += text })
  const [code] = await once(child, 'close')
  return { code, lines: output.stdout.trim().split('\n'), problem: output.stderr.trim() }
}

/** A name for a realm, which goes when the test ends. */
export function realmFor (t: Test): string {
  const realm = `setup-${randomUUID()}`
  t.teardown(() => adminOf(realm)('DELETE', '').catch(() => {}))
  return realm
}

interface PageApi extends FastifyInstance {
  url: string
  /** The messages of its log. */
  logged: string[]
}

/** An API on a realm, as the page shows it, on a socket that Keycloak can call. */
export async function pageApi (t: Test, realm: string, settings: Partial<KeycloakOptions> = {}): Promise<PageApi> {
  const logged: string[] = []
  const app: FastifyInstance = Fastify({ logger: { stream: { write: (line: string) => { logged.push(JSON.parse(line).msg) } } } })
  t.teardown(() => app.close())
  await app.register(keycloak, {
    issuer: issuerOf(realm),
    clientId: 'api',
    audience: 'api',
    backchannelLogout: { path: '/backchannel-logout', clients: ['web'] },
    adminUrl: { path: '/keycloak' },
    startCheck: false,
    ...settings
  } as KeycloakOptions)
  app.get('/profile', { config: { permission: 'read-profile' } }, async (request) => ({ hello: request.user.username }))
  app.get('/reports', { config: { scope: 'reports:read' } }, async () => [])
  await app.listen({ port: 0, host: '127.0.0.1' })
  return Object.assign(app, { url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, logged })
}

export function issuerOf (realm: string): string {
  return issuerOfDev.replace(/[^/]+$/, realm)
}

/** The endpoints of a realm. */
export function endpointsOf (realm: string): string {
  return `${base}/realms/${realm}/protocol/openid-connect`
}

/** The access token of a user, by the client for a trial. */
export async function tokenOf (realm: string, username: 'alice' | 'bob', form: Record<string, string> = {}): Promise<string> {
  const password = { grant_type: 'password', client_id: 'cli', username, password: `${username}-pw` }
  return (await ask('token', { ...password, ...form }, {}, endpointsOf(realm))).access_token
}

/** The tokens of a login with the browser. */
export async function browserLoginOf (realm: string): Promise<Tokens> {
  return browserLogin('alice', 'openid', new Map(), { endpoints: endpointsOf(realm), redirect: `${WEB_URL}/` })
}

/** Adds a user without a role. */
export async function addBob (realm: string): Promise<void> {
  const credentials = [{ type: 'password', value: 'bob-pw' }]
  await adminOf(realm)('POST', '/users', { username: 'bob', enabled: true, email: 'bob@example.com', firstName: 'Bob', lastName: 'Example', credentials })
}

/** The variables of a file that the script wrote. */
export function readEnv (file: string): Record<string, string> {
  return parseEnv(readFileSync(file, 'utf8')) as Record<string, string>
}
