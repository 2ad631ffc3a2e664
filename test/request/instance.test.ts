import type { ServerResponse } from 'node:http'
import t from 'tap'
import { apiFor, ask, bearer, closingOf, realmFor, until } from '../support/app.js'

t.test('fastify.keycloak.verify serves other transports: the claims, or one of the errors', async (t) => {
  const realm = await realmFor(t)
  let synced = 0
  const app = await apiFor(t, realm, { syncUser: () => { synced++; return {} } })
  t.match(await app.keycloak.verify(realm.token({ sub: 's' })), { sub: 's', iss: realm.issuer })
  await t.rejects(app.keycloak.verify('x'), { code: 'token_not_valid', statusCode: 401, name: 'KeycloakError' })
  await t.rejects(app.keycloak.verify(realm.token({ expired: true })), { code: 'token_expired' })
  await t.rejects(app.keycloak.verify(undefined as never), { code: 'token_not_valid' }, 'a token that is none, from JavaScript')
  await realm.down()
  await t.rejects(app.keycloak.verify(realm.token({ kid: 'new' })), { code: 'keycloak_unavailable', statusCode: 503 })
  t.equal(synced, 0, 'users are synced by requests alone')
})

t.test('what fastify.keycloak.verify throws tells who asked, and what refuses a request has no stack', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const limit = Error.stackTraceLimit
  const asksForIt = async (token: string): Promise<void> => { await app.keycloak.verify(token) }
  for (const token of ['no.token.atall', realm.token({ expiresIn: -60 }), forged()]) {
    const { stack } = await asksForIt(token).then(() => new Error('passed'), (error: Error) => error)
    t.match(stack, /^KeycloakError: The access token .*\n.* asksForIt /s)
  }
  await realm.down()
  const other = await apiFor(t, realm)
  const alice = async (): Promise<void> => { await other.keycloak.verify(realm.token()) }
  const bob = async (): Promise<void> => { await other.keycloak.verify(realm.token()) }
  const [first, second] = await Promise.allSettled([alice(), bob()]) as PromiseRejectedResult[]
  t.match(first!.reason.stack, /at async alice /, 'those who waited for the same fetch')
  t.match(second!.reason.stack, /at async bob /)
  const stacks: Array<string | undefined> = []
  app.setErrorHandler((error: Error, _request, reply) => {
    stacks.push(error.stack)
    reply.send(error)
  })
  app.get('/closed', { config: { authenticated: true } }, async () => 'ok')
  const frozen = { ...Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit'), writable: false }
  t.equal(await ask(app, '/closed', forged()), '401 token_not_valid')
  t.equal(Error.stackTraceLimit, limit)
  Object.defineProperty(Error, 'stackTraceLimit', frozen)
  t.teardown(() => Object.defineProperty(Error, 'stackTraceLimit', { ...frozen, writable: true }))
  t.equal(await ask(app, '/closed', forged()), '401 token_not_valid', 'where the limit is frozen as well')
  t.equal(stacks[0], 'KeycloakError: The access token is not valid.')
  t.match(stacks[1], /\n +at /, 'with a stack then, as ever')

  function forged (): string {
    const [header, payload] = realm.token().split('.')
    return `${header}.${payload}.${realm.token({ sub: 'another' }).split('.')[2]}`
  }
})

t.test('what fastify.keycloak.verify throws in a handler is answered as by the plugin', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true, introspection: { cacheTtl: 1000 } })
  app.get<{ Querystring: { token: string } }>('/late', async ({ query }) => app.keycloak.verify(query.token))
  const get = async (token: string) => {
    const { statusCode, headers } = await app.inject({ url: '/late', query: { token } })
    return [statusCode, headers['www-authenticate'] ?? headers['retry-after']]
  }
  const challenge = 'Bearer realm="test", error="invalid_token", error_description="The access token has expired."'
  t.same(await get(realm.token({ expired: true })), [401, challenge])
  realm.error(500, 'introspect')
  const token = realm.token()
  t.same(await Promise.all([get(token), get(token)]), [[503, '1'], [503, '1']])
})

