// Connections that stay open: request.authSignal fires when their token ends.
import { once } from 'node:events'
import { connect } from 'node:http2'
import { PassThrough } from 'node:stream'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import keycloak, { type KeycloakOptions, type SeveralIssuersOptions } from '../../index.js'
import { AuthSignals } from '../../lib/request/auth-signals.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { bearer, logging, realmFor, until } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { action, LOGOUT, logOut, now, push, silentStore } from '../support/logout.js'

/** An API with server-sent events: `welcome`, and at the end the code and the reason of the signal. */
async function apiOf (t: Test, options: KeycloakOptions | SeveralIssuersOptions, server: { http2?: boolean } = {}) {
  const log = logging()
  const app = Fastify({ ...server, logger: log.logger } as object) as FastifyInstance
  const signals: AbortSignal[] = []
  await app.register(keycloak, options as KeycloakOptions)
  app.get('/events', { config: { authenticated: true } }, async (request, reply) => {
    const stream = new PassThrough()
    const { authSignal } = request
    signals.push(authSignal)
    authSignal.addEventListener('abort', () => stream.end(`${authSignal.reason.code} ${authSignal.reason.reasonCode}`))
    stream.write('welcome ')
    return reply.send(stream)
  })
  app.get('/brief', async (request) => {
    if (request.authSignal !== null) signals.push(request.authSignal)
    const { authSignal } = request
    return { same: authSignal === request.authSignal, kind: String(authSignal) }
  })
  const clients = new AbortController()
  t.teardown(async () => {
    clients.abort()
    await app.close()
  })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  /** @returns the text of the events, once the answer has begun */
  const open = async (token: string): Promise<{ text: Promise<string> }> => {
    const response = await fetch(`${origin}/events`, { headers: bearer(token), signal: clients.signal })
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
    const text = response.text()
    text.catch(() => {})
    return { text }
  }
  return { app, origin, open, log, signals }
}

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())

const options = (realm: TestRealm, more: Partial<KeycloakOptions> = {}): KeycloakOptions => ({ ...realm.options, ...more })

t.test('a connection ends at the exp of its token, and others go on', async (t) => {
  const realm = await realmFor(t)
  const clocks = clocksFor(t)
  const { open, signals, log } = await apiOf(t, options(realm))
  const [brief] = [await open(realm.token({ expiresIn: 600 })), await open(realm.token({ expiresIn: 1200 }))]
  clocks.jump(600)
  t.equal(await brief.text, 'welcome token_expired exp_passed')
  t.match(signals[0]!.reason, { name: 'KeycloakError', statusCode: 401 })
  t.equal(signals[1]!.aborted, false)
  const line = log.lines.find(({ msg }) => msg.startsWith('request.authSignal'))
  t.match(line, { code: 'token_expired', reasonCode: 'exp_passed', msg: /^request\.authSignal fired: / })
})

t.test('leeway holds for connections too, and so does maxTokenAge', async (t) => {
  const realm = await realmFor(t)
  const clocks = clocksFor(t)
  const { open, signals } = await apiOf(t, options(realm, { leeway: 60, maxTokenAge: 900 }))
  const [brief, exact, long] = [await open(realm.token({ expiresIn: 540 })), await open(realm.token({ expiresIn: 600 })), await open(realm.token({ expiresIn: 3600 }))]
  clocks.jump(630)
  t.equal(await brief.text, 'welcome token_expired exp_passed')
  t.equal(signals[1]!.aborted, false, 'past its exp, within the leeway')
  clocks.jump(30)
  t.equal(await exact.text, 'welcome token_expired exp_passed')
  clocks.jump(300)
  t.equal(await long.text, 'welcome token_not_valid token_too_old')
})

t.test('a clock that is set back ends no connection', async (t) => {
  const realm = await realmFor(t)
  const clocks = clocksFor(t)
  const { open, signals } = await apiOf(t, options(realm))
  await open(realm.token())
  clocks.jump(-3600)
  const past = await open(realm.token({ expiresIn: 600 }))
  clocks.jump(1200)
  t.equal(await past.text, 'welcome token_expired exp_passed')
  t.equal(signals[0]!.aborted, false)
})

t.test('a logout ends the connections of the session at once, and nobody else\'s', async (t) => {
  const realm = await realmFor(t)
  const { app, open, signals } = await apiOf(t, options(realm, LOGOUT))
  const [one, two] = [await open(realm.token()), await open(realm.token())]
  await open(realm.token({ username: 'bob' }))
  t.equal((await logOut(app, realm)).status, 200)
  t.same([await one.text, await two.text], ['welcome token_not_valid session_logged_out', 'welcome token_not_valid session_logged_out'])
  t.equal(signals[2]!.aborted, false)
})

