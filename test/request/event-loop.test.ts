// An event loop that stands still for longer than a deadline: what has arrived meanwhile is read before anything is late.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { apiFor, ask, logging, realmFor, until, wait } from '../support/app.js'
import { elsewhere, writtenInAStall } from '../support/elsewhere.js'
import { LOGOUT } from '../support/logout.js'

const UNAVAILABLE = '503 keycloak_unavailable'

t.test('answers of introspection that are there already are no late ones', async (t) => {
  const realm = await realmFor(t)
  const keycloak = await elsewhere(t, realm)
  const log = logging()
  const app = await apiFor(t, realm, { serverUrl: keycloak.serverUrl, verifyTokensWithKeycloak: true, introspection: { timeout: 1000 } }, log)
  t.equal(await ask(app, '/me', realm.token()), '200')
  const before = keycloak.received()
  keycloak.answers(false)
  const asked = Array.from({ length: 12 }, () => ask(app, '/me', realm.token()))
  await until(() => keycloak.received() === before + 12)
  keycloak.answers(true)
  await keycloak.stall(before + 12, 1500)
  t.same(await Promise.all(asked), Array(12).fill('200'))
  t.match(app.keycloak.health().introspection, { ok: true, breaker: 'closed' })
  t.notOk(log.lines.some(({ level, msg }) => level > 30 && /introspect/.test(msg)))
})

t.test('connections that were being made get their time back', async (t) => {
  const realm = await realmFor(t)
  const keycloak = await elsewhere(t, realm)
  const app = await apiFor(t, realm, { serverUrl: keycloak.serverUrl, verifyTokensWithKeycloak: true, introspection: { timeout: 500 } })
  t.equal(await ask(app, '/me', realm.token()), '200')
  const asked = Array.from({ length: 12 }, () => ask(app, '/me', realm.token()))
  while (app.keycloak.health().introspection?.pending !== 12) await new Promise((resolve) => { setImmediate(resolve) })
  await keycloak.stall(0, 1000)
  t.same(await Promise.all(asked), Array(12).fill('200'))
  t.match(app.keycloak.health().introspection, { ok: true, breaker: 'closed' })
})

t.test('a Keycloak that gives no answer beside a stall either is away', async (t) => {
  const realm = await realmFor(t)
  const keycloak = await elsewhere(t, realm)
  const app = await apiFor(t, realm, { serverUrl: keycloak.serverUrl, verifyTokensWithKeycloak: true, introspection: { timeout: 300 } })
  t.equal(await ask(app, '/me', realm.token()), '200')
  const before = keycloak.received()
  keycloak.answers(false)
  const asked = Array.from({ length: 6 }, () => ask(app, '/me', realm.token()))
  await until(() => keycloak.received() === before + 6)
  await keycloak.stall(0, 1000)
  t.same(await Promise.all(asked), Array(6).fill(UNAVAILABLE))
  t.match(app.keycloak.health().introspection, { ok: false, breaker: 'open', reason: 'no answer within 300 ms' })
})

t.test('keys that are there already are no late ones', async (t) => {
  const realm = await realmFor(t)
  const keycloak = await elsewhere(t, realm)
  const app = await apiFor(t, realm, { serverUrl: keycloak.serverUrl, jwks: { timeout: 500 } })
  keycloak.answers(false)
  const asked = Array.from({ length: 12 }, () => ask(app, '/me', realm.token()))
  await until(() => keycloak.received() === 1)
  keycloak.answers(true)
  await keycloak.stall(1, 1000)
  t.same(await Promise.all(asked), Array(12).fill('200'))
  t.equal(app.keycloak.health().keys.ok, true)
})

t.test('a secret that is there already is no late one', async (t) => {
  const realm = await realmFor(t)
  const keycloak = await elsewhere(t, realm)
  const vault = await elsewhere(t, realm)
  const clientSecret = async (): Promise<string> => { await (await fetch(vault.serverUrl)).text(); return 'test-secret' }
  const app = await apiFor(t, realm, { serverUrl: keycloak.serverUrl, clientSecret, verifyTokensWithKeycloak: true, introspection: { timeout: 500 } })
  vault.answers(false)
  const asked = Array.from({ length: 12 }, () => ask(app, '/me', realm.token()))
  await until(() => vault.received() === 1)
  vault.answers(true)
  await vault.stall(1, 1000)
  t.same(await Promise.all(asked), Array(12).fill('200'))
})

t.test('the rest of a logout that is there already is no late one', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const token = realm.token()
  t.equal(await ask(app, '/me', token), '200')
  await app.listen({ port: 0, host: '127.0.0.1' })
  const body = `logout_token=${realm.token({ kind: 'logout' })}`
  const head = `POST /backchannel-logout HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n`
  const { port } = app.server.address() as AddressInfo
  const begun = async (): Promise<void> => {
    await once(app.server, 'request')
    await wait(50)
  }
  // The five seconds that a body has are over when the event loop goes on.
  const answer = await writtenInAStall(t, port, [head + body.slice(0, 100), body.slice(100)], begun, 5500)
  t.equal(answer.slice(9, 12), '200')
  t.equal(await ask(app, '/me', token), '401 token_not_valid')
})