t.test('fastify.keycloak.verify introspects where that is on', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true })
  const token = realm.token()
  t.match(await app.keycloak.verify(token), { preferred_username: 'alice' })
  realm.revoke(token)
  await t.rejects(app.keycloak.verify(token), { code: 'token_not_valid' })
})

t.test('fastify.keycloak.health tells how the calls to Keycloak do', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true })
  t.same(app.keycloak.health(), {
    ok: true,
    keys: { ok: true, lastSuccess: null, lastFailure: null, reason: null, state: 'not fetched yet', age: null, stale: true, count: 0 },
    cache: { tokens: 0, bytes: 0 },
    introspection: { ok: true, lastSuccess: null, lastFailure: null, reason: null, breaker: 'closed', pending: 0 },
    revocation: null,
    uma: null,
    outbound: null,
    refusals: {}
  })
  await app.keycloak.verify(realm.token())
  const iso = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/
  t.match(app.keycloak.health(), {
    ok: true,
    keys: { ok: true, lastSuccess: iso, lastFailure: null, state: 'fresh', age: Number, stale: false, count: 1 },
    introspection: { ok: true, lastSuccess: iso }
  })
  realm.error(500, 'introspect')
  await app.keycloak.verify(realm.token()).catch(() => {})
  t.match(app.keycloak.health(), { ok: false, introspection: { ok: false, lastFailure: iso, reason: 'status 500 instead of 200' } })
})

t.test('health tells keys that nobody has fetched yet from those that cannot be fetched', async (t) => {
  const realm = await realmFor(t)
  await realm.down()
  const app = await apiFor(t, realm)
  t.match(app.keycloak.health(), { ok: true, keys: { ok: true, state: 'not fetched yet', age: null } }, 'nothing is known to be wrong')
  await app.keycloak.verify(realm.token()).catch(() => {})
  t.match(app.keycloak.health(), { ok: false, keys: { ok: false, state: 'not fetched yet', age: null, reason: 'ECONNREFUSED' } })
})

t.test('the API closes with requests in flight that Keycloak does not answer', async (t) => {
  const realm = await realmFor(t)
  // The deadline of the calls is later than that of the test.
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true, introspection: { timeout: 600_000 } })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const headers = bearer(realm.token())
  t.equal((await fetch(`${url}/me`, { headers })).status, 200)
  realm.hang()
  const inFlight = Array.from({ length: 20 }, () => fetch(`${url}/me`, { headers }))
  await until(() => realm.requests.introspect === 21)
  await app.close()
  t.same((await Promise.all(inFlight)).map(({ status }) => status), Array(20).fill(503))
})

t.test('an API that has closed asks Keycloak nothing', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  await app.close()
  await t.rejects(app.keycloak.verify(realm.token()), { code: 'keycloak_unavailable', reason: 'the API is closed' })
  t.same(realm.requests, { certs: 0, introspect: 0, discovery: 0, token: 0, protection: 0, other: 0 })
})

t.test('requests in flight that Keycloak answers are answered while the API closes', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true })
  const closing = closingOf(app)
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const held: ServerResponse[] = []
  realm.respond('introspect', (_request, response) => { held.push(response) })
  const inFlight = fetch(`${url}/me`, { headers: bearer(realm.token()) })
  await until(() => held.length === 1)
  const closed = app.close()
  await closing
  held[0]!.end('{"active":true}')
  t.equal((await inFlight).status, 200)
  await closed
})

t.test('calls of other transports end with the API', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  realm.hang('certs')
  const pending = app.keycloak.verify(realm.token())
  pending.catch(() => {})
  await until(() => realm.requests.certs === 1)
  await app.close()
  await t.rejects(pending, { code: 'keycloak_unavailable' })
})

t.test('what an application writes into the headers of a refusal of verify() stays in that refusal', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const headersOf = async (token: string) => app.keycloak.verify(token).then(() => ({}), (error) => error.headers) as Promise<Record<string, string>>
  for (const token of ['x', realm.token({ expired: true })]) {
    const [first, before] = [await headersOf(token), await headersOf(token)]
    first['www-authenticate'] += ', Basic'
    first['set-cookie'] = 'user=bob'
    t.same(await headersOf(token), before)
    t.match(before, { 'www-authenticate': /^Bearer [^,]+, error="invalid_token", error_description="[^"]+"$/ })
  }
})
