// { uma } and the token of the caller: bound, lightweight, of another issuer, expired or logged out meanwhile; and the client that asks.
import t, { type Test } from 'tap'
import Fastify from 'fastify'
import keycloak from '../../index.js'
import { createTestRealm } from '../../lib/testing/index.js'
import { apiFor, ask, bearer, logging, realmFor, refusalOf, refusalsIn, until, WARN } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { answers, id, refuses, RESOURCES, type UmaServer, umaOptions, umaServerFor } from '../support/uma-server.js'

async function umaFor (t: Test, name = 'test') {
  const realm = await realmFor(t, { name })
  return { realm, uma: await umaServerFor(t, realm, structuredClone(RESOURCES)) }
}

t.test('Keycloak decides about no token that is bound by DPoP, so it is not asked', async (t) => {
  const { realm, uma } = await umaFor(t)
  const log = logging()
  const app = await apiFor(t, realm, { ...umaOptions(uma), dpop: true }, log)
  app.get('/', { config: { permission: { uma: 'invoice#read' } } }, async () => 'allowed')
  for (let at = 0; at < 3; at++) t.match((await realm.inject(app, { as: { dpop: true }, url: '/' })).json(), { statusCode: 403, code: 'permission_denied' })
  t.equal(refusalsIn(log).at(-1)?.reasonCode, 'uma_dpop_bound')
  t.equal(uma.asked.length, 0)
  t.equal(log.lines.filter(({ level, reasonCode }) => level === WARN && reasonCode === 'uma_dpop_bound').length, 1, 'one warning')
  t.equal(await ask(app, '/', realm.token()), '200', 'a token that is not bound')
})

t.test('of a lightweight token the reason says that policies see no roles', async (t) => {
  const { realm, uma } = await umaFor(t)
  const log = logging()
  const app = await apiFor(t, realm, { ...umaOptions(uma), audience: null, userIdClaim: 'sid' }, log)
  app.get('/', { config: { permission: { uma: 'invoice#write' } } }, async () => 'allowed')
  uma.respond('decision', refuses(403, 'access_denied', 'not_authorized'))
  t.equal(await ask(app, '/', realm.token({ kind: 'lightweight' })), '403 permission_denied')
  t.equal(refusalsIn(log).at(-1)?.reasonCode, 'uma_lightweight')
})

t.test('resources of another client are named by id', async (t) => {
  const { realm, uma } = await umaFor(t)
  const log = logging()
  const app = await apiFor(t, realm, umaOptions(uma, { resourceServer: 'orders' }), log)
  app.get('/name', { config: { permission: { uma: 'facture n°1#read' } } }, async () => 'allowed')
  app.get('/id', { config: { permission: { uma: `${id(1)}#read` } } }, async () => 'allowed')
  app.get('/id-as-name', { config: { permission: { uma: `${id(6)}#read` } } }, async () => 'allowed')
  t.equal(await ask(app, '/name', realm.token()), '403 permission_denied')
  t.equal(refusalsIn(log).at(-1)?.reasonCode, 'uma_name_foreign')
  t.same([uma.asked.length, uma.names.length], [0, 0])
  t.equal(await ask(app, '/id', realm.token()), '200')
  t.equal(uma.asked[0]!.get('audience'), 'orders')
  t.ok(log.lines.some(({ msg }) => msg === 'a caller was refused: permission uma one that cannot be shown is not fulfilled: the resource is one of another client, and named: write its id (Clients, its Authorization tab, Resources), because only those of clientId can be found by name'), 'the log has plain names alone')
  t.equal(await ask(app, '/id-as-name', realm.token()), '403 permission_denied')
  t.same(uma.names, [])
})

