// What somebody hung on Object.prototype ("prototype pollution", most often by a fault in another package) is no claim,
// no rule, no option and no answer: each request is answered as without it.
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import keycloak from '../index.js'
import type { TestRealm } from '../lib/testing/index.js'
import type { Revocation, RevocationFollower } from '../types/revocation.js'
import { realmFor } from './support/app.js'
import { checksOf, listening, until } from './support/doctor.js'

type Names = Record<string, readonly unknown[]>

/** With a value there, enumerable as an assignment makes it, or not. */
async function polluted<T> (name: string, value: unknown, run: () => T | Promise<T>, enumerable = true): Promise<T> {
  Reflect.defineProperty(Object.prototype, name, { value, enumerable, configurable: true, writable: true })
  try {
    return await run()
  } finally {
    delete (Object.prototype as unknown as Record<string, unknown>)[name]
  }
}

/** The answers that come out otherwise where a name has a value on Object.prototype. */
async function differences (names: Names, run: () => Promise<Record<string, unknown>>, enumerable = true): Promise<string[]> {
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

const FAR = 5_000_000_000

const CLAIMS: Names = {
  ...{ scope: ['write', ['write']], aud: ['api', ['api'], 'other'], exp: [FAR, 0], iat: [0, FAR], nbf: [0, FAR], sub: ['root', 5], jti: ['x', 5], sid: ['x'] },
  ...{ azp: ['web'], typ: ['Bearer', 'ID', 'JWT'], cnf: [{ jkt: 'x' }], act: [{ sub: 'x' }], realm_access: [{ roles: ['admin'] }] },
  ...{ resource_access: [{ api: { roles: ['admin'] } }], api: [{ roles: ['admin'] }], roles: [['admin'], ['view-profile']], preferred_username: ['root'] },
  ...{ email: ['root@example.com'], email_verified: [true], kid: ['x', 'test-key'], alg: ['none', 'RS256', 'HS256'], isActive: [true, false] },
  ...{ user: [{ username: 'root' }], auth: [{ sub: 'root' }], claims: [{}], identity: [{ claims: { exp: FAR } }], admittedBy: [{}] }
}

const RULES: Names = {
  ...{ permission: ['admin', '', []], scope: ['write'], public: [true, false], keycloak: [false, true], authenticated: [true, false], permision: ['x'] },
  ...{ any: [['admin']], all: [['admin']], role: ['x'], roles: [['x']], scopes: [['x']], access: ['open'], ownRule: [false], check: [() => true] }
}

const HEADERS: Names = {
  ...{ origin: ['https://app.example'], 'access-control-request-method': ['GET'], 'access-control-request-headers': ['authorization'] }
}

function addRoutes (app: FastifyInstance, prefix = ''): void {
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
function tokensOf (realm: TestRealm): Record<string, string | undefined> {
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

async function answers (app: FastifyInstance, tokens: Record<string, string | undefined>, prefix = '', urls = URLS): Promise<Record<string, string>> {
  const asked = Object.entries(tokens).flatMap(([name, token]) => urls.map((url) => ({ name: `${url} with ${name}`, url: prefix + url, token })))
  const said = await pipelined(app, asked.map(({ url, token }) => `GET ${url} HTTP/1.1\r\nHost: x\r\n${token === undefined ? '' : `Authorization: Bearer ${token}\r\n`}`))
  return Object.fromEntries(asked.map(({ name }, at) => [name, said[at]!]))
}

/**
 * Status and body of each request, one after the other on a socket: whatever makes requests for tests would send what it
 * finds on Object.prototype.
 */
async function pipelined (app: FastifyInstance, requests: readonly string[]): Promise<string[]> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(requests.map((request, at) => `${request}${at === requests.length - 1 ? 'Connection: close\r\n' : ''}\r\n`).join(''))
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

t.test('claims: a token has what its issuer wrote into it', async (t) => {
  const realm = await realmFor(t)
  const tokens = tokensOf(realm)
  for (const cache of [false, undefined] as const) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(keycloak, { ...realm.options, cache })
    addRoutes(app)
    t.same(await differences(CLAIMS, () => answers(app, tokens, '', ['/open', '/admin', '/write', '/may'])), [])
  }
})

t.test('headers: a request has those that were sent', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, requireAuthentication: true })
  app.all('/', async () => 'ok')
  const ask = async (method: string, ...headers: string[]) => (await pipelined(app, [`${method} / HTTP/1.1\r\nHost: x\r\n${headers.map((header) => `${header}\r\n`).join('')}`]))[0]!.slice(0, 3)
  const token = realm.token()
  const run = async () => ({
    none: await ask('GET'),
    token: await ask('GET', `Authorization: Bearer ${token}`),
    options: await ask('OPTIONS'),
    origin: await ask('OPTIONS', 'Origin: https://app.example'),
    method: await ask('OPTIONS', 'Access-Control-Request-Method: GET'),
    preflight: await ask('OPTIONS', 'Origin: https://app.example', 'Access-Control-Request-Method: GET')
  })
  t.same(await run(), { none: '401', token: '200', options: '401', origin: '401', method: '401', preflight: '200' })
  t.same(await differences(HEADERS, run), [])
  t.same(await differences({ authorization: [`Bearer ${token}`, 'Bearer', ['Bearer x']] }, async () => ({ none: (await run()).none })), [])
})