t.test('a not-before date of the console ends all connections with older tokens', async (t) => {
  const realm = await realmFor(t)
  const { app, open } = await apiOf(t, options(realm, LOGOUT))
  const [one, two] = [await open(realm.token()), await open(realm.token({ username: 'bob' }))]
  t.equal((await push(app, realm.sign(action('PUSH_NOT_BEFORE', { notBefore: now() + 1 })), 'k_push_not_before')).status, 200)
  t.same([await one.text, await two.text], ['welcome token_not_valid issued_before_not_before', 'welcome token_not_valid issued_before_not_before'])
})

t.test('a logout of several sessions by the console ends the connections of all of them', async (t) => {
  const realm = await realmFor(t)
  const { app, open } = await apiOf(t, options(realm, LOGOUT))
  const texts: Array<Promise<string>> = []
  const sessions: string[] = []
  for (const username of ['alice', 'bob']) {
    const token = realm.token({ username })
    texts.push((await open(token)).text)
    sessions.push(claimsOf(token).sid)
  }
  t.equal((await push(app, realm.sign(action('LOGOUT', { keycloakSessionIds: sessions })), 'k_logout')).status, 200)
  t.same(await Promise.all(texts), ['welcome token_not_valid session_logged_out', 'welcome token_not_valid session_logged_out'])
})

t.test('a logout that another instance took ends connections, and a store that falls silent does not', async (t) => {
  const realm = await realmFor(t)
  const clocks = clocksFor(t)
  const shared = silentStore()
  const { open, signals } = await apiOf(t, options(realm, { ...LOGOUT, revocation: { store: shared.store, maxLag: 100_000 } }))
  const one = await open(realm.token())
  const bob = realm.token({ username: 'bob', expiresIn: 3600 })
  await open(bob)
  const brief = await open(realm.token({ username: 'carol', expiresIn: 600 }))
  clocks.advance(600)
  t.equal(await brief.text, 'welcome token_expired exp_passed', 'the timer has looked at all of them')
  t.equal(signals[1]!.aborted, false)
  shared.follower.upToDate()
  shared.follower.receive({ kind: 'user', id: claimsOf(bob).sub, at: now() })
  t.equal(await one.text, 'welcome token_expired exp_passed')
  await until(() => signals[1]!.aborted)
  t.equal(signals[1]!.reason.reasonCode, 'user_logged_out')
})

t.test('a key that left the realm ends the connections that it let in, and one that stayed does not', async (t) => {
  const realm = await realmFor(t)
  const { open, signals } = await apiOf(t, options(realm, { jwks: { maxAge: 1000 } }))
  const old = await open(realm.token())
  realm.rotateKeys({ removeOld: false })
  await open(realm.token())
  const fetched = realm.requests.certs
  await until(() => realm.requests.certs > fetched + 1)
  t.equal(signals[0]!.aborted, false, 'the old key is still there')
  realm.rotateKeys({ removeOld: true })
  t.equal(await old.text, 'welcome token_not_valid kid_unknown')
})

t.test('an outage of Keycloak ends no connection', async (t) => {
  const realm = await realmFor(t)
  const clocks = clocksFor(t)
  const { open, signals } = await apiOf(t, options(realm))
  await open(realm.token({ expiresIn: 100_000 }))
  const brief = await open(realm.token({ expiresIn: 90_000, username: 'bob' }))
  await realm.down()
  clocks.advance(90_000)
  t.equal(await brief.text, 'welcome token_expired exp_passed')
  t.equal(signals[0]!.aborted, false, 'though the keys are older than jwks.maxStale')
})

t.test('a tenant that has ended ends its connections', async (t) => {
  const [acme, globex] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' })]
  const table = new Map([acme, globex].map((realm) => [realm.issuer, realm.options]))
  const { app, open, signals } = await apiOf(t, { issuers: (iss) => table.get(iss) ?? null })
  const one = await open(acme.token())
  await open(globex.token())
  app.keycloak.forgetIssuer(acme.issuer)
  t.equal(await one.text, 'welcome token_not_valid issuer_unknown')
  t.equal(signals[1]!.aborted, false)
})

t.test('an open connection keeps its tenant open, and the least recently used one ends', async (t) => {
  const realms = [await realmFor(t, { name: 'one' }), await realmFor(t, { name: 'two' }), await realmFor(t, { name: 'three' })]
  const table = new Map(realms.map((realm) => [realm.issuer, realm.options]))
  const clocks = clocksFor(t)
  const { app, open, origin, signals } = await apiOf(t, { issuers: (iss) => table.get(iss) ?? null, maxIssuers: 2 })
  await open(realms[0]!.token())
  await fetch(`${origin}/brief`, { headers: bearer(realms[1]!.token()) })
  // The timer has looked at the connection since.
  const brief = await open(realms[0]!.token({ expiresIn: 30 }))
  clocks.jump(30)
  await brief.text
  await fetch(`${origin}/brief`, { headers: bearer(realms[2]!.token()) })
  t.same(Object.keys(app.keycloak.health().issuers!).toSorted(), ['one', 'three'])
  t.equal(signals[0]!.aborted, false)
})

