// The channels fastify-keycloak-bearer:authentication and :authorization: one event for each decision on a request.
import { AsyncLocalStorage } from 'node:async_hooks'
import { execFile } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import middie from '@fastify/middie'
import Fastify, { type FastifyRequest } from 'fastify'
import t from 'tap'
import keycloak, { KeycloakError } from '../../index.js'
import { apiFor, ask, bearer, logging, realmFor, refusalsIn, until } from '../support/app.js'
import { decisions } from '../support/events.js'
import { heldIntrospection } from '../support/held-introspection.js'
import { LOGOUT, logOut } from '../support/logout.js'
import { CHILD_ENV } from '../support/child-environment.js'

const NO_TOKEN = { issuer: null, scheme: null, cached: false }
const BEARER = { issuer: 'test', scheme: 'Bearer', cached: false }
const NO_REASON = { code: null, reason: null }
const route = (url: string, method = 'GET') => ({ method, url })

t.test('each request has one event of its authentication, and one of the rule of its route', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/orders/:id', { config: { scope: 'write' } }, async () => 'ok')
  const { authentication, authorization } = decisions(t)
  const act = { sub: 'agent' }
  const good = realm.token({ roles: ['view-profile'], claims: { act } })
  const cases: Array<[string, string | undefined, object, object | undefined]> = [
    ['/open', undefined, { outcome: 'anonymous', ...NO_REASON, ...NO_TOKEN }, undefined],
    ['/open', 'a.b.c', { outcome: 'refused', code: 'token_not_valid', reason: 'header_not_base64url', ...BEARER }, undefined],
    ['/me', undefined, { outcome: 'refused', code: 'not_authenticated', reason: 'token_missing', ...NO_TOKEN }, undefined],
    ['/me', 'a b', { outcome: 'refused', code: 'bad_authorization_header', reason: 'authorization_malformed', ...NO_TOKEN }, undefined],
    ['/me', good, { outcome: 'accepted', ...NO_REASON, ...BEARER }, undefined],
    ['/me', realm.token({ expired: true }), { outcome: 'refused', code: 'token_expired', reason: 'exp_passed', ...BEARER }, undefined],
    ['/profile', good, { outcome: 'accepted' }, { outcome: 'allowed', ...NO_REASON, rule: 'permission view-profile', act }],
    ['/profile', good, { outcome: 'accepted', cached: true }, { outcome: 'allowed' }],
    ['/profile', realm.token({ roles: ['other'] }), { outcome: 'accepted' }, { outcome: 'denied', code: 'permission_denied', reason: 'role_missing', act: null }],
    ['/profile', undefined, { outcome: 'refused' }, undefined],
    ['/orders/17', realm.token(), { outcome: 'accepted', route: route('/orders/:id') }, { outcome: 'denied', code: 'permission_denied', reason: 'scope_missing', rule: 'scope write', route: route('/orders/:id') }]
  ]
  for (const [url, token, expected, ruled] of cases) {
    await app.inject({ url, headers: token === undefined ? {} : bearer(token) })
    const what = `${url} ${JSON.stringify(expected)}`
    t.match(authentication.splice(0), [{ source: 'request', route: { method: 'GET' }, ...expected }], what)
    t.match(authorization.splice(0), ruled === undefined ? [] : [{ source: 'route', issuer: 'test', azp: 'web', sub: /^[\w-]+$/, route: { method: 'GET' }, ...ruled }], what)
  }
})

t.test('a subscriber of one channel gets its events', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const headers = bearer(realm.token({ roles: ['view-profile'] }))
  for (const [name, expected] of [['authentication', { outcome: 'accepted', scheme: 'Bearer' }], ['authorization', { outcome: 'allowed', rule: 'permission view-profile' }]] as const) {
    const messages: unknown[] = []
    const listen = (message: unknown): void => { messages.push(message) }
    subscribe(`fastify-keycloak-bearer:${name}`, listen)
    await app.inject({ url: '/profile', headers })
    unsubscribe(`fastify-keycloak-bearer:${name}`, listen)
    await app.inject({ url: '/profile', headers })
    t.match(messages, [{ ...expected, route: route('/profile') }])
    t.equal(messages.length, 1)
  }
})