t.test('rules: a route has those that were written for it', async (t) => {
  const realm = await realmFor(t)
  const { 'no token': none, 'a good token': good, 'no scope': few } = tokensOf(realm)
  const tokens = { none, good, few }
  for (const [requireAuthentication, enumerable] of [[false, true], [true, true], [true, false]] as const) {
    t.same(await differences(RULES, async () => {
      const app = Fastify()
      // Routes before the plugin, of its own scope, and of a child.
      addRoutes(app, '/early')
      await app.register(keycloak, { ...realm.options, requireAuthentication })
      addRoutes(app)
      const forms = { bare: Object.create(null), proxy: new Proxy({}, {}), function: () => {}, ofClass: new (class Config {})() }
      for (const [form, config] of Object.entries(forms)) app.get(`/${form}`, { config }, async () => 'ok')
      try {
        return { ...await answers(app, tokens), ...await answers(app, { token: undefined }, '', Object.keys(forms).map((form) => `/${form}`)), ...await answers(app, tokens, '/early'), routes: JSON.stringify(app.keycloak.routes().filter(({ url }) => !url.startsWith('/early'))) }
      } finally {
        await app.close()
      }
    }, enumerable), [])
  }
})

t.test('options: the plugin has those that were given', async (t) => {
  const realm = await realmFor(t)
  const other = await realmFor(t, { name: 'test' })
  const { issuer, audience } = realm.options
  const { 'no token': none, 'a good token': good, 'a forged token': forged, 'no roles': few } = tokensOf(realm)
  const tokens = { none, good, forged, few, 'a token of another realm': other.token(), 'for another API': realm.token({ claims: { aud: 'other' } }), 'other roles': realm.token({ claims: { roles: ['admin'] } }) }
  const names: Names = {
    ...{ verifySignature: [false], requireAuthentication: [true, 'yes'], audience: ['other', null], algorithms: ['ES256'], clientId: ['other'], serverUrl: [other.issuer] },
    ...{ permissionPath: ['roles', () => ['admin']], userIdField: ['id'], userIdClaim: ['sub'], claimMapping: [{}], syncUser: [() => null, () => ({ admin: true })] },
    ...{ extractToken: [() => realm.token({ roles: ['admin'] })], leeway: [86_400], verifyTokensWithKeycloak: [true], clientSecret: ['x'], verifyCertificate: [false], ca: ['x'], dispatcher: [{}] },
    ...{ backchannelLogout: [{ path: '/logout', clients: ['web'] }], adminUrl: [{ path: '/admin' }], revocation: [{ maxTokenLifetime: 1 }], cache: [{ max: 1 }], unknown: [1] },
    ...{ maxStale: [0], preload: ['require'], tokenLength: [100], jsonDepth: [3], store: [{}], maxTokenLifetime: [1], check: ['issuer_mismatch'] }
  }
  const run = async () => {
    const app = Fastify()
    try {
      await app.register(keycloak, { issuer, audience, startCheck: false, jwks: {}, limits: {}, revocation: {} })
      addRoutes(app)
      return await answers(app, tokens, '', ['/open', '/admin', '/write'])
    } finally {
      await app.close()
    }
  }
  for (const enumerable of [true, false]) t.same(await differences(names, run, enumerable), [])
})

