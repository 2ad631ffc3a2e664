import t from 'tap'
import type { PermissionRule } from '../../index.js'
import { apiFor, ask, bearer, realmFor } from '../support/app.js'

const DENIED = '403 permission_denied'
const yes = () => true
const no = () => false

t.test('a rule is a role, all of several, any of several, or a function, nested at will', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const rules: Array<[PermissionRule, boolean]> = [
    ['a', true], ['c', false], ['A', false], ['a ', false],
    [['a', 'b'], true], [['a', 'c'], false],
    [{ all: ['a', 'b'] }, true], [{ all: ['a', 'c'] }, false],
    [{ any: ['c', 'a'] }, true], [{ any: ['c', 'd'] }, false],
    [{ any: [['a', 'c'], { all: ['a', 'b'] }] }, true],
    [{ all: [{ any: ['c', 'd'] }, 'a'] }, false],
    [yes, true], [no, false], [async () => true, true], [async () => false, false],
    [(() => 1) as never, false], [(() => 'true') as never, false], [(async () => 'yes') as never, false],
    [(() => {}) as never, false], [(() => ({ then: (resolve: (value: boolean) => void) => resolve(true) })) as never, true],
    [{ any: [async () => false, 'a'] }, true], [{ any: [async () => false, no] }, false],
    [{ any: [async () => true, () => { throw new Error('never asked') }] }, true],
    [{ all: [async () => true, 'a', async () => true] }, true], [{ all: [async () => true, 'c'] }, false],
    [{ all: [async () => false, () => { throw new Error('never asked') }] }, false],
    [({ sub }) => sub === 'me', true],
    [(_claims, { url }) => url.startsWith('/rule'), true]
  ]
  for (const [at, [permission]] of rules.entries()) app.get(`/rule/${at}`, { config: { permission } }, async () => 'ok')
  const token = realm.token({ roles: ['a', 'b'], sub: 'me' })
  for (const [at, [rule, allowed]] of rules.entries()) {
    t.equal(await ask(app, `/rule/${at}`, token), allowed ? '200' : DENIED, `${at}: ${JSON.stringify(rule)}`)
    t.equal(await ask(app, `/rule/${at}`), '401 not_authenticated')
  }
})

t.test('what one route allowed a kept token, another one still denies it, and functions are asked each time', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const moody = [true, false, true, true, false, true]
  const rules = { held: 'a', missing: 'b', either: { any: ['b', 'a'] }, moody: { all: ['a', () => moody.shift()!] } } as const
  for (const [name, permission] of Object.entries(rules)) app.get(`/${name}`, { config: { permission } }, async () => 'ok')
  app.get('/write', { config: { scope: 'write' } }, async () => 'ok')
  app.get('/admin', { config: { scope: 'admin', permission: 'a' } }, async () => 'ok')
  const token = realm.token({ roles: ['a'], scope: 'read write' })
  for (const moods of [['200', DENIED], ['200', '200'], [DENIED, '200']]) {
    t.equal(await ask(app, '/held', token), '200')
    t.equal(await ask(app, '/missing', token), DENIED)
    t.equal(await ask(app, '/either', token), '200')
    t.equal(await ask(app, '/write', token), '200')
    t.equal(await ask(app, '/admin', token), DENIED)
    for (const mood of moods) t.equal(await ask(app, '/moody', token), mood)
  }
})

t.test('a function for permissionPath is asked each time, the same route or not', async (t) => {
  const realm = await realmFor(t)
  let roles: string[] = []
  const app = await apiFor(t, realm, { permissionPath: () => roles })
  app.get('/a', { config: { permission: 'a' } }, async () => 'ok')
  const token = realm.token()
  for (const [now, answer] of [[['a'], '200'], [[], DENIED], [['a'], '200'], [['b'], DENIED]] as const) {
    roles = [...now]
    t.equal(await ask(app, '/a', token), answer)
  }
})

t.test('roles in a list that answers by other than true and false', async (t) => {
  class Own extends Array<string> {
    override includes (): boolean { return 1 as never }
  }
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { permissionPath: () => Own.from(['a']) })
  app.get('/a', { config: { permission: 'a' } }, async () => 'ok')
  t.equal(await ask(app, '/a', realm.token()), '200')
})

t.test('routes() names a rule function by its own name, if it has one', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  function isOwner (): boolean { return true }
  app.get('/in-place', { config: { permission: () => true } }, async () => 'ok')
  app.get('/named', { config: { permission: isOwner } }, async () => 'ok')
  const rules = app.keycloak.routes().filter(({ method, url }) => method === 'GET' && ['/in-place', '/named'].includes(url)).map(({ rule }) => rule)
  t.same(rules, ['permission a function', 'permission isOwner()'])
})

t.test('what a rule function throws is the application\'s error', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const rules = [() => { throw new Error('mine') }, async () => { throw new Error('mine') }]
  for (const [at, permission] of rules.entries()) app.get(`/rule/${at}`, { config: { permission } }, async () => 'ok')
  for (const at of rules.keys()) {
    t.match((await app.inject({ url: `/rule/${at}`, headers: bearer(realm.token()) })).json(), { statusCode: 500, message: 'mine' })
    t.equal(await ask(app, `/rule/${at}`), '401 not_authenticated', 'and it is never asked of an anonymous caller')
  }
})

