// Middleware of @fastify/middie and @fastify/express answers what matches no route. Under requireAuthentication that needs a
// token where the plugin was registered first; where it was not, the start says that it is open, and how to close it.
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { bearer, logging, realmFor, WARN } from '../support/app.js'

const require = createRequire(import.meta.url)
// Imported, the types of the two would contradict each other.
const ENGINES = { '@fastify/middie': require('@fastify/middie'), '@fastify/express': require('@fastify/express') }
const files: (root: string) => unknown = require('express').static

type Use = FastifyInstance & { use: (...parameters: unknown[]) => void }

/** A secret on no route: the text of this file, and what a middleware of its own says. */
function mount (scope: FastifyInstance): void {
  const { use } = scope as Use
  use.call(scope, '/files', files(import.meta.dirname))
  use.call(scope, '/private', (_request: unknown, response: { end: (text: string) => void }) => response.end('SECRET'))
}

interface Setup {
  engine?: unknown
  order?: 'before' | 'after'
  options?: Partial<KeycloakOptions>
  server?: FastifyServerOptions
  hook?: object
}

async function api (t: Test, { engine = ENGINES['@fastify/middie'], order = 'after', options = {}, server = {}, hook = {} }: Setup) {
  const realm = await realmFor(t)
  const log = logging()
  const app: FastifyInstance = Fastify({ ...server, ...log })
  t.teardown(() => app.close())
  const middleware = async () => {
    await app.register(engine as never, hook)
    mount(app)
  }
  if (order === 'before') await middleware()
  await app.register(keycloak, { ...realm.options, requireAuthentication: true, ...options })
  if (order === 'after') await middleware()
  app.get('/open', { config: { public: true } }, async () => 'ok')
  app.get('/closed', async () => 'ok')
  app.get('/admin', { config: { permission: 'admin' } }, async () => 'ok')
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, realm, log, warnings: () => log.lines.filter(({ level, code }) => level === WARN && code !== undefined).map(({ code, msg }) => `${code}: ${msg}`) }
}

