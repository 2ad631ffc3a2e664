// Keycloak makes a call once: one that is refused for a clock that is a little off would be a logout lost for good.
import t from 'tap'
import type { TokenSpec } from '../../lib/testing/index.js'
import { apiFor, ask, logging, realmFor, WARN } from '../support/app.js'
import { action, backchannel, LOGOUT, logOut, now, push } from '../support/logout.js'

const NOT_VALID = '401 token_not_valid'

/** As of a Keycloak whose clock is so many seconds ahead of ours. */
function dated (seconds: number): TokenSpec {
  return { claims: { iat: now() + seconds, nbf: now() + seconds, exp: now() + seconds + 120 } }
}

t.test('logouts of a Keycloak whose clock is up to five minutes off are carried out', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  for (const seconds of [0, 0.2, 0.5, 1.5, 5, 60, 290, -0.2, -1.5, -5, -60, -130, -410]) {
    const username = `user ${seconds}`
    t.equal((await logOut(app, realm, { username, ...dated(seconds) })).status, 200, `${seconds} s ahead`)
    t.equal(await ask(app, '/me', realm.token({ username })), NOT_VALID)
  }
  const [alice, fresh] = [dated(290), { claims: { iat: now() + 1 } }]
  t.equal((await logOut(app, realm, { claims: { ...alice.claims, sid: undefined } })).status, 200)
  t.equal(await ask(app, '/me', realm.token()), NOT_VALID, 'a user\'s tokens are judged by Keycloak\'s clock alone')
  await t.rejects(app.keycloak.verify(realm.token(fresh)), { code: 'token_not_valid', reason: 'iat is in the future' }, 'access tokens are judged as ever')
})

t.test('pushes of the admin console too', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  for (const seconds of [0, -5, -60, -320, 5, 290, 100_000]) {
    for (const [name, route] of [['PUSH_NOT_BEFORE', 'k_push_not_before'], ['LOGOUT', 'k_logout']] as const) {
      t.equal((await push(app, realm.sign(action(name, { expiration: now() + 30 + seconds, notBefore: 1 })), route)).status, 200, `${seconds} s ahead`)
    }
  }
})

t.test('a session that a push names is ended by Keycloak\'s clock', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, leeway: 60 })
  const ahead = now() + 40
  const token = (iat: number) => realm.token({ scope: 'openid offline_access', claims: { iat, sid: 'one' } })
  t.equal((await push(app, realm.sign(action('LOGOUT', { expiration: ahead + 30, keycloakSessionIds: ['one'] })), 'k_logout')).status, 200)
  t.equal(await ask(app, '/me', token(ahead)), NOT_VALID, 'an offline token of the second of the logout')
  t.equal(await ask(app, '/me', token(ahead + 1)), '200')
})

t.test('a clock that is further off is named, with the difference and the cure, to Keycloak and in the log', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, LOGOUT, log)
  const clocks = 'the clocks of Keycloak and this API differ by more than 300 s \\(revocation\\.leeway\\); NTP keeps both right$'
  const calls: Array<[answer: ReturnType<typeof logOut>, reason: string]> = [
    [logOut(app, realm, dated(1000)), `^the call is dated (1000|999) s in the future: ${clocks}`],
    [logOut(app, realm, { claims: { nbf: now() + 500 } }), `^the call is dated (500|499) s in the future: ${clocks}`],
    [logOut(app, realm, dated(-1000)), `^the call ended 88\\d s ago: it comes late, or ${clocks}`],
    [push(app, realm.sign(action('LOGOUT', { expiration: now() - 400 })), 'k_logout'), `^the call ended 40\\d s ago: it comes late, or ${clocks}`],
    [push(app, realm.sign(action('PUSH_NOT_BEFORE', { expiration: now() - 400 })), 'k_push_not_before'), `^the call ended 40\\d s ago: it comes late, or ${clocks}`]
  ]
  for (const [answer, reason] of calls) t.match(await answer, { status: 400, body: { error: 'invalid_request', error_description: new RegExp(reason) } })
  t.equal(log.lines.filter(({ level, msg }) => level === WARN && msg.includes('NTP keeps both right')).length, calls.length)
  t.equal(app.keycloak.health().revocation!.entries, 0)
})

t.test('what is wrong with a call beside its dates is said first', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  for (const [spec, reason] of [[{ aud: 'other' }, 'aud names none of the audience'], [{ events: undefined }, 'events has no back-channel logout'], [{ jti: 5 }, 'jti is not a string']] as const) {
    t.match(await logOut(app, realm, { claims: { ...dated(1000).claims, ...spec } }), { status: 400, body: { error_description: reason } })
  }
})

t.test('revocation.leeway is that skew, and never less than leeway', async (t) => {
  const realm = await realmFor(t)
  const cases = [
    [{ leeway: 30, revocation: { leeway: 0 } }, 30],
    [{ leeway: 30, revocation: { leeway: 10 } }, 30],
    [{ leeway: 10, revocation: { leeway: 30 } }, 30],
    [{ revocation: { leeway: 30.5 } }, 30.5]
  ] as const
  for (const [options, leeway] of cases) {
    const app = await apiFor(t, realm, { ...LOGOUT, ...options })
    t.equal((await logOut(app, realm, { claims: { exp: now() - leeway + 10 } })).status, 200)
    t.equal((await logOut(app, realm, { claims: { exp: now() - leeway } })).status, 400)
    t.equal((await logOut(app, realm, { claims: { iat: now() + leeway - 10 } })).status, 200)
    t.equal((await logOut(app, realm, { claims: { iat: now() + leeway + 10 } })).status, 400)
    t.equal((await push(app, realm.sign(action('LOGOUT', { expiration: now() - leeway + 10 })), 'k_logout')).status, 200)
    t.equal((await push(app, realm.sign(action('LOGOUT', { expiration: now() - leeway })), 'k_logout')).status, 400)
  }
})

t.test('a call counts once for as long as the leeway lets it count', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const tokens = [{ claims: { exp: now() - 200 } }, { claims: { iat: now() + 200, exp: now() + 320 } }].map((spec) => realm.token({ kind: 'logout', ...spec }))
  for (const token of tokens) {
    t.equal((await backchannel(app, token)).status, 200)
    t.match(await backchannel(app, token), { status: 400, body: { error_description: 'the call was made before' } })
  }
})