t.test('with introspection the signal is that of the live claims', async (t) => {
  const realm = await realmFor(t)
  const { app, open } = await apiOf(t, options(realm, { ...LOGOUT, verifyTokensWithKeycloak: true }))
  const one = await open(realm.token())
  t.equal((await logOut(app, realm)).status, 200)
  t.equal(await one.text, 'welcome token_not_valid session_logged_out')
})

t.test('without a check of signatures exp counts', async (t) => {
  const realm = await realmFor(t)
  const clocks = clocksFor(t)
  const { open } = await apiOf(t, options(realm, { verifySignature: false }))
  const brief = await open(realm.token({ expiresIn: 600 }))
  clocks.jump(600)
  t.equal(await brief.text, 'welcome token_expired exp_passed')
})

t.test('each request has one signal, an anonymous one has none', async (t) => {
  const realm = await realmFor(t)
  const { app } = await apiOf(t, options(realm))
  t.same((await app.inject('/brief')).json(), { same: true, kind: 'null' })
  t.same((await app.inject({ url: '/brief', headers: bearer(realm.token()) })).json(), { same: true, kind: '[object AbortSignal]' })
})

t.test('it works over HTTP/2', async (t) => {
  const realm = await realmFor(t)
  const { app, origin } = await apiOf(t, options(realm, LOGOUT), { http2: true })
  const session = connect(origin)
  t.teardown(() => session.destroy())
  const stream = session.request({ ':path': '/events', ...bearer(realm.token()) })
  let text = ''
  stream.setEncoding('utf8').on('data', (chunk) => { text += chunk })
  await until(() => text === 'welcome ')
  t.equal((await logOut(app, realm)).status, 200)
  await once(stream, 'end')
  t.equal(text, 'welcome token_not_valid session_logged_out')
})

t.test('a token that has ended before the signal is read', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, options(realm, LOGOUT))
  app.get('/', { config: { authenticated: true } }, async (request) => {
    await logOut(app, realm)
    return request.authSignal.reason.code
  })
  t.equal((await app.inject({ url: '/', headers: bearer(realm.token()) })).body, 'token_not_valid')
})

t.test('a connection is forgotten when its response has ended, or its client is gone', async (t) => {
  const signals = new AuthSignals({ isOpen: () => true })
  t.teardown(() => signals.close())
  const realm = await realmFor(t)
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(() => app.close())
  await app.register(keycloak, options(realm, LOGOUT))
  const read: AbortSignal[] = []
  let leave = (): void => {}
  const gone = new Promise<void>((resolve) => { leave = resolve })
  app.get('/', { config: { authenticated: true } }, async (request) => {
    read.push(signals.signalOf(request)!)
    return { watched: signals.size }
  })
  app.get('/late', { config: { authenticated: true } }, async (request, reply) => {
    reply.raw.once('close', leave)
    reply.hijack()
    reply.raw.writeHead(200).write('welcome')
    await gone
    read.push(signals.signalOf(request)!)
  })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  // One connection is kept alive for all of them.
  for (let times = 0; times < 3; times++) t.same(await (await fetch(origin, { headers: bearer(realm.token()) })).json(), { watched: 1 })
  await until(() => signals.size === 0)
  t.same((await app.inject({ url: '/', headers: bearer(realm.token()) })).json(), { watched: 1 }, 'a request that is injected')
  await until(() => signals.size === 0)
  const client = new AbortController()
  await fetch(`${origin}/late`, { headers: bearer(realm.token()), signal: client.signal })
  client.abort()
  await until(() => read.length === 5)
  t.equal(read[4]!.aborted, true, 'for a client that is gone there is nothing to do')
  t.equal(signals.size, 0)
  t.equal((await logOut(app, realm)).status, 200)
  t.same(read.slice(0, 4).map(({ aborted }) => aborted), [false, false, false, false])
})

t.test('an API that closes fires nothing', async (t) => {
  const realm = await realmFor(t)
  const clocks = clocksFor(t)
  const app = Fastify({ forceCloseConnections: true })
  await app.register(keycloak, options(realm, LOGOUT))
  const signals: AbortSignal[] = []
  app.get('/', { config: { authenticated: true } }, async (request, reply) => {
    signals.push(request.authSignal)
    return reply.send(new PassThrough().on('error', () => {}))
  })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  fetch(origin, { headers: bearer(realm.token({ expiresIn: 60 })) }).then((response) => response.text()).catch(() => {})
  await until(() => signals.length === 1)
  await app.close()
  clocks.jump(600)
  const other = await apiOf(t, options(realm))
  const brief = await other.open(realm.token({ expiresIn: 30 }))
  clocks.jump(600)
  t.equal(await brief.text, 'welcome token_expired exp_passed')
  t.equal(signals[0]!.aborted, false)
})
