import { mock } from 'node:test'
import { decodeJwt } from 'jose'
import t, { type Test } from 'tap'
import { apiFor, ask, realmFor, until } from '../support/app.js'
import { monotonicFor } from '../support/clocks.js'

// Clocks that change Date and nothing else, as the page on tests recommends: node:test's, which works under any runner.
function clockFor (t: Test): { advance: (seconds: number) => void } {
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
  return { advance: seconds => mock.timers.tick(seconds * 1000) }
}

t.test('a token expires while the test runs', async t => {
  const realm = await realmFor(t, { tokenLifespan: 300 })
  const app = await apiFor(t, realm)
  const clock = clockFor(t)
  const token = realm.token()
  t.equal(await ask(app, '/me', token), '200')
  clock.advance(299)
  t.equal(await ask(app, '/me', token), '200')
  clock.advance(1)
  t.equal(await ask(app, '/me', token), '401 token_expired')
  t.equal(await ask(app, '/me', realm.token()), '200', 'the realm goes by the same clock')
})

t.test('tap\'s own way to another time does as well', async t => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const token = realm.token()
  t.equal(await ask(app, '/me', token), '200')
  const inTenMinutes = Date.now() + 600_000
  const restore = t.intercept(Date, 'now', { value: () => inTenMinutes }).restore
  t.equal(await ask(app, '/me', token), '401 token_expired')
  restore()
  t.equal(await ask(app, '/me', token), '200')
})

t.test('leeway is counted by that clock', async t => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { leeway: 30 })
  const clock = clockFor(t)
  const token = realm.token({ expiresIn: 10 })
  clock.advance(39)
  t.equal(await ask(app, '/me', token), '200')
  clock.advance(1)
  t.equal(await ask(app, '/me', token), '401 token_expired')
})

t.test('introspection goes by it too: an answer that is kept does not outlive the token', async t => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true, introspection: { cacheTtl: 60_000 } })
  const clock = clockFor(t)
  const token = realm.token()
  t.equal(await ask(app, '/me', token), '200')
  t.equal(await ask(app, '/me', token), '200')
  t.equal(realm.requests.introspect, 1)
  clock.advance(300)
  t.equal(await ask(app, '/me', token), '401 token_expired')
  t.equal(realm.requests.introspect, 1)
})

t.test('while Date stands still, answers of introspection end all the same', async t => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true, introspection: { cacheTtl: 60_000 } })
  clockFor(t)
  const time = monotonicFor(t)
  const token = realm.token()
  t.equal(await ask(app, '/me', token), '200')
  t.equal(await ask(app, '/me', token), '200')
  t.equal(realm.requests.introspect, 1)
  time.pass(60)
  realm.revoke(token)
  t.equal(await ask(app, '/me', token), '401 token_not_valid')
})

t.test('and so do keys, with what was verified by them', async t => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { jwks: { maxAge: 60_000, maxStale: 400_000, cooldown: 0 } })
  clockFor(t)
  const time = monotonicFor(t)
  const token = realm.token()
  t.equal(await ask(app, '/me', token), '200')
  t.equal(await ask(app, '/me', token), '200')
  await realm.down()
  time.pass(400)
  t.equal(await ask(app, '/me', token), '503 keycloak_unavailable', 'a kept token')
  t.equal(await ask(app, '/me', realm.token()), '503 keycloak_unavailable', 'one that was never here')
})

t.test('an outage is noticed under that clock, and its end', async t => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  clockFor(t)
  await realm.down()
  t.equal(await ask(app, '/me', realm.token()), '503 keycloak_unavailable')
  await realm.up()
  await until(async () => await ask(app, '/me', realm.token()) === '200')
  t.ok(app.keycloak.health().ok)
})

t.test('age says how long ago a token was issued, and moves its end', async t => {
  const realm = await realmFor(t, { tokenLifespan: 300 })
  clockFor(t)
  const now = Math.floor(Date.now() / 1000)
  const times = (spec: object) => {
    const { iat, exp } = decodeJwt(realm.token(spec))
    return [iat! - now, exp! - now]
  }
  t.same(times({}), [0, 300])
  t.same(times({ age: 100 }), [-100, 200])
  t.same(times({ age: 600 }), [-600, -300])
  t.same(times({ age: 600, expiresIn: 60 }), [-600, 60])
  t.same(times({ age: -20 }), [20, 320])
  t.same(times({ age: 7200, expired: true }), [-7200, -3600])
})

t.test('a token of a realm whose clock is ahead passes within leeway', async t => {
  const realm = await realmFor(t)
  const [strict, lenient] = [await apiFor(t, realm), await apiFor(t, realm, { leeway: 30 })]
  const ahead = realm.token({ age: -20 })
  t.equal(await ask(strict, '/me', ahead), '401 token_not_valid')
  t.equal(await ask(lenient, '/me', ahead), '200')
  t.equal(await ask(lenient, '/me', realm.token({ age: -60 })), '401 token_not_valid')
})

t.test('a not-before takes the tokens that are older, and leaves the younger', async t => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { adminUrl: { path: '/keycloak' } })
  const now = Math.floor(Date.now() / 1000)
  const push = { id: 'one', action: 'PUSH_NOT_BEFORE', resource: 'api', expiration: now + 30, notBefore: now - 60 }
  const pushed = await app.inject({
    method: 'POST', url: '/keycloak/k_push_not_before', headers: { 'content-type': 'text/plain' }, payload: realm.sign(push)
  })
  t.equal(pushed.statusCode, 200)
  t.equal(await ask(app, '/me', realm.token({ age: 120 })), '401 token_not_valid')
  t.equal(await ask(app, '/me', realm.token()), '200')
})
