import { Agent, request } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import type { KeycloakOptions } from '../../types/options.js'
import type { RevocationStore } from '../../types/revocation.js'
import { bearer, closingOf, logging, realmFor, until, wait, WARN } from '../support/app.js'
import { LOGOUT } from '../support/logout.js'

/** Milliseconds that a call may take: a close that waits for its end exceeds the timeout of the test. */
const LONG = 600_000
const PATIENT = { jwks: { timeout: LONG }, introspection: { timeout: LONG } }

/** Each waits most of the time. */
t.jobs = 8

const never = (): Promise<never> => new Promise(() => {})

/** An API that listens, and its URL. */
async function listening (t: Test, realm: TestRealm, options: Partial<KeycloakOptions> = {}, server: FastifyServerOptions = {}): Promise<{ app: FastifyInstance, url: string, closing: Promise<void> }> {
  const app = Fastify(server)
  const closing = closingOf(app)
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, ...PATIENT, ...options })
  app.get('/me', { config: { authenticated: true } }, async () => 'ok')
  return { app, url: await app.listen({ port: 0, host: '127.0.0.1' }), closing }
}

/** Ask over a connection that is kept alive: the status, and what becomes of the connection. */
function ask (t: Test, url: string, headers: Record<string, string>, form?: URLSearchParams): Promise<string> {
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  return new Promise((resolve, reject) => {
    request(url, { agent, headers, method: form === undefined ? 'GET' : 'POST' }, (response) => {
      response.resume().on('end', () => resolve(`${response.statusCode} ${response.headers.connection}`))
    }).on('error', reject).end(form && String(form))
  })
}

function logOut (t: Test, realm: TestRealm, url: string): Promise<string> {
  return ask(t, `${url}/backchannel-logout`, { 'content-type': 'application/x-www-form-urlencoded' }, new URLSearchParams({ logout_token: realm.token({ kind: 'logout' }) }))
}

/** Until so many requests have arrived: which comes too late for a close is not answered by us. */
async function arrived (log: ReturnType<typeof logging>, times: number): Promise<void> {
  await until(() => log.lines.filter(({ msg }) => msg === 'incoming request').length === times)
}

/** A store that does as it should, but for what is given. */
function storeWith (other: Partial<RevocationStore>): RevocationStore {
  return { follow: (follower) => follower.upToDate(), publish: async () => {}, close: () => {}, ...other }
}

t.test('requests that wait for the key set are answered, and the API closes', async (t) => {
  const realm = await realmFor(t)
  realm.hang('certs')
  const log = logging()
  const { app, url } = await listening(t, realm, {}, log)
  const answers = [1, 2, 3].map(() => ask(t, `${url}/me`, bearer(realm.token())))
  await arrived(log, 3)
  await app.close()
  t.same(await Promise.all(answers), Array(3).fill('503 close'))
})

t.test('a request that waits for the end of a cooldown is answered, and the API closes', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const { app, url } = await listening(t, realm, {}, log)
  t.equal(await ask(t, `${url}/me`, bearer(realm.token())), '200 keep-alive')
  t.equal(await ask(t, `${url}/me`, bearer(realm.token({ kid: 'x' }))), '401 keep-alive')
  const answer = ask(t, `${url}/me`, bearer(realm.token({ kid: 'y'.repeat(43) })))
  await arrived(log, 3)
  await app.close()
  t.equal(await answer, '503 close')
  t.match(log.text, 'request refused: the API is closing')
})

t.test('requests that wait for introspection, in calls or for a connection, are answered, and the API closes', async (t) => {
  const realm = await realmFor(t)
  realm.hang('introspect')
  const { app, url } = await listening(t, realm, { verifyTokensWithKeycloak: true })
  const answers = Array.from({ length: 100 }, () => ask(t, `${url}/me`, bearer(realm.token())))
  await until(() => app.keycloak.health().introspection!.pending === 100)
  await app.close()
  t.same(await Promise.all(answers), Array(100).fill('503 close'))
})