t.test('keys: the realm has those that it publishes', async (t) => {
  const realm = await realmFor(t)
  const { keys: [key] } = await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).json() as { keys: Array<Record<string, unknown>> }
  const { kty, n, e } = key!
  const bodies = {
    'a key': JSON.stringify({ keys: [{ kty, n, e }] }),
    'no key': '{}',
    'a key for something else': JSON.stringify({ keys: [{ ...key, use: 'enc' }] }),
    'half a key': JSON.stringify({ keys: [{ kty, n }] }),
    'a private key': JSON.stringify({ keys: [{ ...key, d: 'AQAB' }] })
  }
  const token = realm.token({ kid: null })
  const names: Names = {
    ...{ keys: [[key], 'x'], kid: ['x'], alg: ['none', 'PS256'], use: ['enc', 'sig'], key_ops: [['sign'], ['verify']], kty: ['EC'], crv: ['P-256'], n: [n], e: [e] },
    ...{ x: ['x'], y: ['y'], k: ['x'] }
  }
  t.same(await differences(names, async () => {
    const said: Record<string, string> = {}
    for (const [name, body] of Object.entries(bodies)) {
      realm.respond('certs', (_request, response) => response.end(body))
      const app = Fastify()
      await app.register(keycloak, realm.options)
      addRoutes(app)
      said[name] = JSON.stringify(await answers(app, { token }))
      await app.close()
    }
    return said
  }), [])
})

t.test('introspection: an answer says what Keycloak wrote', async (t) => {
  const realm = await realmFor(t)
  const token = realm.token({ roles: ['admin'], scope: 'write' })
  const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>
  const bodies = {
    nothing: '{}',
    'not active': '{"active":false}',
    active: '{"active":true}',
    whole: JSON.stringify({ ...claims, active: true }),
    'without roles': JSON.stringify({ ...claims, resource_access: undefined, realm_access: undefined, active: true }),
    'without scope': JSON.stringify({ ...claims, scope: undefined, active: true }),
    'about another': JSON.stringify({ ...claims, jti: 'another', active: true })
  }
  const tokens = { token, 'no jti': realm.token({ claims: { jti: undefined, sub: undefined } }) }
  const { scope, aud, exp, typ, cnf, resource_access: access, identity, claims: ofIdentity } = CLAIMS
  const names: Names = {
    ...{ scope, aud, exp, typ, cnf, resource_access: access, identity, claims: ofIdentity } as Names,
    ...{ active: [true, false], answer: [{ active: true }], jti: ['another'], sub: ['another'], text: ['x'] }
  }
  for (const options of [{}, { cache: false }, { introspection: { cacheTtl: 1 } }] as const) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(keycloak, { ...realm.options, ...options, verifyTokensWithKeycloak: true })
    addRoutes(app)
    t.same(await differences(names, async () => {
      const said: Record<string, string> = {}
      for (const [name, body] of Object.entries(bodies)) {
        realm.respond('introspect', (_request, response) => response.end(body))
        said[name] = JSON.stringify(await answers(app, tokens, '', ['/any', '/admin', '/write']))
      }
      return said
    }), [])
  }
})

