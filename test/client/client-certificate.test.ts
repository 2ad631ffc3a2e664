// The client of this API proves itself by the certificate of its connections (tls_client_auth, RFC 8705 section 2.1).
import t from 'tap'
import type { ClientCertificate } from '../../index.js'
import { apiFor, ask, logging, realmFor, until } from '../support/app.js'
import { CERTIFICATE } from '../support/certificate.js'
import { demandCertificate } from '../support/certificate-server.js'
import { CLIENTS } from '../support/client-certificates.js'
import { clocksFor } from '../support/clocks.js'
import { reasonOf } from '../support/reasons.js'

const ON = { verifyTokensWithKeycloak: true, clientSecret: undefined, ca: CERTIFICATE }
const UNAVAILABLE = '503 keycloak_unavailable'

/** The years that the certificates of the tests are good for, in seconds. */
const CENTURY = 100 * 365 * 86_400

t.test('the connection has the certificate, and the form the id of the client alone', async (t) => {
  const realm = await realmFor(t)
  const server = await demandCertificate(t, realm, CLIENTS.a)
  const app = await apiFor(t, realm, { ...ON, serverUrl: server.serverUrl, clientCertificate: CLIENTS.a })
  const token = realm.token()
  t.equal(await ask(app, '/me', token), '200')
  t.same(server.calls, [{ subject: 'CN=client-a', form: { client_id: 'api', token_type_hint: 'access_token', token } }])
})

t.test('the calls for tokens for other services have it, too', async (t) => {
  const realm = await realmFor(t)
  const server = await demandCertificate(t, realm, CLIENTS.a)
  const app = await apiFor(t, realm, { ...ON, verifyTokensWithKeycloak: false, serverUrl: server.serverUrl, clientCertificate: CLIENTS.a })
  t.equal(await app.keycloak.serviceToken(), 'service.token.here')
  t.match(server.calls, [{ subject: 'CN=client-a', form: { client_id: 'api', grant_type: 'client_credentials' } }])
})

t.test('a certificate that Keycloak does not take is 503, and is not tried twice', async (t) => {
  const realm = await realmFor(t)
  const server = await demandCertificate(t, realm, CLIENTS.a)
  const log = logging()
  const app = await apiFor(t, realm, { ...ON, serverUrl: server.serverUrl, clientCertificate: CLIENTS.b }, log)
  t.equal(await reasonOf(app, realm.token()), 'client_unknown')
  t.equal(server.calls.length, 1)
  t.notOk(log.text.includes(CLIENTS.b.key.split('\n')[1]!))
})

t.test('a certificate is changed without a restart; calls under way end over their own connection', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const server = await demandCertificate(t, realm, CLIENTS.a)
  let pair: ClientCertificate = CLIENTS.a
  let asked = 0
  const app = await apiFor(t, realm, { ...ON, serverUrl: server.serverUrl, clientCertificate: async () => { asked++; return pair } })
  for (let times = 0; times < 3; times++) t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(asked, 1)
  const held: Array<() => void> = []
  server.hold = (answer) => { held.push(answer) }
  const underWay = ask(app, '/me', realm.token())
  await until(() => held.length === 1)
  server.hold = undefined
  server.taken = CLIENTS.b
  pair = CLIENTS.b
  clocks.advance(1.01)
  t.same(await Promise.all(Array.from({ length: 8 }, () => ask(app, '/me', realm.token()))), Array(8).fill('200'))
  t.equal(asked, 2)
  t.equal(server.calls.at(-1)!.subject, 'CN=client-b')
  server.taken = CLIENTS.a
  held[0]!()
  t.equal(await underWay, '200')
  server.taken = CLIENTS.b
  await until(() => [...server.connections].filter(({ destroyed }) => !destroyed).length <= 8)
  t.equal(await ask(app, '/me', realm.token()), '200')
  server.hold = (answer) => { held.push(answer) }
  const last = ask(app, '/me', realm.token())
  await until(() => held.length === 2)
  await app.close()
  t.equal(await last, UNAVAILABLE)
})