t.test('requests that wait for the function clientSecret are answered, nothing is blamed on it, and the API closes', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  let asked = 0
  const { app, url } = await listening(t, realm, { verifyTokensWithKeycloak: true, clientSecret: () => { asked++; return never() } }, log)
  const answers = [1, 2, 3].map(() => ask(t, `${url}/me`, bearer(realm.token())))
  await until(() => app.keycloak.health().introspection!.pending === 3)
  await app.close()
  t.same(await Promise.all(answers), Array(3).fill('503 close'))
  t.equal(asked, 1)
  await t.rejects(app.keycloak.verify(realm.token()), { code: 'keycloak_unavailable' }, 'and who asks later does not wait at all')
  t.notMatch(log.text, 'gave no secret')
  t.match(log.text, 'request refused: the API is closing')
})

t.test('a logout whose body drips is answered, and the API closes', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const { app } = await listening(t, realm, LOGOUT, log)
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  let received = ''
  socket.on('data', (chunk) => { received += String(chunk) }).on('error', () => {})
  socket.write('POST /backchannel-logout HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nlogout_token')
  const drip = setInterval(() => socket.write('x'), 50)
  t.teardown(() => clearInterval(drip))
  await arrived(log, 1)
  await app.close()
  await until(() => received !== '')
  t.match(received, /^HTTP\/1\.1 503 .*connection: close.*temporarily_unavailable.*the API is closing/s)
})

t.test('a logout that a store does not take is answered, and the API closes', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  let published = 0
  const store = storeWith({ publish: () => { published++; return never() } })
  const { app, url } = await listening(t, realm, { ...LOGOUT, revocation: { store } }, log)
  const answer = logOut(t, realm, url)
  await until(() => published === 1)
  await app.close()
  t.equal(await answer, '503 close')
  t.match(log.text, 'the store of revocations cannot be written: the API is closing')
})

t.test('a logout that is carried out while the API closes does not keep its connection alive', async (t) => {
  const realm = await realmFor(t)
  const taken: Array<() => void> = []
  const store = storeWith({ publish: () => new Promise((resolve) => taken.push(resolve)) })
  const { app, url, closing } = await listening(t, realm, { ...LOGOUT, revocation: { store } })
  const answer = logOut(t, realm, url)
  await until(() => taken.length === 1)
  const closed = app.close()
  await closing
  taken[0]!()
  t.equal(await answer, '200 close')
  await closed
})

t.test('a refused logout does not either', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const { app, closing } = await listening(t, realm, LOGOUT, log)
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  let received = ''
  socket.on('data', (chunk) => { received += String(chunk) })
  socket.write('POST /backchannel-logout HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 2\r\n\r\nx')
  await arrived(log, 1)
  const closed = app.close()
  await closing
  socket.write('y')
  await closed
  await until(() => received !== '')
  t.match(received, /^HTTP\/1\.1 400 .*connection: close/s)
})

t.test('a store that does not close holds up the close no longer than a moment, and the log says so', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const { app } = await listening(t, realm, { revocation: { store: storeWith({ close: never }) } }, log)
  await app.close()
  t.match(log.lines.filter(({ level }) => level === WARN), [{ msg: 'the store of revocations was not closed within 250 ms; the API closes all the same' }])
})

t.test('what a store throws when it is closed is the application\'s to hear', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  await app.register(keycloak, { ...realm.options, revocation: { store: storeWith({ close: () => { throw new Error('still in use') } }) } })
  await app.ready()
  await t.rejects(app.close(), { message: 'still in use' })
})

const STARTS: Record<string, Partial<KeycloakOptions>> = {
  'startCheck: require': { startCheck: 'require' },
  'startCheck: require, with a secret that does not come': { startCheck: 'require', verifyTokensWithKeycloak: true, clientSecret: never },
  'jwks.preload: require': { jwks: { ...PATIENT.jwks, preload: 'require' } }
}