t.test('no subscriber changes what the events of a request share', async (t) => {
  const realm = await realmFor(t)
  const meddle = (message: unknown): void => {
    const { route, act } = message as { route: object, act?: object }
    for (const shared of [route, act]) if (shared !== undefined) Reflect.set(shared, 'url', '/changed')
  }
  for (const name of ['authentication', 'authorization']) {
    subscribe(`fastify-keycloak-bearer:${name}`, meddle)
    t.teardown(() => unsubscribe(`fastify-keycloak-bearer:${name}`, meddle))
  }
  for (const options of [{}, { verifyTokensWithKeycloak: true }]) {
    const app = await apiFor(t, realm, options)
    const { authentication, authorization } = decisions(t)
    const headers = bearer(realm.token({ roles: ['view-profile'], claims: { act: { sub: 'agent' } } }))
    for (let times = 0; times < 2; times++) await app.inject({ url: '/profile', headers })
    t.same(authentication.map(({ route }) => route), [route('/profile'), route('/profile')])
    t.same(authorization.map(({ route, act }) => [route, act]), [[route('/profile'), { sub: 'agent' }], [route('/profile'), { sub: 'agent' }]])
  }
})

t.test('requests that the plugin does not look at have no events', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/off', { config: { keycloak: false } }, async () => 'ok')
  const { authentication, authorization } = decisions(t)
  for (const url of ['/off', '/nowhere']) await app.inject({ url, headers: bearer('nonsense') })
  await app.inject({ method: 'OPTIONS', url: '/me', headers: { origin: 'https://app.example.com', 'access-control-request-method': 'GET' } })
  t.same([authentication, authorization], [[], []])
})

t.test('no event has a text of a token that was refused, nor of a request', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { dpop: true })
  app.get('/orders/:id', { config: { permission: 'view-profile' } }, async () => 'ok')
  const { authentication, authorization } = decisions(t)
  const secret = 'very-foreign'
  const spec = { sub: secret, authorizedParty: secret, claims: { act: { sub: secret } }, kid: secret }
  for (const token of [realm.token({ ...spec, forged: true }), realm.token({ ...spec, expired: true }), realm.token({ ...spec, claims: { iss: secret } }), secret]) {
    for (const scheme of ['Bearer', 'DPoP', secret]) await app.inject({ url: `/orders/${secret}`, headers: { authorization: `${scheme} ${token}` } })
  }
  t.equal(authentication.length, 12)
  t.notMatch(JSON.stringify(authentication), secret)
  t.same(authorization, [])
})

t.test('a kept token whose user is asked for at each request has an event of the rule each time', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { syncUser: async ({ username }) => ({ username }) })
  const { authorization } = decisions(t)
  const token = realm.token({ roles: ['view-profile'] })
  for (let times = 0; times < 4; times++) t.equal(await ask(app, '/profile', token), '200')
  t.same(authorization.map(({ outcome }) => outcome), ['allowed', 'allowed', 'allowed', 'allowed'])
})

t.test('claims that a token lacks, or that have another form, are null', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { authorization } = decisions(t)
  await ask(app, '/profile', realm.token({ claims: { sub: undefined, azp: undefined, act: 'agent' } }))
  t.match(authorization, [{ sub: null, azp: null, act: null }])
})

