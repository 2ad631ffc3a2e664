import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import keycloak from '../../index.js'
import { apiFor, ask, bearer, logging, realmFor } from '../support/app.js'

const ANONYMOUS = '401 not_authenticated'
const NOT_VALID = '401 token_not_valid'

/** An array that has a length and gives no members. */
class EmptyArray extends Array<string> { override [Symbol.iterator] () { return [][Symbol.iterator]() } }

t.test('public, authenticated and keycloak: false say what they are', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/public', { config: { public: true } }, async ({ user }) => user)
  app.get('/any', { config: { authenticated: true } }, async ({ user }) => user)
  app.get('/off', { config: { keycloak: false } }, async ({ user }) => ({ user }))
  t.equal(await ask(app, '/public'), '200')
  t.equal(await ask(app, '/public', 'x'), NOT_VALID, 'a bad token is refused on public routes too')
  t.equal(await ask(app, '/any'), ANONYMOUS)
  t.equal(await ask(app, '/any', realm.token()), '200')
  t.equal(await ask(app, '/off', 'x'), '200')
  t.same((await app.inject({ url: '/off', headers: bearer(realm.token()) })).json(), { user: null })
})

t.test('requireAuthentication denies anonymous callers everywhere but where the config says otherwise', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { requireAuthentication: true })
  app.get('/public', { config: { public: true } }, async () => 'ok')
  app.get('/off', { config: { keycloak: false } }, async () => 'ok')
  t.equal(await ask(app, '/open'), ANONYMOUS)
  t.equal(await ask(app, '/open', realm.token()), '200')
  t.equal(await ask(app, '/profile', realm.token()), '403 permission_denied')
  t.equal(await ask(app, '/public'), '200')
  t.equal(await ask(app, '/off'), '200')
})

t.test('a rule that means nothing throws when the route is added, in one sentence that names it', async (t) => {
  const app = await apiFor(t, await realmFor(t))
  const endless: unknown[] = []
  endless.push(endless)
  const configs: Array<[Record<string, unknown>, RegExp]> = [
    [{ permission: '' }, /config\.permission must name a role, not an empty string/],
    [{ permission: [] }, /config\.permission must hold a rule at least, not an empty array/],
    [{ permission: undefined }, /config\.permission must be a role name, .* not undefined/],
    [{ permission: null }, /not null/],
    [{ permission: 5 }, /not a number/],
    [{ permission: true }, /not true/],
    [{ permission: {} }, /not an object/],
    [{ permission: { any: 'a' } }, /not an object/],
    [{ permission: { some: ['a'] } }, /not an object/],
    [{ permission: { any: ['a'], all: ['b'] } }, /not an object/],
    [{ permission: { any: [] } }, /config\.permission\.any must hold a rule at least/],
    [{ permission: ['a', { all: ['b', ''] }] }, /config\.permission\[1\]\.all\[1\] must name a role/],
    [{ permission: endless }, /nests rules more than 16 deep/],
    [{ scope: '' }, /config\.scope must be a word of the scope claim/],
    [{ scope: [] }, /config\.scope must be/],
    [{ scope: 'read write' }, /config\.scope must be/],
    [{ scope: ['a', 5] }, /config\.scope must be/],
    [{ permission: new Array(1) }, /config\.permission\[0\] must be/],
    [{ scope: new Array(1) }, /config\.scope must be/],
    [Object.create({ permission: '' }), /config\.permission must name a role/],
    [{ scope: undefined }, /config\.scope must be/],
    [{ scope: 'a"b' }, /config\.scope must be/],
    [{ authenticated: false }, /config\.authenticated must be true or left out, not false/],
    [{ authenticated: undefined }, /config\.authenticated must be true or left out, not undefined/],
    [{ public: 'yes' }, /config\.public must be true or left out, not a string/],
    [{ keycloak: true }, /config\.keycloak must be false or left out, not true/],
    [{ public: true, permission: 'a' }, /config\.public goes with none of/],
    [{ public: true, authenticated: true }, /config\.public goes with none of/],
    [{ keycloak: false, permission: 'a' }, /config\.keycloak: false goes with none of/],
    [{ keycloak: false, public: true }, /config\.keycloak: false goes with none of/],
    [{ keycloak: false, scope: 'a' }, /config\.keycloak: false goes with none of/],
    [{ permision: 'a' }, /config\.permision is not known; write permission/],
    [{ permissions: ['a'] }, /config\.permissions is not known; write permission/],
    [{ premission: 'a' }, /write permission/],
    [{ Permission: 'a' }, /write permission/],
    [{ permmision: 'a' }, /write permission/],
    [{ authenticate: true }, /config\.authenticate is not known; write authenticated/],
    [{ autenticated: true }, /write authenticated/],
    ...['isuer', 'isser', 'issuerr', 'issure', 'Issuers', 'ISSUER', 'issuer_'].map((key): [Record<string, unknown>, RegExp] => [{ authenticated: true, [key]: 'acme' }, new RegExp(`config\\.${key} is not known; write issuer`)]),
    [{ realmRole: 'admin' }, /config\.realmRole is not known; write permission: { realmRole: … }/],
    [{ issuer: 'test', clientRole: 'admin', client: 'books' }, /config\.clientRole is not known; write permission: { clientRole: … }/],
    ...['realmRoles', 'realm_role', 'realmrole'].map((key): [Record<string, unknown>, RegExp] => [{ [key]: 'admin' }, /write permission: { realmRole: … }/]),
    [{ authorizedParty: 'web' }, /write permission: { authorizedParty: … }/],
    [{ any: ['admin'] }, /config\.any is not known; write permission: { any: … }/],
    [{ authenticated: true, all: ['admin', 'editor'] }, /config\.all is not known; write permission: { all: … }/],
    [{ permission: new EmptyArray('admin', 'editor') }, /config\.permission must hold a rule at least/],
    [{ permission: { any: new EmptyArray('admin', 'editor') } }, /config\.permission\.any must hold a rule at least/]
  ]
  for (const [config, message] of configs) {
    t.throws(() => app.get('/wrong', { config: config as object }, async () => 'ok'), { message }, String(message))
  }
  t.throws(() => app.get('/wrong', { config: { permission: '' as string } }, async () => 'ok'), { message: /^fastify-keycloak-bearer: GET \/wrong: / })
})

