import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { apiFor, ask, logging, realmFor, until, WARN } from '../support/app.js'
import { action, beginLogout, LOGOUT, logOut, now, push } from '../support/logout.js'

const NOT_VALID = '401 token_not_valid'

/** Most of them wait. */
t.jobs = 8

t.test('a logout that cannot be checked is kept, and checked as soon as the keys are there', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const token = realm.token()
  await realm.down()
  const answer = logOut(app, realm)
  await until(() => app.keycloak.health().keys.lastFailure !== null)
  t.equal(app.keycloak.health().revocation!.entries, 0, 'nobody has vouched for it')
  await realm.up()
  t.equal((await answer).status, 200)
  t.equal(await ask(app, '/me', token), NOT_VALID)
})

t.test('when that takes too long the call is 503, and the logout is carried out later', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, { ...LOGOUT, revocation: { leeway: 0 } }, log)
  await realm.down()
  let gaveUp = false
  const keycloak = setTimeout(() => { gaveUp = true }, 5000)
  t.teardown(() => clearTimeout(keycloak))
  const calls = [logOut(app, realm), logOut(app, realm, { username: 'bob', expiresIn: 3 }), logOut(app, realm, { username: 'carol', forged: true })]
  for (const answer of await Promise.all(calls)) {
    t.match(answer, {
      status: 503,
      body: { error: 'temporarily_unavailable', error_description: 'the call is kept until its signature can be checked' },
      headers: { 'retry-after': '1', 'cache-control': 'no-store' }
    })
  }
  t.notOk(gaveUp, 'before Keycloak gives up, after 5 s')
  t.ok(log.lines.some(({ reasonCode }) => reasonCode === 'push_waiting'))
  t.equal(app.keycloak.health().revocation!.entries, 0)
  await realm.up()
  await until(() => log.text.split('is carried out now').length === 3)
  await until(() => log.text.includes('is lost: the signature does not verify'))
  t.match(log.lines.find(({ msg }) => msg.includes('is lost')), {
    level: WARN, msg: 'a back-channel logout that had to wait is lost: the signature does not verify'
  })
  t.equal(await ask(app, '/me', realm.token()), NOT_VALID)
  t.equal(await ask(app, '/me', realm.token({ username: 'bob' })), NOT_VALID, 'though its logout token has expired while it waited')
  t.equal(await ask(app, '/me', realm.token({ username: 'carol' })), '200', 'a forger gains nothing by an outage')
})

t.test('a push that has expired while it waited is carried out all the same, once', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, revocation: { leeway: 0 } })
  await realm.down()
  const expiration = now() + 2
  const token = realm.sign(action('LOGOUT', { notBefore: expiration, expiration }))
  const answer = push(app, token, 'k_logout')
  await until(() => now() > expiration)
  await realm.up()
  await answer
  await until(async () => await ask(app, '/me', realm.token({ claims: { iat: expiration - 1 } })) === NOT_VALID)
  t.match(await push(app, token, 'k_logout'), { status: 400, body: { error_description: /^the call ended \d+ s ago/ } })
})

t.test('a call is judged by the keys known last, however old they are, while Keycloak is away', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, jwks: { maxAge: 300, maxStale: 0 } })
  t.equal(await ask(app, '/me', realm.token()), '200')
  await realm.down()
  await until(() => app.keycloak.health().keys.stale)
  t.equal(await ask(app, '/me', realm.token()), '503 keycloak_unavailable')
  t.equal((await logOut(app, realm, { forged: true })).status, 400)
  t.equal((await logOut(app, realm)).status, 200)
  await realm.up()
  await until(async () => await ask(app, '/me', realm.token({ username: 'bob' })) === '200')
  t.equal(await ask(app, '/me', realm.token()), NOT_VALID)
})

t.test('a logout by a key that is newer than the key set is not lost to the cooldown', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, jwks: { cooldown: 2500 } })
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(await ask(app, '/me', realm.token({ kid: 'of a stranger' })), NOT_VALID)
  realm.rotateKeys()
  const [good, bad] = await Promise.all([logOut(app, realm), logOut(app, realm, { kid: 'of another stranger' })])
  t.equal(good.status, 200)
  t.match(bad, { status: 400, body: { error_description: 'no key of the realm fits kid and alg' } })
  t.equal(realm.requests.certs, 3)
})

t.test('an API closes at once with calls that wait', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  await realm.down()
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/backchannel-logout`
  const answer = fetch(url, { method: 'POST', body: new URLSearchParams({ logout_token: realm.token({ kind: 'logout' }) }) })
  await until(() => app.keycloak.health().keys.lastFailure !== null)
  await app.close()
  t.equal((await answer).status, 503)
  t.match(await (await answer).json(), { error_description: 'the API is closing' }, 'not because it took too long')
})

t.test('a body has a time', async (t) => {
  const log = logging()
  const app = await apiFor(t, await realmFor(t), LOGOUT, log)
  const socket = await beginLogout(app)
  const drip = setInterval(() => socket.write('x'), 200)
  t.teardown(() => clearInterval(drip))
  const [answer] = await once(socket, 'data')
  t.match(String(answer), /^HTTP\/1\.1 400 [^]*connection: close[^]*the body took more than 5000 ms/)
  t.ok(log.lines.some(({ reasonCode }) => reasonCode === 'push_body_slow'))
  if (!socket.closed) await once(socket, 'close')
})
