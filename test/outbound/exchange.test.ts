// The token of a caller, exchanged for one that another service takes (RFC 8693).
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { KeycloakOptions, ExchangeOptions } from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { apiFor, bearer, closingOf, type Log, logging, realmFor, until, WARN } from '../support/app.js'
import { client } from '../support/client.js'
import { clocksFor } from '../support/clocks.js'
import { LOGOUT, logOut } from '../support/logout.js'
import { boundTo, proofKey } from '../support/proofs.js'
import { claimsOf, EXCHANGE, json, tokenEndpointOf } from '../support/token-endpoint.js'

/** An API that answers with the token that it exchanged the caller's for. */
async function exchangingApi (t: Parameters<typeof apiFor>[0], realm: TestRealm, options: Partial<KeycloakOptions> = {}, log?: ReturnType<typeof logging>): Promise<FastifyInstance> {
  const app = await apiFor(t, realm, options, log)
  app.get<{ Querystring: ExchangeOptions }>('/exchanged', { config: { public: true } }, async (request) => ({ token: await app.keycloak.exchange(request, request.query) }))
  return app
}

/** The exchanged token, or the status, the code and the reason of a refusal. */
async function exchanged (app: FastifyInstance, token: string | undefined, query: Partial<ExchangeOptions> = {}): Promise<string> {
  const { statusCode, ...response } = await app.inject({ url: '/exchanged', query: { audience: 'orders', ...query }, headers: token === undefined ? {} : bearer(token) })
  const body = response.json()
  return statusCode === 200 ? body.token : `${statusCode} ${body.code}`
}

function setUpWarnings ({ lines }: Log): unknown[] {
  return lines.filter(({ level, msg }) => level === WARN && msg.startsWith('Keycloak gives no token')).map(({ reasonCode }) => reasonCode)
}

t.test('the token of the caller is exchanged once for each audience and scope, and kept', async (t) => {
  const realm = await realmFor(t)
  const { calls } = tokenEndpointOf(realm)
  const app = await exchangingApi(t, realm)
  const alice = realm.token({ username: 'alice' })
  const [one, other] = await Promise.all([exchanged(app, alice), exchanged(app, alice)])
  t.equal(one, other)
  t.match(claimsOf(one!), { sub: claimsOf(alice).sub, aud: 'orders' })
  t.same(Object.fromEntries(calls[0]!), {
    client_id: 'api',
    client_secret: realm.options.clientSecret,
    grant_type: EXCHANGE,
    subject_token: alice,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    audience: 'orders'
  })
  t.equal(await exchanged(app, alice), one)
  t.not(await exchanged(app, alice, { scope: 'write' }), one)
  t.not(await exchanged(app, alice, { audience: 'billing' }), one)
  t.equal(calls.length, 3)
})

t.test('it does so with the answers of the testing realm', async (t) => {
  const realm = await realmFor(t)
  await realm.services({ scopes: { 'orders:read': { audience: 'orders' } } })
  const app = await exchangingApi(t, realm)
  const token = await exchanged(app, realm.token(), { scope: 'orders:read' })
  t.match(claimsOf(token), { aud: /orders/, azp: 'api' })
  t.equal(await exchanged(app, realm.token(), { scope: 'unknown' }), '502 exchange_refused')
  t.equal(await exchanged(app, realm.token(), { audience: 'nobody' }), '502 exchange_refused')
  t.match(claimsOf(await app.keycloak.serviceToken()), { azp: 'api' })
})

t.test('callers whose tokens have no sub, or not even a session, are told apart', async (t) => {
  const realm = await realmFor(t)
  tokenEndpointOf(realm)
  const app = await exchangingApi(t, realm)
  const tokens = [{ sub: undefined }, { sub: undefined, sid: undefined }].map((claims) => realm.token({ claims }))
  t.equal(new Set(await Promise.all(tokens.map((token) => exchanged(app, token)))).size, 2)
})

t.test('nobody gets the token of another user', async (t) => {
  const realm = await realmFor(t)
  tokenEndpointOf(realm)
  const app = await exchangingApi(t, realm)
  const tokens = Array.from({ length: 30 }, (_, at) => realm.token({ username: `user${at}` }))
  for (let round = 0; round < 2; round++) {
    const answers = await Promise.all(tokens.map((token) => exchanged(app, token)))
    t.same(answers.map((token) => claimsOf(token).sub), tokens.map((token) => claimsOf(token).sub))
  }
})