t.test('the token is the one that came with the request, whatever its headers are later', async (t) => {
  const { realm, uma } = await umaFor(t)
  const app = await apiFor(t, realm, umaOptions(uma))
  app.get('/', async (request) => {
    request.headers.authorization = bearer(realm.token({ username: 'carol' })).authorization
    return [await request.isAllowed({ uma: 'invoice#write' })]
  })
  const alice = realm.token()
  t.same((await app.inject({ url: '/', headers: bearer(alice) })).json(), [false])
  t.equal(uma.asked[0]!.get('subject_token'), alice)
  const cookies = await apiFor(t, realm, { ...umaOptions(uma), extractToken: ({ headers }) => headers['x-token'] as string })
  cookies.get('/', { config: { permission: { uma: 'invoice#read' } } }, async (request) => [await request.isAllowed({ uma: 'invoice#read' })])
  t.same((await cookies.inject({ url: '/', headers: { 'x-token': alice } })).json(), [true])
  t.equal(uma.asked.at(-1)!.get('subject_token'), alice)
  const claims = await apiFor(t, realm, umaOptions(uma))
  claims.get('/', async (request) => {
    request.auth = { sub: 'x' } as never
    return [await request.isAllowed({ uma: 'invoice#read' })]
  })
  t.match((await claims.inject('/')).json(), { statusCode: 401, code: 'not_authenticated' }, 'claims without a token')
})

t.test('a token that ends while Keycloak decides is refused, whatever the decision is', async (t) => {
  const clocks = clocksFor(t)
  const { realm, uma } = await umaFor(t)
  const log = logging()
  const app = await apiFor(t, realm, umaOptions(uma), log)
  app.get('/', { config: { permission: { uma: `${id(1)}#read` } } }, async () => 'allowed')
  app.get('/late', async (request) => {
    clocks.advance(200)
    return [await request.isAllowed({ uma: `${id(1)}#read` })]
  })
  for (const answer of [answers(200, [{ rsid: id(1), rsname: 'invoice', scopes: ['read'] }]), refuses(400, 'unauthorized_client', 'Invalid identity'), answers(500, '')]) {
    uma.respond('decision', (...parameters) => {
      clocks.advance(200)
      answer(...parameters)
    })
    t.equal(await ask(app, '/', realm.token({ expiresIn: 100 })), '401 token_expired')
  }
  const asked = uma.asked.length
  t.equal(await ask(app, '/late', realm.token({ expiresIn: 100 })), '401 token_expired')
  t.equal(uma.asked.length, asked, 'about a token that has ended Keycloak is not asked')
})

