// Routes that look closed and are open: what people write by mistake is an error, or named at start.
import Fastify, { type FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { ask, logging, realmFor, WARN } from '../support/app.js'

const handler = async () => 'ok'

async function api (t: Test, options: Partial<KeycloakOptions> = {}, server: FastifyServerOptions = {}) {
  const realm = await realmFor(t)
  const log = logging()
  const app = Fastify({ exposeHeadRoutes: false, ...server, ...log })
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, ...options })
  return { app, warnings: () => log.lines.filter(({ level }) => level === WARN).map(({ code, msg }) => `${code}: ${msg}`) }
}

t.test('a rule beside config is an error when the route is added', async (t) => {
  const { app } = await api(t)
  const rules: Array<Record<string, unknown>> = [
    { permission: 'admin' }, { scope: 'write' }, { authenticated: true }, { public: true }, { permission: undefined }, { permission: 'admin', config: {} },
    { permission: 'admin', config: { permission: 'admin' } }, { scope: ['write'], schema: {} }
  ]
  for (const rule of rules) {
    const [key] = Object.keys(rule)
    const message = `fastify-keycloak-bearer: GET /wrong: ${key} stands beside config, where nothing looks at it; write config: { ${key}: … }`
    t.throws(() => app.get('/wrong', rule as object, handler), { message })
    t.throws(() => app.route({ method: 'GET', url: '/wrong', handler, ...rule }), { message })
  }
  await t.rejects(Promise.resolve(app.register(async (child) => { child.post('/', { scope: 'write' } as object, handler) }, { prefix: '/child' })),
    { message: /POST \/child: scope stands beside config/ })
})

t.test('so it is on a route that was added before the plugin had loaded: the start stops', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  app.register(keycloak, realm.options)
  app.get('/early', { permission: 'admin' } as object, handler)
  await t.rejects(Promise.resolve(app.ready()), { message: /GET \/early: permission stands beside config/ })
})

t.test('keys that look like rules are named at start, once, with what to write', async (t) => {
  const { app, warnings } = await api(t)
  app.get('/role', { config: { role: 'admin' } as object }, handler)
  app.get('/roles', { config: { roles: ['admin'] } as object }, handler)
  app.post('/roles', { config: { roles: ['admin'] } as object }, handler)
  app.get('/scopes', { config: { scopes: ['write'] } as object }, handler)
  app.get('/auth', { config: { auth: true } as object }, handler)
  t.equal(await ask(app, '/roles'), '200', 'this is what it warns of')
  t.match(warnings(), [/^unknown_rules: .* \(config\.role of GET \/role; config\.roles of GET, POST \/roles; config\.scopes of GET \/scopes; config\.auth of GET \/auth\): nothing here checks them\. Write config: { permission: … } for roles/])
  t.equal(warnings().length, 1)
})

t.test('in whatever spelling, form and place they are', async (t) => {
  class Config { get roles (): string[] { return ['admin'] } }
  const keys: Array<[string, object]> = [
    ...['Roles', 'ROLES', 'requiredRoles', 'required_roles', 'authorize', 'authorization', 'requireAuthentication', 'requireAuth', 'requiresAuth', 'authentication', 'protected', 'Scope', 'SCOPE', 'scop', 'realm', 'realms', 'iss', 'issuerName', 'group', 'groups', 'organization', 'Organizations', 'client', 'authorizedParties', 'azp', 'tenant', 'org']
      .map((key): [string, object] => [`config.${key}`, { config: { [key]: 'x' } }]),
    ['config.roles', { config: new Config() }],
    ['config.roles', { config: Object.create({ roles: 'x' }) }],
    ['config.roles', { config: { roles: 'x', public: true } }],
    ['roles', { roles: ['admin'] }],
    ['scopes', { scopes: ['write'], config: {} }],
    ['auth', { auth: true }],
    ['permissions', { permissions: ['admin'] }],
    ['authenticate', { authenticate: true }],
    ['schema.security', { schema: { security: [{ KeycloakAuth: [] }] } }]
  ]
  for (const [name, options] of keys) {
    const { app, warnings } = await api(t)
    app.get('/', options, handler)
    await app.ready()
    t.match(warnings(), [new RegExp(`^unknown_rules: .* \\(${name} of GET /\\)`)], name)
  }
})

t.test('on routes that were added early, and in scopes within, too', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = Fastify({ exposeHeadRoutes: false, ...log })
  t.teardown(() => app.close())
  app.register(keycloak, realm.options)
  app.get('/early', { config: { roles: ['admin'] } as object }, handler)
  app.register(async (child) => { child.get('/', { config: { roles: ['admin'] } as object }, handler) }, { prefix: '/child' })
  await app.ready()
  t.match(log.lines.filter(({ code }) => code === 'unknown_rules'), [{ msg: /\(config\.roles of GET \/early; GET \/child\)/ }])
})

t.test('where a rule of ours is beside them, or they ask for nothing, nothing is said', async (t) => {
  const { app, warnings } = await api(t)
  const options: Array<Record<string, unknown>> = [
    { config: { roles: ['x'], permission: 'x' } }, { config: { scopes: ['x'], scope: 'x' } }, { config: { auth: true, authenticated: true } },
    { config: { roles: ['x'], keycloak: false } }, { config: { roles: [], auth: false } }, { config: { role: undefined, auth: null, scopes: '' } },
    { config: { rateLimit: {}, score: 5, rolesOf: 1, authored: 1 } }, { config: null }, {},
    { schema: { security: [] } }, { schema: { security: [{ KeycloakAuth: [] }, {}] } }, { schema: { security: [{ apiKey: [] }] } }, { schema: { security: 'x' } },
    { schema: { security: [{ KeycloakAuth: [] }] }, config: { authenticated: true } }
  ]
  for (const [at, each] of options.entries()) app.get(`/${at}`, each as object, handler)
  await app.ready()
  t.same(warnings(), [])
})

t.test('under requireAuthentication a key that asks for a valid token has one; others and open routes are named', async (t) => {
  const { app, warnings } = await api(t, { requireAuthentication: true })
  app.get('/auth', { config: { auth: true } as object }, handler)
  app.get('/documented', { schema: { security: [{ KeycloakAuth: [] }] } as object }, handler)
  app.get('/roles', { config: { roles: ['admin'] } as object }, handler)
  app.get('/public', { config: { auth: true, public: true } as object }, handler)
  t.equal(await ask(app, '/auth'), '401 not_authenticated')
  t.match(warnings(), [/\(config\.roles of GET \/roles; config\.auth of GET \/public\)/])
})