t.test('audience and scope cannot be mixed up, nor be read as more of the form', async (t) => {
  const realm = await realmFor(t)
  const { calls } = tokenEndpointOf(realm)
  const app = await exchangingApi(t, realm)
  const token = realm.token()
  const audiences = ['orders&scope=admin', 'orders","admin', 'orders%26', 'orders ', 'größe']
  for (const audience of audiences) t.match(await exchanged(app, token, { audience }), /^ey/)
  t.same(calls.map((form) => form.get('audience')), audiences)
  t.same(calls.map((form) => form.has('scope')), audiences.map(() => false))
  t.equal(await exchanged(app, token, { audience: 'orders', scope: 'admin&x' }).then((text) => text.slice(0, 2)), 'ey')
  t.equal(calls.at(-1)!.get('scope'), 'admin&x')
})

t.test('wrong parameters give a sentence', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const wrong: Array<[given: unknown, sentence: RegExp]> = [
    [undefined, /exchange\(\) takes an object with audience and scope/],
    [{}, /needs audience as the id/],
    [{ audience: '' }, /needs audience/],
    [{ audience: 'a\nb' }, /needs audience/],
    [{ audience: ['orders'] }, /needs audience/],
    [{ audience: 'a'.repeat(256) }, /needs audience/],
    [{ audience: 'orders', scope: 'a\nb' }, /scopes separated by single spaces/],
    [{ audience: 'orders', scopes: 'a' }, /takes audience and scope, and nothing else/]
  ]
  for (const [given, message] of wrong) await t.rejects(app.keycloak.exchange({} as never, given as never), { name: 'TypeError', message })
})

t.test('a caller without a token is 401, and so is one of a scope without the plugin', async (t) => {
  const realm = await realmFor(t)
  const { calls } = tokenEndpointOf(realm)
  const app = await exchangingApi(t, realm)
  t.equal(await exchanged(app, undefined), '401 not_authenticated')
  await t.rejects(app.keycloak.exchange({} as never, { audience: 'orders' }), { code: 'not_authenticated', reasonCode: 'token_missing' })
  t.equal(calls.length, 0)
})

t.test('the accepted token is exchanged, new or kept, whatever the application does to the header', async (t) => {
  const realm = await realmFor(t)
  const { calls } = tokenEndpointOf(realm)
  const app = await exchangingApi(t, realm)
  app.get('/rewritten', { config: { authenticated: true } }, async (request) => {
    const { header } = request.query as { header?: string }
    if (header === undefined) delete request.headers.authorization
    else request.headers.authorization = `Bearer ${header}`
    return app.keycloak.exchange(request, { audience: 'orders' })
  })
  app.get('/kept', { config: { authenticated: true } }, async () => 'ok')
  const other = realm.token({ username: 'mallory' })
  for (const url of ['/rewritten', `/rewritten?header=${other}`]) {
    for (const before of [[], ['/kept', '/kept']]) {
      const token = realm.token()
      for (const each of [...before, url]) t.equal((await app.inject({ url: each, headers: bearer(token) })).statusCode, 200)
      t.equal(calls.at(-1)!.get('subject_token'), token)
    }
  }
  t.equal(calls.length, 4)
})

t.test('the token of extractToken is exchanged', async (t) => {
  const realm = await realmFor(t)
  const { calls } = tokenEndpointOf(realm)
  const app = await exchangingApi(t, realm, { extractToken: ({ headers }) => headers['x-token'] as string })
  const token = realm.token()
  t.equal((await app.inject({ url: '/exchanged?audience=orders', headers: { 'x-token': token, ...bearer('other') } })).statusCode, 200)
  t.equal(calls[0]!.get('subject_token'), token)
})

