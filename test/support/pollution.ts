// A member that another package's fault hung on Object.prototype ("prototype pollution"), and what changes by it.
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import type { TestRealm } from '../../lib/testing/index.js'

/** Names, and the values that an attacker would write there. */
export type Names = Record<string, readonly unknown[]>

/** With a value there, enumerable as an assignment makes it, or not. */
export async function polluted<T> (name: string, value: unknown, run: () => T | Promise<T>, enumerable = true): Promise<T> {
  Reflect.defineProperty(Object.prototype, name, { value, enumerable, configurable: true, writable: true })
  try {
    return await run()
  } finally {
    delete (Object.prototype as unknown as Record<string, unknown>)[name]
  }
}

/** The answers that come out otherwise where a name has a value on Object.prototype. */
export async function differences (names: Names, run: () => Promise<Record<string, unknown>>, enumerable = true): Promise<string[]> {
  const clean = await run()
  const found: string[] = []
  for (const [name, values] of Object.entries(names)) {
    for (const value of values) {
      const said = await polluted(name, value, () => run().catch((error) => ({ run: String(error.stack) })), enumerable)
      const other = Object.keys({ ...said, ...clean }).filter((what) => (said as Record<string, unknown>)[what] !== clean[what])
      for (const what of other.slice(0, 3)) {
        found.push(`${name} = ${JSON.stringify(value) ?? value}, ${what}: ${(said as Record<string, unknown>)[what]} instead of ${clean[what]}`)
      }
    }
  }
  return found
}

/** A date far ahead, in seconds since 1970. */
export const FAR = 5_000_000_000

/** What a token, or somebody's identity, could be lent. */
export const CLAIMS: Names = {
  ...{ scope: ['write', ['write']], aud: ['api', ['api'], 'other'], exp: [FAR, 0], iat: [0, FAR], nbf: [0, FAR], sub: ['root', 5], jti: ['x', 5], sid: ['x'] },
  ...{ azp: ['web'], typ: ['Bearer', 'ID', 'JWT'], cnf: [{ jkt: 'x' }], act: [{ sub: 'x' }], realm_access: [{ roles: ['admin'] }] },
  ...{ resource_access: [{ api: { roles: ['admin'] } }], api: [{ roles: ['admin'] }], roles: [['admin'], ['view-profile']], preferred_username: ['root'] },
  ...{ email: ['root@example.com'], email_verified: [true], kid: ['x', 'test-key'], alg: ['none', 'RS256', 'HS256'], isActive: [true, false] },
  ...{ user: [{ username: 'root' }], auth: [{ sub: 'root' }], claims: [{}], identity: [{ claims: { exp: FAR } }], admittedBy: [{}] }
}

/** A route for each kind of rule. */
export function addRoutes (app: FastifyInstance, prefix = ''): void {
  app.get(`${prefix}/open`, async ({ user, auth }) => ({ user, auth: auth && Object.keys(auth) }))
  app.get(`${prefix}/any`, { config: { authenticated: true } }, async ({ user }) => user)
  app.get(`${prefix}/admin`, { config: { permission: 'admin' } }, async () => 'ok')
  app.get(`${prefix}/some`, { config: { permission: { any: ['admin', ['a', 'b']] } } }, async () => 'ok')
  app.get(`${prefix}/write`, { config: { scope: 'write' } }, async () => 'ok')
  app.get(`${prefix}/shared`, { config: { public: true } }, async () => 'ok')
  app.get(`${prefix}/may`, async (request) => ({ may: request.hasPermission('admin') }))
}

const URLS = ['/open', '/any', '/admin', '/some', '/write', '/shared', '/may']

/** Tokens that lack what a polluted prototype could lend them. */
export function tokensOf (realm: TestRealm): Record<string, string | undefined> {
  const without = (...names: string[]) => realm.token({ claims: Object.fromEntries(names.map((name) => [name, undefined])) })
  return {
    'no token': undefined,
    'a good token': realm.token(),
    'no scope': without('scope'),
    'no roles': without('realm_access', 'resource_access'),
    'no aud': without('aud'),
    'no exp': without('exp'),
    'no iat': without('iat'),
    'no iss': without('iss'),
    'no name': without('preferred_username'),
    'no more than needed': without('sub', 'jti', 'sid', 'azp', 'nbf', 'typ', 'scope', 'email', 'realm_access', 'resource_access'),
    'no kid': realm.token({ kid: null }),
    'no typ in the header': realm.token({ header: { typ: undefined as never } }),
    'no alg': realm.token({ header: { alg: undefined as never } }),
    'a forged token': realm.token({ forged: true }),
    'an expired token': realm.token({ expired: true })
  }
}

export async function answers (app: FastifyInstance, tokens: Record<string, string | undefined>, prefix = '', urls = URLS): Promise<Record<string, string>> {
  const asked = Object.entries(tokens).flatMap(([name, token]) => urls.map((url) => ({ name: `${url} with ${name}`, url: prefix + url, token })))
  const said = await pipelined(app, asked.map(({ url, token }) => `GET ${url} HTTP/1.1\r\nHost: x\r\n${token === undefined ? '' : `Authorization: Bearer ${token}\r\n`}`))
  return Object.fromEntries(asked.map(({ name }, at) => [name, said[at]!]))
}

/**
 * Status and body of each request, one after the other on a socket: whatever makes requests for tests would send what it
 * finds on Object.prototype.
 */
export async function pipelined (app: FastifyInstance, requests: readonly string[], body = ''): Promise<string[]> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(requests.map((request, at) => `${request}${at === requests.length - 1 ? 'Connection: close\r\n' : ''}\r\n`).join('') + body)
  let rest = await text(socket)
  return requests.map(() => {
    const [, status, head] = /^HTTP\/1\.1 (\d+) ([^]*?)\r\n\r\n/.exec(rest)!
    const start = rest.indexOf('\r\n\r\n') + 4
    const length = Number(/content-length: (\d+)/i.exec(head!)![1])
    const body = rest.slice(start, start + length)
    rest = rest.slice(start + length)
    return `${status} ${body}`
  })
}