t.test('users: isActive is a member of the user, or of its class', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  let user: object = {}
  await app.register(keycloak, { ...realm.options, syncUser: () => user })
  addRoutes(app)
  class Active { get isActive (): boolean { return true } }
  class Inactive { get isActive (): boolean { return false } }
  let users = { plain: {}, active: { isActive: true }, inactive: { isActive: false }, ofClass: new Active(), inactiveOfClass: new Inactive(), proxy: new Proxy({}, { get: (_target, key) => key === 'isActive' ? false : undefined }) }
  const token = realm.token()
  const run = async () => {
    const said: Record<string, string> = {}
    for (const [name, each] of Object.entries(users)) {
      user = each
      said[name] = (await answers(app, { token }))['/any with token']!.slice(0, 3)
    }
    return said
  }
  t.same(await run(), { plain: '200', active: '200', inactive: '401', ofClass: '200', inactiveOfClass: '401', proxy: '401' })
  const { proxy, ...others } = users
  users = others as typeof users
  t.same(await differences({ isActive: [true, false, 0] }, run), [])
})

t.test('revocations: a store says what it sent, and a logged-out session has no offline access by inheritance', async (t) => {
  const realm = await realmFor(t)
  const now = Math.floor(Date.now() / 1000)
  const events: unknown[] = [{}, { kind: 'session' }, { kind: 'user', at: now }, { kind: 'realm', at: now }, { id: 'x', at: now }, { kind: 'session', id: 'gone', at: now - 60 }]
  const tokens = {
    alice: realm.token(),
    gone: realm.token({ claims: { sid: 'gone', scope: undefined } }),
    'no session': realm.token({ claims: { sid: undefined, sub: undefined } })
  }
  const names: Names = {
    ...{ kind: ['everybody', 'realm'], at: [FAR], id: ['x'], call: [{ id: 'x', until: FAR }], until: [FAR], scope: ['offline_access'], sid: ['gone'], sub: ['x'] }
  }
  t.same(await differences(names, async () => {
    let follower!: RevocationFollower
    const store = { follow: (each: RevocationFollower) => { follower = each; each.upToDate() }, publish: async () => {}, close: () => {} }
    const app = Fastify()
    await app.register(keycloak, { ...realm.options, revocation: { store } })
    addRoutes(app)
    for (const event of events) follower.receive(event as Revocation)
    const said = await answers(app, tokens)
    await app.close()
    return said
  }), [])
})

t.test('the check at start finds what is there', async (t) => {
  const realm = await realmFor(t)
  const log = await polluted('check', 'issuer_mismatch', async () => {
    const { log } = await listening(t, realm)
    await until(() => log.text.includes('"check":'))
    return log
  })
  t.match(checksOf(log), [{ check: 'ok' }])
})

t.test('the exported functions take their own options', async (t) => {
  const client = { call: async () => [], duplicate: () => client, on: () => {}, disconnect: () => {} }
  const calls: unknown[] = []
  await polluted('key', 'stolen', async () => {
    const store = keycloak.redisStore({ client: { ...client, call: async (...parameters: unknown[]) => { calls.push(parameters) } } as never })
    store.follow({ issuer: 'https://sso.example.com/realms/acme', lifetime: 1, maxLag: 1000, current: () => [], receive: () => {}, upToDate: () => {}, failed: () => {} })
    await store.publish({ kind: 'user', id: 'x', at: 1 })
    await store.close()
  })
  t.match(calls[0], ['eval', String, 2, 'fastify-keycloak-bearer:https://sso.example.com/realms/acme'])
  for (const [name, value] of Object.entries({ scheme: 'oauth2', issuer: 'x', scopes: 5, name: '' })) {
    await t.resolves(polluted(name, value, () => keycloak.openapi()), name)
    await t.resolves(polluted(name, value, () => keycloak.openapi({})), name)
  }
})