t.test('Keycloak refuses, by what it answers', async (t) => {
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const log = logging()
  const app = await exchangingApi(t, realm, {}, log)
  const refusals: Array<[status: number, error: string, description: string, answer: string, code: string]> = [
    [400, 'invalid_request', 'Invalid token', '401 token_not_valid', 'exchange_token_refused'],
    [403, 'access_denied', 'Client is not within the token audience', '403 permission_denied', 'exchange_not_in_audience'],
    [403, 'access_denied', 'anything', '403 permission_denied', 'exchange_denied'],
    [400, 'invalid_client', 'Audience not found', '502 exchange_refused', 'exchange_audience_unknown'],
    [400, 'invalid_request', 'Requested audience not available: orders', '502 exchange_refused', 'exchange_audience_unavailable'],
    [400, 'invalid_scope', 'Invalid scopes: read', '502 exchange_refused', 'service_scope_unknown'],
    [400, 'invalid_request', 'Standard token exchange is not enabled for the requested client', '502 exchange_refused', 'exchange_off'],
    [400, 'invalid_request', 'Sender-constrained token exchange rejected as the token was not issued for the requesting client', '502 exchange_refused', 'exchange_bound'],
    [400, 'invalid_grant', 'Something new', '502 exchange_refused', 'service_token_refused'],
    [401, 'unauthorized_client', 'Invalid client or Invalid client credentials', '503 keycloak_unavailable', 'credentials_refused'],
    [401, 'invalid_client', 'Invalid client or Invalid client credentials', '503 keycloak_unavailable', 'client_unknown'],
    [400, 'invalid_client', 'Token is not active', '503 keycloak_unavailable', 'assertion_expired'],
    [403, 'access_denied', 'Realm not enabled', '503 keycloak_unavailable', 'realm_disabled'],
    [500, 'unknown_error', 'x', '503 keycloak_unavailable', 'status_unexpected']
  ]
  for (const [status, error, description, answer, code] of refusals) {
    endpoint.refuse(status, error, description)
    for (let times = 0; times < 2; times++) t.equal(await exchanged(app, realm.token(), { scope: 'read' }), answer, code)
    t.ok(log.lines.some(({ reasonCode }) => reasonCode === code), code)
  }
  const warned = refusals.filter(([, , , answer]) => /^(502|403)/.test(answer)).map(([, , , , code]) => code)
  t.same(setUpWarnings(log), warned, 'one warning for each cause')
  t.match(log.lines.find(({ level, reasonCode }) => level === WARN && reasonCode === 'exchange_audience_unknown')?.msg, /audience "orders" is no client/)
  t.notMatch(log.text, /Something new/)
  endpoint.answer = undefined
  t.match(await exchanged(app, realm.token()), /^ey/)
})

t.test('a warning names an audience that is plain, and the log is not flooded', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const log = logging()
  const app = await exchangingApi(t, realm, {}, log)
  endpoint.refuse(400, 'invalid_client', 'Audience not found')
  t.equal(await exchanged(app, realm.token(), { audience: 'x"y' }), '502 exchange_refused')
  t.match(log.lines.find(({ reasonCode, level }) => level === WARN && reasonCode === 'exchange_audience_unknown')?.msg, /the audience is no client/)
  for (let at = 0; at < 40; at++) await exchanged(app, realm.token(), { audience: `made-up-${at}` })
  t.equal(setUpWarnings(log).length, 20)
  clocks.advance(601)
  await exchanged(app, realm.token(), { audience: 'made-up-0' })
  t.equal(setUpWarnings(log).length, 21)
})

t.test('a token that does not name the audience is not handed to the other service', async (t) => {
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const log = logging()
  const app = await exchangingApi(t, realm, {}, log)
  const wide = [realm.token({ claims: { aud: ['account', 'api'] } }), realm.token({ claims: { aud: undefined } }), 'opaque', 'a.b.c']
  for (const token of wide) {
    endpoint.more = { access_token: token }
    t.equal(await exchanged(app, realm.token()), '502 exchange_refused', token.slice(0, 10))
  }
  t.same(setUpWarnings(log), ['exchange_audience_missing'])
  endpoint.more = { access_token: realm.token({ claims: { aud: ['account', 'orders'] } }) }
  t.match(await exchanged(app, realm.token()), /^ey/)
  endpoint.more = { issued_token_type: 'urn:ietf:params:oauth:token-type:id_token' }
  t.equal(await exchanged(app, realm.token()), '503 keycloak_unavailable')
})

t.test('a token that is bound to a key is refused without a call', async (t) => {
  const realm = await realmFor(t)
  const { calls } = tokenEndpointOf(realm)
  const log = logging()
  const app = await exchangingApi(t, realm, { dpop: true }, log)
  const key = proofKey()
  const token = realm.token({ claims: boundTo(key) })
  for (let times = 0; times < 2; times++) {
    const headers = { authorization: `DPoP ${token}`, dpop: key.proof({ token, url: 'http://localhost:80/exchanged' }) }
    t.match((await app.inject({ url: '/exchanged?audience=orders', headers })).json(), { statusCode: 502, code: 'exchange_refused' })
  }
  t.same(setUpWarnings(log), ['exchange_bound'])
  t.equal(calls.length, 0)
})