for (const [name, options] of Object.entries(STARTS)) {
  for (const prefix of [undefined, '/api']) {
    t.test(`an API that is closed during its start closes, and does not start: ${name}${prefix ?? ''}`, async (t) => {
      const realm = await realmFor(t)
      if (!('clientSecret' in options)) realm.hang()
      const app = Fastify()
      const { close } = app
      app.register(async (scope) => { await scope.register(keycloak, { ...realm.options, ...PATIENT, ...options }) }, { prefix })
      const started = app.listen({ port: 0, host: '127.0.0.1' }).then(() => 'started', (error: Error) => error.message)
      await until(() => realm.requests.certs + realm.requests.discovery > 0)
      await app.close()
      t.equal(await started, 'fastify-keycloak-bearer: the API was closed before Keycloak had answered')
      t.equal(app.close, close, 'and what was listened to is left as it was')
    })
  }
}

t.test('an API that is closed while it waits for its store at start closes', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  let followed = false
  const app = Fastify(log)
  app.register(keycloak, { ...realm.options, revocation: { store: storeWith({ follow: () => { followed = true } }) } })
  app.ready().then(() => {}, () => {})
  await until(() => followed)
  await app.close()
  t.notMatch(log.text, 'could not be read in time')
})

t.test('another\'s way to hear of a close is left in its place', async (t) => {
  const realm = await realmFor(t)
  realm.hang('certs')
  const app = Fastify()
  app.register(keycloak, { ...realm.options, jwks: { preload: 'require' } })
  app.ready().then(() => {}, () => {})
  await until(() => realm.requests.certs === 1)
  const heard: string[] = []
  const { close } = app
  app.close = function (this: FastifyInstance, ...parameters: never[]) {
    heard.push('closed')
    return close.apply(this, parameters as never)
  } as typeof close
  const ours = app.close
  await app.close()
  t.equal(app.close, ours)
  t.same(heard, ['closed'])
})

t.test('an API that is closed once it has started closes, with checks of Keycloak under way in the background', async (t) => {
  const realm = await realmFor(t)
  realm.hang()
  const { app } = await listening(t, realm, { startCheck: 'warn', jwks: { ...PATIENT.jwks, preload: 'warn' } })
  await until(() => realm.requests.certs + realm.requests.discovery === 2)
  await app.close()
})

t.test('HTTP/2: a request that waits for introspection is answered, its session ends, and the API closes', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify({ http2: true })
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, ...PATIENT, verifyTokensWithKeycloak: true })
  app.get('/me', { config: { authenticated: true } }, async () => 'ok')
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  realm.hang('introspect')
  const session = connectHttp2(url)
  t.teardown(() => session.destroy())
  const stream = session.request({ ':path': '/me', ...bearer(realm.token()) })
  const answer = new Promise<string>((resolve, reject) => {
    stream.on('response', (headers) => { stream.resume(); resolve(`${headers[':status']} ${headers.connection}`) }).on('error', reject)
  })
  await until(() => realm.requests.introspect === 1)
  await app.close()
  t.equal(await answer, '503 undefined')
})

for (const [what, hangs, expected] of [['answers', false, 'verified'], ['does not', true, 'the API is closing']] as const) {
  t.test(`what an application asks for while its own requests hold up the close has a moment as well: Keycloak ${what}`, async (t) => {
    const realm = await realmFor(t)
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(keycloak, { ...realm.options, ...PATIENT, verifyTokensWithKeycloak: true })
    let arrived = false
    app.get('/slow', async () => {
      arrived = true
      await wait(900)
      return app.keycloak.verify(realm.token()).then(() => 'verified', ({ reason }) => reason)
    })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    if (hangs) realm.hang('introspect')
    const answer = fetch(`${url}/slow`, { headers: { connection: 'close' } }).then((response) => response.text())
    await until(() => arrived)
    await app.close()
    t.equal(await answer, expected)
    await t.rejects(app.keycloak.verify(realm.token()), { code: 'keycloak_unavailable' })
  })
}