t.test('keys that other plugins may own are left alone', async (t) => {
  const app = await apiFor(t, await realmFor(t))
  const config = { auth: true, scopes: ['x'], roles: ['y'], rateLimit: {}, permissive: 1, authenticator: 2, swagger: {}, issue: 3, issues: 4, issued: 5, isUser: 6, any: true, all: 'x', ['x'.repeat(50)]: 1 }
  app.get('/others', { config }, async (request) => Object.keys(request.routeOptions.config))
  t.same((await app.inject('/others')).json(), [...Object.keys(config), 'url', 'method'])
})

t.test('a config object shared by routes, or frozen, is not changed', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const config = Object.freeze({ permission: 'view-profile' })
  app.get('/one', { config }, async () => 'ok')
  app.post('/two', { config }, async () => 'ok')
  t.equal(await ask(app, '/one'), ANONYMOUS)
  t.equal((await app.inject({ method: 'POST', url: '/two', headers: bearer(realm.token({ roles: ['view-profile'] })) })).statusCode, 200)
  t.same(Reflect.ownKeys(config), ['permission'])
})

t.test('who was let in before all hooks had given their rules is judged by them afterwards', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  const token = realm.token()
  const early: number[] = []
  // Before the hook of the plugin, as a self-check at start would do.
  app.addHook('onReady', async () => {
    const server = createServer((request, response) => app.routing(request, response)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/admin`
    for (let times = 0; times < 3; times++) early.push((await fetch(url, { headers: { ...bearer(token), connection: 'close' } })).status)
    server.close()
  })
  await app.register(keycloak, realm.options)
  app.addHook('onRoute', (route) => { route.config = { ...route.config, permission: 'admin' } })
  app.get('/admin', async () => 'secret')
  await app.ready()
  t.same(early, [200, 200, 200])
  for (let times = 0; times < 3; times++) t.equal(await ask(app, '/admin', token), '403 permission_denied')
})

t.test('a rule that an onRoute hook of the application gives later counts, and so does an inherited one', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify({ exposeHeadRoutes: false })
  t.teardown(() => app.close())
  await app.register(keycloak, realm.options)
  app.addHook('onRoute', (route) => { if (route.url.startsWith('/admin')) route.config = { ...route.config, permission: 'admin' } })
  app.addHook('onRoute', (route) => { if (route.url.startsWith('/new')) route.config = { permission: 'admin' } })
  app.get('/admin', async () => 'secret')
  app.get('/new', async () => 'secret')
  app.get('/inherited', { config: Object.create({ permission: 'admin' }) }, async () => 'secret')
  for (const url of ['/admin', '/new', '/inherited']) {
    t.equal(await ask(app, url), ANONYMOUS, url)
    t.equal(await ask(app, url, realm.token()), '403 permission_denied', url)
    t.equal(await ask(app, url, realm.token({ roles: ['admin'] })), '200', url)
  }
  t.match(app.keycloak.routes()[0], { url: '/admin', access: 'restricted', rule: 'permission admin' })
})

t.test('a mistake of such a hook stops the start', async (t) => {
  const app = Fastify()
  await app.register(keycloak, (await realmFor(t)).options)
  app.addHook('onRoute', (route) => { route.config = { ...route.config, permission: '' } })
  app.get('/admin', async () => 'secret')
  await t.rejects(Promise.resolve(app.ready()), { message: /GET \/admin: config\.permission must name a role/ })
})

t.test('changing an array after the route was added changes nothing', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const scope = ['write'] as [string]
  app.get('/scope', { config: { scope } }, async () => 'ok')
  await app.ready()
  scope.length = 0 as 1
  t.equal(await ask(app, '/scope', realm.token()), '403 permission_denied')
})

t.test('in a scope that was loaded before, an anonymous caller is null and holds nothing', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(async (child) => {
    child.get('/early', async (request) => ({ user: request.user, auth: request.auth, may: request.hasPermission(() => true) }))
  }, { prefix: '/child' })
  await app.register(keycloak, realm.options)
  t.same((await app.inject('/child/early')).json(), { user: null, auth: null, may: false })
})

t.test('handlers for what is not found are reached whatever the token, and callNotFound leaves no way around', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.setNotFoundHandler((request, reply) => reply.code(404).send({ lost: request.url }))
  app.get('/gone', { config: { permission: 'a' } }, async (_request, reply) => reply.callNotFound())
  t.same((await app.inject({ url: '/nowhere', headers: bearer('x') })).json(), { lost: '/nowhere' })
  t.equal(await ask(app, '/gone'), ANONYMOUS)
  t.equal((await app.inject({ url: '/gone', headers: bearer(realm.token({ roles: ['a'] })) })).statusCode, 404)
})

t.test('HEAD routes that Fastify adds by itself are guarded like their GET', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const head = async (token?: string) => (await app.inject({ method: 'HEAD', url: '/profile', headers: token === undefined ? {} : bearer(token) })).statusCode
  t.equal(await head(), 401)
  t.equal(await head(realm.token()), 403)
  t.equal(await head(realm.token({ roles: ['view-profile'] })), 200)
})

t.test('routes in child scopes and prefixed plugins are guarded, with either spelling of their root', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  await app.register(async (child: FastifyInstance) => {
    child.get('/', { config: { permission: 'a' } }, async () => 'ok')
    await child.register(async (grandchild) => { grandchild.get('/deep', { config: { permission: 'a' } }, async () => 'ok') })
  }, { prefix: '/child' })
  for (const url of ['/child', '/child/', '/child/deep']) {
    t.equal(await ask(app, url), ANONYMOUS, url)
    t.equal(await ask(app, url, realm.token({ roles: ['a'] })), '200', url)
  }
})

t.test('URLs written otherwise reach the same guard', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify({ routerOptions: { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true } })
  t.teardown(() => app.close())
  await app.register(keycloak, realm.options)
  app.get('/profile/:id', { config: { permission: 'a' } }, async () => 'ok')
  for (const url of ['/PROFILE/1', '/profile/1/', '//profile//1', '/%70rofile/1', '/profile/1?x=/open', '/profile/..%2fopen']) {
    t.equal(await ask(app, url), ANONYMOUS, url)
  }
})

t.test('a route added before the plugin had loaded is guarded all the same, and the start warns of it', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = Fastify(log)
  t.teardown(() => app.close())
  app.register(keycloak, realm.options)
  app.get('/early', { config: { permission: 'a' } }, async () => 'ok')
  app.register(async (child) => { child.get('/', { config: { permission: 'a' } }, async () => 'ok') }, { prefix: '/child' })
  t.equal(await ask(app, '/early'), ANONYMOUS)
  t.equal(await ask(app, '/early', realm.token()), '403 permission_denied')
  t.equal(await ask(app, '/early', realm.token({ roles: ['a'] })), '200')
  t.equal(await ask(app, '/child'), ANONYMOUS)
  t.match(log.lines.filter(({ level }) => level === 40).map(({ msg }) => msg), [/^routes were added before .* \(GET, HEAD \/early\)\. In its scope they are guarded/])
})

t.test('routes of plugins loaded before are guarded, and named in the warning, five of them at most', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = Fastify(log)
  t.teardown(() => app.close())
  app.get('/a/b', async () => 'ok')
  await app.register(async (child) => {
    for (const id of [1, 2, 3, 4, 5]) child.post(`/${id}`, { config: { authenticated: true } }, async () => 'ok')
  }, { prefix: '/a' })
  await app.register(keycloak, realm.options)
  t.match(log.lines.filter(({ level }) => level === 40).map(({ msg }) => msg), [/POST \/a\/1; .*; …\)/])
  t.equal((await app.inject({ method: 'POST', url: '/a/5' })).statusCode, 401)
})

t.test('an early route with a mistake in its config lets nobody in', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(keycloak, realm.options)
  app.get('/early', { config: { permission: '' } }, async () => 'ok')
  for (let times = 0; times < 2; times++) {
    t.match((await app.inject('/early')).json(), { statusCode: 500, message: /GET \/early: config\.permission must name a role/ })
  }
})

t.test('an unknown route is 404 whatever the token', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { requireAuthentication: true })
  for (const token of [undefined, 'x', realm.token(), realm.token({ expired: true })]) {
    t.equal((await app.inject({ url: '/nowhere', headers: token === undefined ? {} : bearer(token) })).statusCode, 404)
  }
  t.equal(realm.requests.certs, 0)
})

t.test('two realms guard two scopes, each with its own keys', async (t) => {
  const [one, two] = [await realmFor(t, { name: 'one' }), await realmFor(t, { name: 'two' })]
  const app = Fastify()
  t.teardown(() => app.close())
  const config = { authenticated: true } as const
  for (const realm of [one, two]) {
    await app.register(async (scope) => {
      await scope.register(keycloak, realm.options)
      scope.get('/me', { config }, async ({ user }) => user)
    }, { prefix: realm === one ? '/one' : '/two' })
  }
  app.get('/outside', { config }, async (request) => request.user ?? 'nobody looked')
  t.equal(await ask(app, '/one/me', one.token()), '200')
  t.equal(await ask(app, '/two/me', two.token()), '200')
  t.equal(await ask(app, '/one/me', two.token()), NOT_VALID)
  t.equal(await ask(app, '/two/me', one.token()), NOT_VALID)
  t.equal((await app.inject('/outside')).body, 'nobody looked')
})

t.test('fastify.keycloak.routes() tells who may call what', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify({ exposeHeadRoutes: false })
  t.teardown(() => app.close())
  await app.register(keycloak, realm.options)
  app.get('/open', async () => 'ok')
  app.get('/off', { config: { keycloak: false } }, async () => 'ok')
  app.get('/any', { config: { authenticated: true } }, async () => 'ok')
  app.route({ method: ['PUT', 'POST'], url: '/rule', config: { permission: { any: ['a', ['b', function isOwner () { return true }]] }, scope: ['x', 'y'] }, handler: async () => 'ok' })
  app.get('/own', { config: { permission: [() => true] } }, async () => 'ok')
  t.same(app.keycloak.routes(), [
    { method: 'GET', url: '/open', access: 'optional' },
    { method: 'GET', url: '/off', access: 'open' },
    { method: 'GET', url: '/any', access: 'authenticated' },
    { method: 'PUT,POST', url: '/rule', access: 'restricted', rule: 'permission any of (a, all of (b, isOwner())) and scope x y' },
    { method: 'GET', url: '/own', access: 'restricted', rule: 'permission all of (a function)' }
  ])
})