t.test('a logout while Keycloak decides counts', async (t) => {
  const { realm, uma } = await umaFor(t)
  const app = await apiFor(t, realm, { ...umaOptions(uma, { cacheTtl: 60_000 }), backchannelLogout: { path: '/logout', clients: ['web'] } })
  app.get('/', { config: { permission: { uma: `${id(1)}#read` } } }, async () => 'allowed')
  const token = realm.token()
  uma.respond('decision', (_request, response) => {
    void app.inject({ method: 'POST', url: '/logout', payload: `logout_token=${realm.token({ kind: 'logout' })}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
      .then(() => response.end(JSON.stringify([{ rsid: id(1), rsname: 'invoice', scopes: ['read'] }])))
  })
  t.equal(await ask(app, '/', token), '401 token_not_valid')
  t.equal(await ask(app, '/', token), '401 token_not_valid')
  t.equal(uma.asked.length, 1)
})

t.test('of several issuers each has its own Authorization Services, and one without them lets nobody in', async (t) => {
  const [acme, globex] = [await umaFor(t, 'acme'), await umaFor(t, 'globex')]
  const log = logging()
  const app = Fastify(log)
  t.teardown(() => app.close())
  const { issuer: _issuer, ...common } = acme.realm.options
  const entry = ({ realm, uma }: { realm: typeof acme.realm, uma: UmaServer }) => ({ issuer: realm.issuer, serverUrl: uma.url, clientSecret: realm.options.clientSecret })
  await app.register(keycloak, { ...common, issuers: [{ ...entry(acme), uma: true }, entry(globex)] })
  app.get('/', { config: { permission: { uma: 'invoice#read' } } }, async () => 'allowed')
  app.get('/asks', async (request) => [await request.isAllowed({ uma: 'invoice#read' })])
  t.throws(() => app.get('/globex', { config: { issuer: 'globex', permission: { uma: 'invoice#read' } } }, async () => ''), { message: /config\.permission has a rule \{ uma \}, which needs the option uma of an issuer that config\.issuer names, such as uma: true, so that Keycloak is asked/ })
  t.equal(await ask(app, '/', acme.realm.token()), '200')
  t.equal(await ask(app, '/', globex.realm.token()), '403 permission_denied')
  t.equal(refusalsIn(log).at(-1)?.reasonCode, 'uma_off')
  await until(() => log.lines.some(({ level, reasonCode }) => level === WARN && reasonCode === 'uma_off'))
  t.match((await app.inject({ url: '/asks', headers: bearer(globex.realm.token()) })).json(), { statusCode: 500, message: 'The rule of isAllowed has { uma }, which needs the option uma of the issuer "globex"' })
  t.same([acme.uma.asked.length, globex.uma.asked.length], [1, 0])
  const { issuers } = app.keycloak.health()
  t.match(issuers, { acme: { uma: { ok: true } }, globex: { uma: null } })
})

t.test('a function issuers may give an entry the option', async (t) => {
  const acme = await umaFor(t, 'acme')
  const log = logging()
  const app = Fastify(log)
  t.teardown(() => app.close())
  const { issuer, clientSecret, ...common } = acme.realm.options
  const entry = { issuer, clientSecret, serverUrl: acme.uma.url, uma: {} }
  let answer: object = entry
  await app.register(keycloak, { ...common, issuers: () => answer as never })
  app.get('/', { config: { permission: { uma: 'invoice#read' } } }, async () => 'allowed')
  app.get('/asks', async (request) => [await request.isAllowed({ uma: 'invoice#write' })])
  const token = acme.realm.token()
  t.equal(await ask(app, '/', token), '200')
  t.same((await app.inject({ url: '/asks', headers: bearer(token) })).json(), [false])
  t.equal(acme.uma.asked.length, 2)
  app.keycloak.forgetIssuer(issuer)
  answer = { issuer, serverUrl: acme.uma.url, uma: {} }
  t.equal(await ask(app, '/', token), '503 keycloak_unavailable', 'an entry without the secret')
  t.ok(log.lines.some(({ msg }) => msg.includes('clientSecret" must be the secret of clientId with uma')))
})

t.test('a route with the rule stops the start if nobody can be asked', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  t.throws(() => app.get('/', { config: { permission: { any: ['x', { uma: 'invoice#read' }] } } }, async () => ''), { message: 'GET /: config.permission has a rule { uma }, which needs the option uma, such as uma: true, so that Keycloak is asked' })
  t.equal(app.keycloak.health().uma, null)
})

t.test('the options, and what they need', async (t) => {
  const realm = await createTestRealm()
  t.teardown(() => realm.close())
  const { clientId: _clientId, clientSecret: _secret, ...others } = realm.options
  const cases: Array<[object, string]> = [
    [{ ...others, clientSecret: 's', uma: true }, 'fastify-keycloak-bearer: option "clientId" must be the id of this API\'s client with uma, which authenticates when Keycloak is asked to decide'],
    [{ ...others, clientId: 'api', uma: {} }, 'fastify-keycloak-bearer: option "clientSecret" must be the secret of clientId with uma, which authenticates when Keycloak is asked to decide'],
    [{ ...realm.options, uma: false }, 'fastify-keycloak-bearer: option "uma" must be true, or an object with resourceServer, timeout, cacheTtl and maxPending, not false'],
    [{ ...realm.options, uma: { resourceServer: '' } }, 'fastify-keycloak-bearer: option "uma.resourceServer" must be the id of the client whose resources and policies decide, not an empty string'],
    [{ ...realm.options, uma: { ttl: 5 } }, 'fastify-keycloak-bearer: option "uma.ttl" is unknown'],
    [{ ...realm.options, uma: { timeout: 0 } }, 'fastify-keycloak-bearer: option "uma.timeout" must be a whole number of milliseconds from 1 to 2147483647, not 0'],
    [{ ...realm.options, authorizationServices: true }, 'fastify-keycloak-bearer: option "authorizationServices" is unknown; write "uma"'],
    [{ ...realm.options, enforcer: {} }, 'fastify-keycloak-bearer: option "enforcer" is unknown; write "uma"'],
    [{ ...realm.options, uma: true }, 'started']
  ]
  for (const [options, sentence] of cases) t.equal(await refusalOf(options), sentence)
})

t.test('a text that is no permission is one sentence', async (t) => {
  const { realm, uma } = await umaFor(t)
  const app = await apiFor(t, realm, umaOptions(uma))
  const WHAT = 'GET /invoices/:id: config.permission.uma must be a resource and its scopes in Keycloak, such as "invoice#write" or "invoice:{id}#read,write", not'
  const cases: Array<[unknown, string]> = [
    [5, `${WHAT} a number`],
    [['invoice#read'], `${WHAT} an array`],
    ['', `${WHAT} one without "#", after which its scopes stand; a resource without scopes is "dashboard#"`],
    ['invoice:read', `${WHAT} one without "#", after which its scopes stand; a resource without scopes is "dashboard#"`],
    ['#read', `${WHAT} one without a resource, which would be any resource`],
    ['a#b#c', `${WHAT} one with more than one "#"`],
    ...['a,b#read', 'resource-type:x#read', 'Resource-Type-Owner:x#read', 'a\u0000#read', `${'x'.repeat(256)}#read`, '\ud800#read'].map((text): [string, string] => [text, `${WHAT} one whose resource has a comma, a control character, more than 255 characters, or begins with "resource-type", which stands for many resources`]),
    ...['a#read,', 'a#,read', 'a#read, write', 'a#{id}', 'a#\u0007'].map((text): [string, string] => [text, `${WHAT} one whose scopes are empty, have blanks around them, braces or control characters; write "read,write"`]),
    ...['a{#read', 'a}#read', 'a{{id}}#read', 'a{id#read'].map((text): [string, string] => [text, `${WHAT} one with a brace that encloses no parameter of the route`]),
    ['a{nr}#read', 'GET /invoices/:id: config.permission.uma names the parameter {nr}, which is none of the URL of the route; it has {id}'],
    ['a{}#read', 'GET /invoices/:id: config.permission.uma names the parameter {}, which is none of the URL of the route; it has {id}']
  ]
  for (const [text, message] of cases) t.throws(() => app.get('/invoices/:id', { config: { permission: { uma: text } as never } }, async () => ''), { message })
  t.throws(() => app.get('/', { config: { permission: { uma: 'a{id}#read' } } }, async () => ''), { message: 'GET /: config.permission.uma names the parameter {id}, which is none of the URL of the route; it has none' })
  t.throws(() => app.get('/', { config: { permission: { enforcer: 'a:read' } as never } }, async () => ''), { message: /; write uma$/ })
  t.throws(() => app.get('/', { config: { permission: { uma: 'a#read', scope: 'x' } as never } }, async () => ''), { message: /must be one rule, not an object with uma and scope/ })
})

t.test('tools of MCP may have the rule, each for its own', async (t) => {
  const { realm, uma } = await umaFor(t)
  const app = await apiFor(t, realm, umaOptions(uma))
  app.post('/mcp', { config: { mcp: { tools: { read: { permission: { uma: 'invoice#read' } }, write: { permission: { uma: 'invoice#write' } } } } } }, async () => 'done')
  const call = (...names: string[]) => app.inject({ method: 'POST', url: '/mcp', headers: bearer(realm.token()), payload: names.map((name, at) => ({ jsonrpc: '2.0', id: at, method: 'tools/call', params: { name } })) })
  t.equal((await call('read')).statusCode, 200)
  t.match((await call('read', 'write')).json(), { statusCode: 403, code: 'permission_denied' })
  t.equal(uma.asked.length, 3)
})
