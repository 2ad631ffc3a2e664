import cors from '@fastify/cors'
import fastifyStatic from '@fastify/static'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import websocket from '@fastify/websocket'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import WebSocket from 'ws'
import keycloak from '../../index.js'
import { bearer, logging, realmFor, WARN } from '../support/app.js'

// Imported, its types would say what request.user is in every file of the project.
const jwt = createRequire(import.meta.url)('@fastify/jwt')

const PREFLIGHT = { origin: 'https://app.example', 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' }

t.test('@fastify/cors registered first: its headers are on every refusal', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = Fastify(log)
  t.teardown(() => app.close())
  await app.register(cors, { origin: 'https://app.example', exposedHeaders: ['WWW-Authenticate'] })
  await app.register(keycloak, { ...realm.options, requireAuthentication: true })
  app.get('/me', { config: { permission: 'a' } }, async () => 'ok')
  const get = (token?: string) => app.inject({ url: '/me', headers: { origin: 'https://app.example', ...(token === undefined ? {} : bearer(token)) } })
  const refusals = [[await get(), 401], [await get(realm.token()), 403], [await get('x'), 401]] as const
  await realm.down()
  for (const [response, status] of [...refusals, [await get(realm.token({ kid: 'new' })), 503] as const]) {
    t.equal(response.statusCode, status)
    t.equal(response.headers['access-control-allow-origin'], 'https://app.example')
    t.equal(response.headers['access-control-expose-headers'], 'WWW-Authenticate')
  }
  const preflight = await app.inject({ method: 'OPTIONS', url: '/me', headers: PREFLIGHT })
  t.equal(preflight.statusCode, 204)
  t.notOk(log.lines.some(({ level, msg }) => level === WARN && /routes were added before/.test(msg)), 'its OPTIONS * is not warned of')
})

t.test('@fastify/cors registered after: preflights pass all the same, even under requireAuthentication', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, requireAuthentication: true })
  await app.register(cors, { origin: true })
  app.get('/me', { config: { permission: 'a' } }, async () => 'ok')
  const preflight = await app.inject({ method: 'OPTIONS', url: '/me', headers: PREFLIGHT })
  t.equal(preflight.statusCode, 204)
  t.equal((await app.inject({ method: 'OPTIONS', url: '/me' })).statusCode, 401, 'an OPTIONS that is no preflight does not')
})

t.test('a preflight does not open a route that has a rule of its own', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, realm.options)
  app.all('/rule', { config: { permission: 'a' } }, async () => 'secret')
  app.all('/any', { config: { authenticated: true } }, async () => 'secret')
  for (const url of ['/rule', '/any']) t.equal((await app.inject({ method: 'OPTIONS', url, headers: PREFLIGHT })).statusCode, 401)
})

t.test('WebSocket upgrades are guarded like any request', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(websocket)
  await app.register(keycloak, realm.options)
  app.get('/live', { websocket: true, config: { permission: 'a' } }, (socket, { user }) => { socket.send(JSON.stringify(user)) })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = `ws://127.0.0.1:${(app.server.address() as AddressInfo).port}/live`
  const open = (headers: Record<string, string>) => new Promise<string>((resolve) => {
    const socket = new WebSocket(url, { headers })
    socket.on('message', (data) => { resolve(String(data)); socket.terminate() })
    socket.on('unexpected-response', (_request, response) => { resolve(String(response.statusCode)); socket.terminate() })
    socket.on('error', () => {})
  })
  t.equal(await open({}), '401')
  t.equal(await open(bearer('x')), '401')
  t.equal(await open(bearer(realm.token())), '403')
  t.match(JSON.parse(await open(bearer(realm.token({ roles: ['a'] })))), { username: 'alice' })
})

t.test('routes of other plugins are closed by requireAuthentication, and stay open by scope', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  const pages = { root: import.meta.dirname, wildcard: false, globIgnore: ['**/*.ts', 'keycloak/**', 'support/**'] }
  await app.register(swagger)
  // The scope of the API has the plugin; what lies outside it stays as open as it was.
  await app.register(async (api: FastifyInstance) => {
    await api.register(keycloak, { ...realm.options, requireAuthentication: true })
    api.get('/things', async () => 'ok')
    await api.register(fastifyStatic, { ...pages, prefix: '/closed/', wildcard: true })
  })
  await app.register(swaggerUi, { routePrefix: '/docs' })
  await app.register(fastifyStatic, { ...pages, prefix: '/files/', decorateReply: false, wildcard: true })
  const status = async (url: string) => (await app.inject(url)).statusCode
  t.equal(await status('/things'), 401)
  t.equal(await status('/closed/decorators.test.ts'), 401)
  t.equal(await status('/files/decorators.test.ts'), 200)
  t.equal(await status('/docs/json'), 200)
})

t.test('@fastify/jwt beside us is one clear sentence, and decoratorName mends it', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  await app.register(jwt, { secret: 'x'.repeat(32) })
  await t.rejects(Promise.resolve(app.register(keycloak, realm.options)), { message: /request\.user is decorated by another plugin already; when it is @fastify\/jwt, give that one the option decoratorName/ })
  for (const order of ['before', 'after']) {
    const both = Fastify()
    t.teardown(() => both.close())
    if (order === 'before') await both.register(jwt, { secret: 'x'.repeat(32), decoratorName: 'jwtUser' })
    await both.register(keycloak, realm.options)
    if (order === 'after') await both.register(jwt, { secret: 'x'.repeat(32), decoratorName: 'jwtUser' })
    both.get('/me', async ({ user }) => user)
    t.match((await both.inject({ url: '/me', headers: bearer(realm.token()) })).json(), { username: 'alice' }, order)
  }
})

t.test('so is @fastify/passport, whose Authenticator has an option for it', async (t) => {
  const app = Fastify()
  // As its initialize() does; the package itself would change the types of request.user in all tests.
  app.decorateRequest('passport').decorateRequest('user', null)
  await t.rejects(Promise.resolve(app.register(keycloak, (await realmFor(t)).options)), { message: /when it is @fastify\/passport, give its Authenticator the option userProperty, such as "sessionUser"$/ })
})

t.test('other decorators in our place, or the plugin twice, are one clear sentence', async (t) => {
  const realm = await realmFor(t)
  for (const name of ['auth', 'hasPermission']) {
    const app = Fastify()
    app.decorateRequest(name, null)
    await t.rejects(Promise.resolve(app.register(keycloak, realm.options)), { message: /request\.auth or request\.hasPermission is decorated/ })
  }
  const issued = Fastify()
  issued.decorateRequest('issuer', null)
  await t.rejects(Promise.resolve(issued.register(keycloak, realm.options)), { message: /request\.issuer is decorated/ })
  const app = Fastify()
  await app.register(keycloak, realm.options)
  await t.rejects(Promise.resolve(app.register(keycloak, realm.options)), { message: /is registered in this scope already; for a second realm register it in a sibling scope/ })
})