t.test('a subscriber that throws is an uncaught exception, and the request has its answer', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', `
    import { subscribe } from 'node:diagnostics_channel'
    import Fastify from 'fastify'
    import keycloak from './index.ts'
    const app = Fastify()
    await app.register(keycloak, { issuer: 'https://sso.example.com/realms/acme', audience: 'api', clientId: 'api', startCheck: false })
    app.get('/', async () => 'hello')
    process.once('uncaughtException', ({ message }) => console.log(message))
    subscribe('fastify-keycloak-bearer:authentication', () => { throw new Error('of the subscriber') })
    console.log((await app.inject('/')).body)
  `], { env: CHILD_ENV })
  t.same(stdout.trim().split('\n').sort(), ['hello', 'of the subscriber'])
})

t.test('a kept token is cached, wherever it comes from', async (t) => {
  const realm = await realmFor(t)
  const { authentication } = decisions(t)
  const app = await apiFor(t, realm, { extractToken: ({ headers }) => headers['x-token'] as string | undefined })
  const token = realm.token()
  for (let times = 0; times < 3; times++) await app.inject({ url: '/me', headers: { 'x-token': token } })
  t.same(authentication.splice(0).map(({ cached, scheme }) => [cached, scheme]), [[false, 'Bearer'], [false, 'Bearer'], [true, 'Bearer']])
  await app.inject('/open')
  t.match(authentication.splice(0), [{ outcome: 'anonymous', ...NO_TOKEN }])

  const proven = await apiFor(t, realm, { dpop: true })
  const client = realm.dpop()
  for (let times = 0; times < 3; times++) await realm.inject(proven, { url: '/me', as: { dpop: client } })
  t.match(authentication.splice(0).map(({ outcome, scheme }) => [outcome, scheme]), [['accepted', 'DPoP'], ['accepted', 'DPoP'], ['accepted', 'DPoP']])
  const none = await apiFor(t, realm, { cache: false })
  for (let times = 0; times < 3; times++) await ask(none, '/me', token)
  t.same(authentication.splice(0).map(({ cached }) => cached), [false, false, false])
})

t.test('a kept token that is logged out was cached', async (t) => {
  const realm = await realmFor(t)
  const { authentication } = decisions(t)
  for (const options of [{}, { extractToken: ({ headers }: FastifyRequest) => headers['x-token'] as string | undefined }]) {
    const app = await apiFor(t, realm, { ...LOGOUT, ...options })
    const token = realm.token()
    const send = async () => app.inject({ url: '/me', headers: { ...bearer(token), 'x-token': token } })
    for (let times = 0; times < 3; times++) await send()
    await logOut(app, realm)
    await send()
    t.match(authentication.splice(0).at(-1), { outcome: 'refused', code: 'token_not_valid', issuer: 'test', scheme: 'Bearer', cached: true })
  }
})

t.test('outages and failures of the application have outcomes of their own', async (t) => {
  const realm = await realmFor(t)
  const { authentication, authorization } = decisions(t)
  const away = await realmFor(t)
  await away.down()
  t.equal(await ask(await apiFor(t, away), '/profile', away.token()), '503 keycloak_unavailable')
  t.match(authentication.splice(0), [{ outcome: 'unavailable', code: 'keycloak_unavailable', reason: 'connection_refused', ...BEARER }])
  const app = await apiFor(t, realm, {
    syncUser (_profile, { request }) {
      if (request.url === '/me') throw new Error('database')
      return request.url === '/open' ? null : { id: 1 } as never
    }
  })
  app.get('/function', { config: { permission: () => { throw new Error('mine') } } }, async () => 'ok')
  app.get('/later', { config: { permission: async () => { throw new KeycloakError('keycloak_unavailable', 'their own') } } }, async () => 'ok')
  app.get('/slow', { config: { permission: async () => true } }, async () => 'ok')
  for (const url of ['/me', '/open', '/function', '/later', '/slow']) await app.inject({ url, headers: bearer(realm.token()) })
  t.match(authentication, [
    { outcome: 'failed', ...NO_REASON, ...BEARER }, { outcome: 'refused', code: 'user_inactive', reason: 'user_unknown', ...BEARER },
    { outcome: 'accepted' }, { outcome: 'accepted' }, { outcome: 'accepted' }
  ])
  t.match(authorization, [
    { outcome: 'failed', ...NO_REASON, rule: 'permission a function' },
    { outcome: 'unavailable', code: 'keycloak_unavailable', reason: 'refused_by_application' },
    { outcome: 'allowed', ...NO_REASON }
  ])
})

t.test('a login that is too weak is a denial', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/gold', { config: { acr: 'gold' } }, async () => 'ok')
  const { authentication, authorization } = decisions(t)
  t.equal(await ask(app, '/gold', realm.token({ acr: 'silver' })), '401 insufficient_user_authentication')
  t.match(authentication, [{ outcome: 'accepted' }])
  t.match(authorization, [{ outcome: 'denied', code: 'insufficient_user_authentication', reason: 'acr_too_low', rule: 'acr gold' }])
})

t.test('a client that is gone gets no answer, and the decision is aborted', async (t) => {
  const realm = await realmFor(t)
  const held = heldIntrospection(realm)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true })
  let entered: (() => void) | undefined
  const waiting = new Promise<void>((resolve) => { entered = resolve })
  app.get('/rule', { config: { permission: async (_claims, { raw }) => { entered!(); await once(raw.socket, 'close'); throw new Error('too late') } } }, async () => 'ok')
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { authentication, authorization } = decisions(t)
  const send = (url: string) => {
    const client = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
    client.write(`GET ${url} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${realm.token()}\r\n\r\n`)
    return client
  }
  const first = send('/me')
  await held.until(1)
  first.destroy()
  await until(() => authentication.length > 0)
  t.match(authentication.splice(0), [{ outcome: 'aborted', ...NO_REASON, ...BEARER }])
  realm.respond('introspect', null)
  const second = send('/rule')
  await waiting
  second.destroy()
  await until(() => authorization.length > 0)
  t.match([authentication, authorization], [[{ outcome: 'accepted' }], [{ outcome: 'aborted', ...NO_REASON }]])
})

t.test('of several issuers, the event names the one whose realm decided', async (t) => {
  const [acme, globex] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' })]
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { issuers: [acme, globex].map(({ options: { issuer, audience, clientId } }) => ({ issuer, audience, clientId })) })
  app.get('/me', { config: { issuer: 'globex' } }, async () => 'ok')
  const { authentication, authorization } = decisions(t)
  for (const token of [globex.token(), acme.token(), globex.token({ expired: true }), globex.token({ claims: { iss: 'https://else.example.com/realms/x' } })]) await ask(app, '/me', token)
  t.same(authentication.map(({ outcome, issuer }) => [outcome, issuer]), [['accepted', 'globex'], ['accepted', 'acme'], ['refused', 'globex'], ['refused', null]])
  t.match(authorization, [{ outcome: 'allowed', issuer: 'globex' }, { outcome: 'denied', issuer: 'acme', reason: 'issuer_denied' }])
})

t.test('of several issuers, a kept token that is logged out names its issuer in the event, the log and the challenge', async (t) => {
  const [acme, globex] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' })]
  const log = logging()
  const app = Fastify({ logger: log.logger })
  t.teardown(() => app.close())
  await app.register(keycloak, { issuers: [acme, globex].map(({ options: { issuer, audience, clientId } }) => ({ issuer, audience, clientId })), ...LOGOUT })
  app.get('/me', { config: { authenticated: true } }, async () => 'ok')
  const { authentication } = decisions(t)
  const headers = bearer(globex.token())
  for (let times = 0; times < 3; times++) t.equal((await app.inject({ url: '/me', headers })).statusCode, 200)
  await logOut(app, globex)
  const refused = await app.inject({ url: '/me', headers })
  t.match(refused, { statusCode: 401, headers: { 'www-authenticate': /^Bearer realm="globex", error="invalid_token"/ } })
  t.match(authentication.at(-1), { outcome: 'refused', reason: 'session_logged_out', issuer: 'globex', cached: true })
  t.match(refusalsIn(log), [{ reasonCode: 'session_logged_out', issuer: 'globex' }])
})

t.test('what middleware answers has no route', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, requireAuthentication: true })
  await app.register(middie)
  app.use((_request: unknown, _response: unknown, next: () => void) => next())
  const { authentication } = decisions(t)
  await ask(app, '/files/secret-name', realm.token())
  t.match(authentication, [{ outcome: 'accepted', route: null }])
})

t.test('one channel can have listeners alone, and the events come in the context of their request', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  const requests = new AsyncLocalStorage<FastifyRequest>()
  app.addHook('onRequest', (request, _reply, done) => requests.run(request, done))
  await app.register(keycloak, { ...realm.options, verifyTokensWithKeycloak: true })
  app.get('/orders/:id', { config: { permission: 'view-profile' } }, async () => 'ok')
  const urls: unknown[] = []
  const listener = (): void => { urls.push(requests.getStore()?.url) }
  subscribe('fastify-keycloak-bearer:authorization', listener)
  t.teardown(() => unsubscribe('fastify-keycloak-bearer:authorization', listener))
  await Promise.all(['/orders/1', '/orders/2'].map((url) => ask(app, url, realm.token())))
  t.same(urls.sort(), ['/orders/1', '/orders/2'])
})