/** What comes back for a path as it is written, which other clients would tidy. */
async function get (app: FastifyInstance, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<string> {
  const request = httpRequest({ host: '127.0.0.1', port: (app.server.address() as AddressInfo).port, path, headers, method, agent: false })
  request.end()
  const [response] = await once(request, 'response')
  const body = await text(response)
  return body.includes('SECRET') || body.includes('What comes back for a path') ? `${response.statusCode} SECRET` : `${response.statusCode} ${/"code":"(\w+)"/.exec(body)?.[1] ?? ''}`.trim()
}

/** Ways to write the path of a file that may reach middleware and never a route. */
const PATHS = [
  '/files/middleware.test.ts', '/files/middleware.test.ts?x=1', '/FILES/middleware.test.ts', '/files//middleware.test.ts', '//files/middleware.test.ts',
  '/files/./middleware.test.ts', '/files/%2e/middleware.test.ts', '/open/../files/middleware.test.ts', '/open/%2e%2e/files/middleware.test.ts',
  '/%66iles/middleware.test.ts', '/%2566iles/middleware.test.ts', '/files/middleware%2etest.ts', '/files%2fmiddleware.test.ts', '/files/middleware.test.ts/',
  '/files/middleware.test.ts;x', '/files;x/middleware.test.ts', '/files/middleware.test.ts%00', '/files/middleware.test.ts#x', 'http://x/files/middleware.test.ts',
  '/private', '/private/', '//private', '/PRIVATE', '/%70rivate', '/%2570rivate', '/private;x', '/private?/open', '/private/../open', '/open/../private', 'http://x/private'
]

const SERVERS: Record<string, FastifyServerOptions> = {
  'as it is': {},
  'with a lenient router': { routerOptions: { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, useSemicolonDelimiter: true } as object }
}

for (const [name, engine] of Object.entries(ENGINES)) {
  t.test(`${name}, registered after: what matches no route needs a valid token, however it is written`, async (t) => {
    for (const [kind, server] of Object.entries(SERVERS)) {
      const { app, realm, warnings } = await api(t, { engine, server })
      for (const path of PATHS) {
        t.match(await get(app, path), /^(401 not_authenticated|400.*)$/, `${path}, ${kind}`)
        t.match(await get(app, path, bearer('x')), /^(401 token_not_valid|400.*)$/, path)
        t.match(await get(app, path, bearer(realm.token({ expired: true }))), /^(401 token_expired|400.*)$/, path)
      }
      const token = bearer(realm.token())
      t.equal(await get(app, '/files/middleware.test.ts', token), '200 SECRET', 'a valid one gets through')
      t.equal(await get(app, '/private', token), '200 SECRET')
      t.equal(await get(app, '/nowhere', token), '404')
      t.equal(await get(app, '/nowhere'), '401 not_authenticated')
      t.equal(await get(app, '/open'), '200')
      t.equal(await get(app, '/closed'), '401 not_authenticated')
      t.equal(await get(app, '/admin', token), '403 permission_denied')
      t.same(warnings(), [])
    }
  })

  t.test(`${name}, registered before: the start says that it is open, and the cure closes it`, async (t) => {
    const { app, warnings } = await api(t, { engine, order: 'before' })
    t.equal(await get(app, '/files/middleware.test.ts'), '200 SECRET', 'this is what it warns of')
    t.match(warnings(), [/^middleware_first: .* open to ANYBODY in spite of requireAuthentication\. Register fastify-keycloak-bearer before it/])
    t.equal(warnings().length, 1)
    const cured = await api(t, { engine, order: 'before', hook: { hook: 'preHandler', expressHook: 'preHandler' } })
    for (const path of PATHS) t.match(await get(cured.app, path), /^(401 not_authenticated|400.*)$/, path)
    t.equal(await get(cured.app, '/private', bearer(cured.realm.token())), '200 SECRET')
  })

  t.test(`${name} without requireAuthentication: what matches no route is as open as routes without a rule`, async (t) => {
    for (const order of ['before', 'after'] as const) {
      const { app, warnings } = await api(t, { engine, order, options: { requireAuthentication: false } })
      t.equal(await get(app, '/private'), '200 SECRET')
      t.equal(await get(app, '/private', bearer('x')), '200 SECRET', 'whatever the token')
      t.same(warnings(), [])
    }
  })

  t.test(`${name}: preflights pass to it, as they pass to routes, since CORS is most of what it is used for`, async (t) => {
    const { app } = await api(t, { engine })
    const preflight = { origin: 'https://app.example', 'access-control-request-method': 'GET' }
    t.equal(await get(app, '/private', preflight, 'OPTIONS'), '200 SECRET')
    t.equal(await get(app, '/private', {}, 'OPTIONS'), '401 not_authenticated')
    t.equal(await get(app, '/private', preflight, 'POST'), '401 not_authenticated')
  })

  t.test(`${name} around the plugin's scope: the start says that what matches no route is open`, async (t) => {
    const realm = await realmFor(t)
    const log = logging()
    const app = Fastify(log)
    t.teardown(() => app.close())
    await app.register(async (scope) => {
      await scope.register(keycloak, { ...realm.options, requireAuthentication: true })
      scope.get('/closed', async () => 'ok')
    }, { prefix: '/api' })
    await app.register(engine as never)
    ;(app as unknown as Use).use('/api/private', (_request: unknown, response: { end: (text: string) => void }) => response.end('SECRET'))
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.equal(await get(app, '/api/closed'), '401 not_authenticated')
    t.equal(await get(app, '/api/private'), '200 SECRET', 'this is what it warns of')
    t.match(log.lines.filter(({ level }) => level === WARN), [{ code: 'middleware_outside', msg: /reaches it without a token in spite of requireAuthentication\. Register fastify-keycloak-bearer at the root/ }])
  })

  t.test(`${name} in a scope within: what its own handler for unknown routes gets needs a token`, async (t) => {
    const realm = await realmFor(t)
    const log = logging()
    const app = Fastify(log)
    t.teardown(() => app.close())
    await app.register(keycloak, { ...realm.options, requireAuthentication: true })
    await app.register(async (scope) => {
      await scope.register(engine as never)
      ;(scope as Use).use('/private', (_request: unknown, response: { end: (text: string) => void }) => response.end('SECRET'))
      scope.setNotFoundHandler(async (_request, reply) => reply.code(404).send({ code: 'lost' }))
    }, { prefix: '/api' })
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.equal(await get(app, '/api/private'), '401 not_authenticated')
    t.equal(await get(app, '/api/private', bearer(realm.token())), '200 SECRET')
    t.equal(await get(app, '/elsewhere'), '404', 'where there is no middleware, unknown is unknown')
    t.same(log.lines.filter(({ level }) => level === WARN), [])
  })
}