t.test('a function is called in the last part of the certificate\'s time, in the background, and at its end', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const server = await demandCertificate(t, realm, CLIENTS.a)
  let asked = 0
  let result: () => unknown = () => ({ ...CLIENTS.a })
  const app = await apiFor(t, realm, { ...ON, cache: false, serverUrl: server.serverUrl, jwks: { maxAge: 2_147_483_647, maxStale: 2_147_483_647 }, clientCertificate: () => { asked++; return result() as ClientCertificate } })
  const use = async (): Promise<void> => { t.equal(await ask(app, '/me', realm.token()), '200') }
  await use()
  clocks.jump(0.79 * CENTURY)
  await use()
  t.equal(asked, 1)
  clocks.jump(0.02 * CENTURY)
  await use()
  t.equal(asked, 1, 'it was called a moment ago, by the monotonic clock')
  clocks.advance(61)
  result = async () => { throw new Error('SECRET') }
  await use()
  await use()
  t.equal(asked, 2, 'the certificate is good still')
  clocks.advance(61)
  let give!: (pair: ClientCertificate) => void
  result = () => new Promise((resolve) => { give = resolve })
  await use()
  clocks.advance(61)
  await use()
  t.equal(asked, 3, 'one call at a time')
  give({ ...CLIENTS.a })
  await use()
  result = () => { server.taken = CLIENTS.b; return CLIENTS.b }
  clocks.advance(61)
  const before = server.calls.length
  await ask(app, '/me', realm.token())
  t.equal(asked, 4)
  await use()
  t.equal(server.calls.at(-1)!.subject, 'CN=client-b')
  t.ok(server.calls.length > before)
  clocks.jump(0.2 * CENTURY)
  clocks.advance(61)
  result = () => CLIENTS.a
  t.equal(await reasonOf(app, realm.token()), 'client_certificate_missing', 'it has expired, and so has that of the function')
})

t.test('a function that returns no certificate is 503, and nothing of it is told', async (t) => {
  const wrong = [() => undefined, () => 'SECRET', () => ({ ...CLIENTS.a, key: CLIENTS.b.key }), () => ({ cert: CLIENTS.a.cert }), () => ({ key: CLIENTS.a.key }), async () => { throw new Error('SECRET') }, () => new Promise(() => {})]
  for (const provide of wrong) {
    const realm = await realmFor(t)
    const server = await demandCertificate(t, realm, CLIENTS.a)
    const log = logging()
    const app = await apiFor(t, realm, { ...ON, serverUrl: server.serverUrl, jwks: { timeout: 200 }, clientCertificate: provide as () => ClientCertificate }, log)
    t.equal(await reasonOf(app, realm.token()), 'client_certificate_missing')
    t.equal(server.connections.size, 0)
    t.notMatch(log.text, /SECRET/)
  }
})

for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
  t.test(`a function is called again when the connection is refused, with ${maxVersion}`, async (t) => {
    const clocks = clocksFor(t)
    const realm = await realmFor(t)
    const server = await demandCertificate(t, realm, CLIENTS.b, { rejectUnauthorized: true, ca: CLIENTS.b.cert, maxVersion })
    let pair: ClientCertificate = CLIENTS.a
    let asked = 0
    const app = await apiFor(t, realm, { ...ON, serverUrl: server.serverUrl, clientCertificate: () => { asked++; return pair } })
    t.equal(await ask(app, '/me', realm.token()), UNAVAILABLE)
    t.equal(asked, 1)
    clocks.advance(60)
    t.equal(await ask(app, '/me', realm.token()), UNAVAILABLE)
    t.equal(asked, 2)
    pair = CLIENTS.b
    clocks.advance(60)
    t.equal(await ask(app, '/me', realm.token()), '200', 'with another one, at the next request')
    t.equal(asked, 3)
  })
}

t.test('a good certificate stays when its connection is lost and the function fails then', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const server = await demandCertificate(t, realm, CLIENTS.a)
  let fails = false
  const app = await apiFor(t, realm, { ...ON, serverUrl: server.serverUrl, clientCertificate: () => { if (fails) throw new Error('away'); return CLIENTS.a } })
  t.equal(await ask(app, '/me', realm.token()), '200')
  server.hold = () => { for (const connection of server.connections) connection.destroy() }
  t.equal(await reasonOf(app, realm.token()), 'connection_lost')
  server.hold = undefined
  fails = true
  clocks.advance(60)
  t.equal(await ask(app, '/me', realm.token()), '200')
})
