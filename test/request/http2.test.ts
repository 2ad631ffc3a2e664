import { once } from 'node:events'
import { type ClientHttp2Session, connect, constants, type Http2Server, type IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { bearer, logging, realmFor, until, WARN } from '../support/app.js'
import { LOGOUT } from '../support/logout.js'

/** Each waits most of the time. */
t.jobs = 4

/** An API that speaks HTTP/2, with a session to it. */
async function overHttp2 (t: Test, realm: TestRealm, options: Partial<KeycloakOptions> = {}) {
  const log = logging()
  const app = Fastify({ http2: true, logger: log.logger as { level: string } })
  await app.register(keycloak, { ...realm.options, ...options })
  const slow = { held: 0, release: () => {} }
  /** Streams that the server has seen the end of. */
  const streams = { closed: 0 }
  app.server.on('stream', (stream) => stream.on('close', () => { streams.closed++ }))
  const released = new Promise<void>((resolve) => { slow.release = resolve })
  app.get('/me', { config: { authenticated: true } }, async ({ user }) => user)
  app.get('/profile', { config: { permission: 'view-profile' } }, async ({ user }) => user)
  app.get('/slow', { config: { permission: async () => { slow.held++; await released; throw new Error('no answer') } } }, async () => 'ok')
  const session = connect(await app.listen({ port: 0, host: '127.0.0.1' }))
  t.teardown(async () => {
    session.destroy()
    await app.close()
  })
  return { app, log, session, slow, streams }
}

/** Another session to an API: its requests are answered after those that had already ended. */
function another (t: Test, app: { server: Http2Server }): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`)
  t.teardown(() => session.destroy())
  return session
}

/** The answer to a request. */
async function get (session: ClientHttp2Session, path: string, token?: string): Promise<{ status: number, headers: IncomingHttpHeaders, body: string }> {
  const stream = session.request({ ':path': path, ...(token === undefined ? {} : bearer(token)) })
  const [headers] = await once(stream, 'response') as [IncomingHttpHeaders & { ':status': number }]
  let body = ''
  for await (const chunk of stream) body += String(chunk)
  return { status: headers[':status'], headers, body }
}

t.test('HTTP/2 is answered as HTTP/1 is', async (t) => {
  const realm = await realmFor(t)
  const { session } = await overHttp2(t, realm)
  t.match(await get(session, '/me', realm.token()), { status: 200 })
  const refused = await get(session, '/profile', realm.token())
  t.match(refused, { status: 403, headers: { 'www-authenticate': /insufficient_scope/ } })
  t.match(await get(session, '/me'), { status: 401, headers: { 'www-authenticate': 'Bearer realm="test"' } })
  realm.error(500, 'certs')
  const { session: cold } = await overHttp2(t, realm)
  const { status, headers } = await get(cold, '/me', realm.token())
  t.match({ status, headers }, { status: 503, headers: { 'retry-after': '1', connection: undefined } })
})

/** How a client of HTTP/2 goes away while something is waited for. */
const WAYS: Record<string, (session: ClientHttp2Session, stream: ReturnType<ClientHttp2Session['request']>) => void> = {
  'cancels its stream': (_session, stream) => stream.close(constants.NGHTTP2_CANCEL),
  'ends its session': (session) => session.destroy()
}

for (const [way, leave] of Object.entries(WAYS)) {
  t.test(`a client of HTTP/2 that ${way} during introspection calls it off, and is no error`, async (t) => {
    const realm = await realmFor(t)
    let calledOff = 0
    let asked = 0
    realm.respond('introspect', (_request, response) => { asked++; response.on('close', () => { calledOff++ }) })
    const { app, log, session } = await overHttp2(t, realm, { verifyTokensWithKeycloak: true })
    const streams = Array.from({ length: 3 }, () => session.request({ ':path': '/me', ...bearer(realm.token()) }))
    for (const stream of streams) stream.on('error', () => {})
    await until(() => asked === 3)
    for (const stream of streams) leave(session, stream)
    await until(() => calledOff === 3 && app.keycloak.health().introspection!.pending === 0)
    t.match(app.keycloak.health().introspection, { ok: true, breaker: 'closed' })
    realm.respond('introspect', null)
    t.match(await get(another(t, app), '/me', realm.token()), { status: 200 })
    t.same(log.lines.filter(({ level }) => level >= WARN), [])
  })

  t.test(`a client of HTTP/2 that ${way} while the application decides is no error`, async (t) => {
    const realm = await realmFor(t)
    let synced = 0
    let fail = (): void => {}
    const failed = new Promise<never>((_resolve, reject) => { fail = () => reject(new Error('no database')) })
    failed.catch(() => {})
    const { app, log, session, streams: synchronizing } = await overHttp2(t, realm, { syncUser: () => { synced++; return failed } })
    const other = await overHttp2(t, realm)
    const streams = ['/me', '/slow'].map((path, at) => ({ session: at === 0 ? session : other.session, path }))
      .map(({ session, path }) => ({ session, stream: session.request({ ':path': path, ...bearer(realm.token()) }) }))
    for (const { stream } of streams) stream.on('error', () => {})
    await until(() => synced === 1 && other.slow.held === 1)
    for (const { session, stream } of streams) leave(session, stream)
    await until(() => synchronizing.closed === 1 && other.streams.closed === 1)
    other.slow.release()
    fail()
    for (const each of [app, other.app]) t.match(await get(another(t, each), '/me'), { status: 401 })
    t.same([...log.lines, ...other.log.lines].filter(({ level }) => level >= WARN), [])
  })

  t.test(`a client of HTTP/2 that ${way} and would have been let in is no error either`, async (t) => {
    const realm = await realmFor(t)
    let letIn = (): void => {}
    let synced = 0
    const user = new Promise<object>((resolve) => { letIn = () => resolve({}) })
    const { app, log, session, streams } = await overHttp2(t, realm, { syncUser: () => { synced++; return user } })
    const stream = session.request({ ':path': '/me', ...bearer(realm.token()) })
    stream.on('error', () => {})
    await until(() => synced === 1)
    leave(session, stream)
    await until(() => streams.closed === 1)
    letIn()
    t.match(await get(another(t, app), '/me'), { status: 401 })
    t.same(log.lines.filter(({ level }) => level >= WARN), [])
  })
}

t.test('a logout over HTTP/2 whose client goes away is refused with a warning, and is no error', async (t) => {
  const realm = await realmFor(t)
  const { app, log, session, streams } = await overHttp2(t, realm, LOGOUT)
  const stream = session.request({ ':method': 'POST', ':path': '/backchannel-logout', 'content-type': 'application/x-www-form-urlencoded' })
  stream.on('error', () => {}).write('logout_token=')
  await until(() => log.text.includes('incoming request'))
  stream.close(constants.NGHTTP2_CANCEL)
  await until(() => log.text.includes('a back-channel logout was refused'))
  await until(() => streams.closed === 1)
  t.match(await get(another(t, app), '/me'), { status: 401 })
  t.same(log.lines.filter(({ level }) => level > WARN), [])
})