t.test('roles are read at resource_access of the client, dots in its name or not', async (t) => {
  for (const clientId of ['api', 'com.example.api']) {
    const realm = await realmFor(t, { clientId })
    const app = await apiFor(t, realm)
    t.equal(await ask(app, '/profile', realm.token({ roles: ['view-profile'] })), '200', clientId)
    t.equal(await ask(app, '/profile', realm.token()), DENIED, 'the role of the same name of another client does not count')
  }
})

t.test('permissionPath may be a dotted string, segments or a function', async (t) => {
  const realm = await realmFor(t)
  const token = realm.token({ realmRoles: ['view-profile'], claims: { 'https://x.y/roles': ['view-profile'] } })
  for (const permissionPath of ['realm_access.roles', ['realm_access', 'roles'], ['https://x.y/roles'], () => ['view-profile']]) {
    t.equal(await ask(await apiFor(t, realm, { permissionPath }), '/profile', token), '200', String(permissionPath))
  }
  for (const permissionPath of ['realm_access', 'a.b.c', 'realm_access.roles.0', 'constructor.name', '__proto__', () => 'view-profile', () => undefined]) {
    t.equal(await ask(await apiFor(t, realm, { permissionPath }), '/profile', token), DENIED, String(permissionPath))
  }
})

t.test('roles that are no list are no roles', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  for (const roles of ['view-profile', { 'view-profile': true }, null, 5, [['view-profile']], ['VIEW-PROFILE']]) {
    t.equal(await ask(app, '/profile', realm.token({ claims: { resource_access: { api: { roles } } } })), DENIED, JSON.stringify(roles))
  }
  for (const claims of [{ resource_access: undefined }, { resource_access: null }, { resource_access: [] }, { resource_access: { api: null } }]) {
    t.equal(await ask(app, '/profile', realm.token({ claims })), DENIED, JSON.stringify(claims))
  }
})

t.test('a role named like a member of every object is held by nobody', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const names = ['constructor', '__proto__', 'length', 'toString']
  for (const permission of names) app.get(`/${permission}`, { config: { permission } }, async () => 'ok')
  for (const permission of names) {
    t.equal(await ask(app, `/${permission}`, realm.token({ roles: ['x'] })), DENIED, permission)
  }
})

t.test('scope asks for words of the scope claim, beside a permission if both are given', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/one', { config: { scope: 'write' } }, async () => 'ok')
  app.get('/two', { config: { scope: ['read', 'write'] } }, async () => 'ok')
  app.get('/both', { config: { scope: 'write', permission: 'a' } }, async () => 'ok')
  t.equal(await ask(app, '/one', realm.token({ scope: 'read write' })), '200')
  t.equal(await ask(app, '/two', realm.token({ scope: 'read write' })), '200')
  for (const scope of ['', 'rewrite', 'write-all', 'WRITE', 'read,write']) t.equal(await ask(app, '/one', realm.token({ scope })), DENIED, scope)
  for (const scope of [['write'], null, undefined, 5]) t.equal(await ask(app, '/one', realm.token({ claims: { scope } })), DENIED, JSON.stringify(scope))
  t.equal(await ask(app, '/two', realm.token({ scope: 'write' })), DENIED)
  t.equal(await ask(app, '/both', realm.token({ scope: 'write' })), DENIED)
  t.equal(await ask(app, '/both', realm.token({ roles: ['a'] })), DENIED)
  t.equal(await ask(app, '/both', realm.token({ scope: 'write', roles: ['a'] })), '200')
  t.equal(await ask(app, '/one'), '401 not_authenticated')
  const { headers } = await app.inject({ url: '/two', headers: bearer(realm.token()) })
  t.match(headers['www-authenticate'], /error="insufficient_scope", .*, scope="read write"$/)
})

t.test('an asynchronous permissionPath is the application\'s error, and kills no process', async (t) => {
  const realm = await realmFor(t)
  for (const permissionPath of [async () => ['view-profile'], async () => { throw new Error('late') }]) {
    const app = await apiFor(t, realm, { permissionPath })
    t.match((await app.inject({ url: '/profile', headers: bearer(realm.token()) })).json(), { statusCode: 500, message: /permissionPath is synchronous/ })
  }
})

t.test('request.hasPermission takes the same rules, at once', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/has', async (request) => [
    request.hasPermission('a'), request.hasPermission(['a', 'c']), request.hasPermission({ any: ['a', 'c'] }),
    request.hasPermission((claims, { url }) => claims.sub === 'me' && url === '/has'), request.hasPermission(() => 1 as never)
  ])
  t.same((await app.inject({ url: '/has', headers: bearer(realm.token({ roles: ['a'], sub: 'me' })) })).json(), [true, false, true, true, false])
  t.same((await app.inject('/has')).json(), [false, false, false, false, false], 'an anonymous caller holds nothing')
})

t.test('request.hasPermission refuses what means nothing, and what answers later', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  let rule: unknown
  app.get('/has', async (request) => request.hasPermission(rule as never))
  for (rule of ['', [], {}, { any: [] }, null, undefined, 5, ['a', ''], { any: ['a'], all: ['a'] }]) {
    t.match((await app.inject({ url: '/has', headers: bearer(realm.token()) })).json(), { statusCode: 500, message: /^The rule of hasPermission/ }, JSON.stringify(rule))
  }
  for (rule of [async () => true, async () => { throw new Error('late') }]) {
    t.match((await app.inject({ url: '/has', headers: bearer(realm.token()) })).json(), { statusCode: 500, message: /hasPermission is synchronous, .*: an asynchronous rule belongs into the config of the route/ })
  }
})
