// A rule counts in the scope that has the plugin. Where it stands outside the start says so, by name.
import Fastify, { type FastifyInstance, type FastifyServerOptions, type RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { ask, logging, realmFor, WARN } from '../support/app.js'

const config = { permission: 'admin' } as const
const handler = async () => 'ok'

/** An application, and the warnings of its log. */
function application (t: Test, options: FastifyServerOptions = {}) {
  const log = logging()
  const app: FastifyInstance = Fastify({ ...options, ...log })
  t.teardown(() => app.close())
  return { app, warnings: () => log.lines.filter(({ level }) => level === WARN).map(({ code, msg }) => `${code}: ${msg}`) }
}

/** The plugin in a plugin of the application, with nothing around it. */
const unwrapped = (realm: TestRealm) => async (scope: FastifyInstance) => {
  await scope.register(keycloak, realm.options)
  scope.get('/inside', { config }, handler)
}

t.test('rules outside of the scope that has the plugin are named at start, with the cure', async (t) => {
  const realm = await realmFor(t)
  const { app, warnings } = application(t)
  await app.register(unwrapped(realm))
  app.get('/admin', { config }, handler)
  app.post('/write', { config: { scope: 'write' } }, handler)
  app.get('/any', { config: { authenticated: true } }, handler)
  app.get('/open', handler)
  t.equal(await ask(app, '/admin'), '200', 'nobody looks at it: this is what it warns of')
  t.equal(await ask(app, '/inside'), '401 not_authenticated')
  t.match(warnings(), [/^routes_outside: .* \(GET, HEAD \/admin; POST \/write; GET, HEAD \/any\): ANYBODY can call them.* wrap the plugin that registers it with fastify-plugin/])
})

t.test('so are those that were added before it, since plugins load last', async (t) => {
  const realm = await realmFor(t)
  const { app, warnings } = application(t)
  app.register(unwrapped(realm))
  app.get('/admin', { config }, handler)
  t.equal(await ask(app, '/admin'), '200')
  t.match(warnings(), [/^routes_outside: .* \(GET, HEAD \/admin\)/])
})

t.test('so are those of scopes beside and around it, at any depth, with their prefix', async (t) => {
  const realm = await realmFor(t)
  const { app, warnings } = application(t, { exposeHeadRoutes: false })
  app.register(async (before) => { before.get('/', { config }, handler) }, { prefix: '/before' })
  app.register(async (around) => {
    around.get('/first', { config }, handler)
    await around.register(unwrapped(realm), { prefix: '/deep' })
    around.get('/last', { config }, handler)
  }, { prefix: '/around' })
  app.register(async (after) => { await after.register(async (deeper) => { deeper.get('/', { config }, handler) }, { prefix: '/deeper' }) }, { prefix: '/after' })
  for (const url of ['/before', '/around/first', '/around/last', '/after/deeper']) t.equal(await ask(app, url), '200', url)
  t.equal(await ask(app, '/around/deep/inside'), '401 not_authenticated')
  t.match(warnings(), [/\(GET \/before; GET \/around\/first; GET \/around\/last; GET \/after\/deeper\)/])
})

t.test('wrapped by fastify-plugin, or at the root, all is closed and nothing is said', async (t) => {
  const realm = await realmFor(t)
  for (const auth of [fp(unwrapped(realm)), fp(async (scope: FastifyInstance) => { await scope.register(fp(unwrapped(realm))) })]) {
    const { app, warnings } = application(t)
    await app.register(auth)
    app.get('/admin', { config }, handler)
    await app.register(async (child) => { child.get('/', { config }, handler) }, { prefix: '/child' })
    for (const url of ['/admin', '/child', '/inside']) t.equal(await ask(app, url), '401 not_authenticated', url)
    t.same(warnings(), [])
  }
})

t.test('what carries no rule outside is no reason to warn', async (t) => {
  const realm = await realmFor(t)
  const { app, warnings } = application(t)
  await app.register(unwrapped(realm))
  const configs = [undefined, null, {}, { public: true }, { keycloak: false }, { scope: undefined }, { permission: null }, { authenticated: false }, { rateLimit: {} }]
  for (const [at, config] of configs.entries()) app.get(`/${at}`, { config: config as object }, handler)
  await app.ready()
  t.same(warnings(), [])
})

t.test('several realms in scopes beside each other do not warn of one another, and of what lies outside once', async (t) => {
  const realms = [await realmFor(t, { name: 'one' }), await realmFor(t, { name: 'two' }), await realmFor(t, { name: 'three' })]
  const { app, warnings } = application(t)
  for (const [at, realm] of realms.entries()) app.register(unwrapped(realm), { prefix: `/${at}` })
  await app.ready()
  t.same(warnings(), [])
  const other = application(t)
  other.app.get('/admin', { config }, handler)
  for (const [at, realm] of realms.entries()) other.app.register(unwrapped(realm), { prefix: `/${at}` })
  await other.app.ready()
  t.match(other.warnings(), [/routes_outside: .* \(GET, HEAD \/admin\)/])
  t.equal(other.warnings().length, 1)
})

t.test('two copies of the package in one process know of each other\'s scopes', async (t) => {
  const realm = await realmFor(t)
  // As a dependency of the application may bring one.
  const url = '../../index.js?copy'
  const { default: copy } = await import(url) as { default: typeof keycloak }
  t.not(copy, keycloak)
  for (const [one, other] of [[keycloak, copy], [copy, keycloak]] as const) {
    const { app, warnings } = application(t, { exposeHeadRoutes: false })
    app.get('/admin', { config }, handler)
    for (const [at, plugin] of [one, other].entries()) {
      app.register(async (scope) => {
        await scope.register(plugin, realm.options)
        scope.get('/inside', { config }, handler)
      }, { prefix: `/${at}` })
    }
    for (const url of ['/0/inside', '/1/inside']) t.equal(await ask(app, url), '401 not_authenticated')
    t.match(warnings(), [/^routes_outside: .* \(GET \/admin\)/])
    t.equal(warnings().length, 1)
  }
})

t.test('a rule outside is seen in every form of config, and where a hook gives it later', async (t) => {
  const realm = await realmFor(t)
  const { app, warnings } = application(t, { exposeHeadRoutes: false })
  class Admin { get permission (): string { return 'admin' } }
  app.get('/class', { config: new Admin() as object }, handler)
  app.addHook('onRoute', (route: RouteOptions) => { if (route.url === '/later') route.config = { permission: 'admin' } })
  app.get('/later', handler)
  app.register(unwrapped(realm))
  app.get('/function', { config: Object.assign(() => {}, config) as object }, handler)
  await app.ready()
  t.match(warnings(), [/\(GET \/class; GET \/later; GET \/function\)/])
})

t.test('five of them are named', async (t) => {
  const realm = await realmFor(t)
  const { app, warnings } = application(t)
  for (let at = 1; at < 7; at++) app.get(`/${at}`, { config }, handler)
  app.register(unwrapped(realm))
  await app.ready()
  t.match(warnings(), [/\(GET, HEAD \/1; .* \/5; …\)/])
})

t.test('a route that was added early is named only where it is guarded', async (t) => {
  const realm = await realmFor(t)
  for (const prefix of ['', '/api']) {
    const { app, warnings } = application(t, { exposeHeadRoutes: false })
    app.get('/root', handler)
    app.get('/api/root', handler)
    app.register(async (beside) => { beside.get('/', handler) }, { prefix: '/api/beside' })
    app.register(async (scope) => {
      scope.get('/early', { config }, handler)
      scope.register(async (child) => { child.get('/', { config }, handler) }, { prefix: '/child' })
      await scope.register(keycloak, realm.options)
      scope.get('/late', { config }, handler)
    }, { prefix })
    for (const url of ['/root', '/api/root', '/api/beside']) t.equal(await ask(app, url), '200', url)
    for (const url of ['/early', '/child', '/late']) t.equal(await ask(app, prefix + url), '401 not_authenticated', url)
    t.equal(warnings().length, 1)
    t.match(warnings()[0], new RegExp(`^early_routes: routes were added before fastify-keycloak-bearer had loaded \\(GET ${prefix}/early; GET ${prefix}/child\\)\\. In its scope they are guarded`))
  }
})

t.test('so is one that is added late to a scope that was there early', async (t) => {
  const realm = await realmFor(t)
  const { app, warnings } = application(t, { exposeHeadRoutes: false })
  let child!: FastifyInstance
  await app.register(async (scope) => { child = scope }, { prefix: '/child' })
  await app.register(keycloak, realm.options)
  child.get('/late', { config }, handler)
  app.get('/last', { config }, handler)
  for (const url of ['/child/late', '/last']) t.equal(await ask(app, url), '401 not_authenticated', url)
  t.match(warnings(), [/^early_routes: routes were added in a scope that was there before fastify-keycloak-bearer had loaded \(GET \/child\/late\)\. In its scope they are guarded/])
  t.equal(warnings().length, 1)
})

t.test('a rule of an early route that Fastify has left behind stops the start', async (t) => {
  const realm = await realmFor(t)
  class Admin { get permission (): string { return 'admin' } }
  const configs = [new Admin(), Object.defineProperty({}, 'authenticated', { value: true }), new Proxy({}, { get: (_target, key) => key === 'scope' ? 'write' : undefined })]
  for (const config of configs) {
    const { app } = application(t)
    app.register(keycloak, realm.options)
    app.get('/early', { config: config as object }, handler)
    await t.rejects(Promise.resolve(app.ready()), { message: /^fastify-keycloak-bearer: GET \/early: config\.(permission|authenticated|scope) is lost, .* write `await fastify\.register/ })
  }
})