t.test('what is kept falls with the token of the caller: its end, and its logout', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const app = await exchangingApi(t, realm, LOGOUT)
  // A handler that goes on after its answer, as a connection that stays open does.
  const requests: Array<() => Promise<string>> = []
  app.get('/later', { config: { authenticated: true } }, async (request) => { requests.push(() => app.keycloak.exchange(request, { audience: 'orders' })) })
  const [short, loggedOut, other] = [realm.token({ username: 'carol', expiresIn: 100 }), realm.token({ username: 'alice' }), realm.token({ username: 'bob' })]
  for (const token of [short, loggedOut, other]) {
    await app.inject({ url: '/later', headers: bearer(token) })
    t.match(await requests.at(-1)!(), /^ey/)
  }
  t.equal(endpoint.calls.length, 3)
  t.equal((await logOut(app, realm)).status, 200)
  await t.rejects(requests[1]!(), { code: 'token_not_valid' })
  t.match(await requests[2]!(), /^ey/)
  clocks.advance(101)
  await t.rejects(requests[0]!(), { code: 'token_expired' })
  t.equal(endpoint.calls.length, 3)
})

t.test('a logout while Keycloak is asked counts', async (t) => {
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const app = await exchangingApi(t, realm, LOGOUT)
  endpoint.answer = async (call) => {
    await logOut(app, realm)
    endpoint.grant(call)
  }
  t.equal(await exchanged(app, realm.token({ username: 'alice' })), '401 token_not_valid')
})

t.test('an exchanged token is renewed ahead of its end', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  endpoint.lifespan = 100
  const app = await exchangingApi(t, realm)
  const token = realm.token({ expiresIn: 1000 })
  const first = await exchanged(app, token)
  clocks.advance(65)
  t.equal(await exchanged(app, token), first)
  await until(async () => await exchanged(app, token) !== first)
  t.equal(endpoint.calls.length, 2)
})

t.test('a call goes on as long as somebody waits for its token, and no longer', async (t) => {
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const app = await apiFor(t, realm)
  const ended: string[] = []
  const held: Array<() => void> = []
  endpoint.answer = (call) => {
    held.push(() => endpoint.grant(call))
    call.response.on('close', () => ended.push(call.response.writableFinished ? 'answered' : 'cancelled'))
  }
  app.addHook('preHandler', async (request) => {
    if (request.routeOptions.url === '/me') await Promise.all(['orders', 'billing'].map((audience) => app.keycloak.exchange(request, { audience })))
  })
  const token = realm.token()
  const [one, two] = [await client(app, token), await client(app, token)]
  await until(() => held.length === 2)
  one.leave()
  await until(() => endpoint.calls.length === 2)
  for (const answer of held.splice(0)) answer()
  t.equal(await two.answer, '200')
  await until(() => ended.length === 2)
  t.same(ended, ['answered', 'answered'])
  const other = await client(app, realm.token({ username: 'bob' }))
  await until(() => held.length === 2)
  other.leave()
  await until(() => ended.length === 4)
  t.same(ended.slice(2), ['cancelled', 'cancelled'])
  await until(() => app.keycloak.health().outbound?.pending === 0)
  t.match(app.keycloak.health().outbound, { ok: true })
})

t.test('many tokens in one request make one listener', async (t) => {
  const realm = await realmFor(t)
  tokenEndpointOf(realm)
  const app = await apiFor(t, realm)
  app.get('/many', { config: { authenticated: true } }, async (request, reply) => {
    await Promise.all(Array.from({ length: 20 }, (_, at) => app.keycloak.exchange(request, { audience: `a${at}` })))
    return reply.raw.listenerCount('close')
  })
  app.get('/none', async (_request, reply) => reply.raw.listenerCount('close'))
  const [many, none] = await Promise.all([app.inject({ url: '/many', headers: bearer(realm.token()) }), app.inject('/none')])
  t.equal(many.json() - none.json(), 1)
})

t.test('an API that closes does not hold up its close', async (t) => {
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const app = await exchangingApi(t, realm)
  const closing = closingOf(app)
  endpoint.answer = () => {}
  await app.ready()
  const answer = exchanged(app, realm.token())
  await until(() => endpoint.calls.length === 1)
  const closed = app.close()
  await closing
  t.equal(await answer, '503 keycloak_unavailable')
  await closed
})

t.test('garbage from the endpoint is 503', async (t) => {
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const app = await exchangingApi(t, realm)
  for (const body of ['', '{', '{}', { access_token: 'x' }]) {
    endpoint.answer = ({ response }) => json(response, 200, body)
    t.equal(await exchanged(app, realm.token()), '503 keycloak_unavailable')
  }
})
