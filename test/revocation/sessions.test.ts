// Which tokens are of the session that was logged out: by sid, by the session_state of old servers, and offline ones.
import t from 'tap'
import type { TokenSpec } from '../../lib/testing/index.js'
import { apiFor, ask, realmFor } from '../support/app.js'
import { LOGOUT, logOut, now } from '../support/logout.js'

const NOT_VALID = '401 token_not_valid'
const OFFLINE = 'openid offline_access'

t.test('offline access survives the logout of the session it was granted in, but for the tokens of before', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const at = now() - 10
  t.equal((await logOut(app, realm, { claims: { iat: at } })).status, 200)
  t.equal(await ask(app, '/me', realm.token({ scope: OFFLINE, claims: { iat: at - 1 } })), NOT_VALID)
  t.equal(await ask(app, '/me', realm.token({ scope: OFFLINE, claims: { iat: at } })), NOT_VALID, 'in the second of the logout')
  t.equal(await ask(app, '/me', realm.token({ scope: OFFLINE, claims: { iat: at + 1 } })), '200')
  t.equal(await ask(app, '/me', realm.token({ claims: { scope: undefined } })), NOT_VALID, 'it says nothing of offline access')
})

t.test('the jti tells the tokens of an offline session, whatever their scope', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const at = now() - 10
  t.equal((await logOut(app, realm, { claims: { iat: at } })).status, 200)
  const token = (context: string, scope: string | undefined, iat = at + 1) => realm.token({ claims: { jti: `${context}5f0e`, scope, iat } })
  const cases: Array<[context: string, scope: string | undefined, answer: string, title: string]> = [
    ['ofrtac:', OFFLINE, '200', 'of a login'],
    ['ofrtrt:', OFFLINE, '200', 'of a refresh'],
    ['ofrtrt:', 'openid', '200', 'of a refresh that asked for less'],
    ['ofltro:', undefined, '200', 'lightweight'],
    ['ftrtte:', 'profile', '200', 'exchanged from an offline one'],
    ['onrtac:', OFFLINE, NOT_VALID, 'online, with the scope'],
    ['ntrtte:', `profile ${OFFLINE}`, NOT_VALID, 'exchanged from an online one, with the scope'],
    ['trrtcc:', OFFLINE, NOT_VALID, 'of no session that lasts'],
    ['onrtrt:', 'openid', NOT_VALID, 'online'],
    ['', OFFLINE, '200', 'of a server before 26.2, whose jti says nothing'],
    ['', 'openid', NOT_VALID, 'the same, online'],
    ['unrtac:', OFFLINE, '200', 'of a kind of session that Keycloak does not know'],
    ['offline-', 'openid', NOT_VALID, 'a jti that only begins alike'],
    ['ofrtac', 'openid', NOT_VALID, 'and one without the colon']
  ]
  for (const [context, scope, answer, title] of cases) {
    t.equal(await ask(app, '/me', token(context, scope)), answer, title)
    t.equal(await ask(app, '/me', token(context, scope, at)), NOT_VALID, `${title}, before the logout`)
  }
  t.equal(await ask(app, '/me', realm.token({ claims: { jti: undefined, scope: OFFLINE, iat: at + 1 } })), '200', 'no jti at all')
})

t.test('offline tokens stay with introspection: the session is ended, and Keycloak has the last word', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, verifyTokensWithKeycloak: true })
  const at = now() - 10
  t.equal((await logOut(app, realm, { claims: { iat: at } })).status, 200)
  const [fresh, old] = [at + 1, at].map((iat) => realm.token({ scope: OFFLINE, claims: { iat } }))
  t.equal(await ask(app, '/me', fresh), '200')
  t.equal(await ask(app, '/me', old), NOT_VALID)
  t.equal(realm.requests.introspect, 1)
  realm.revoke(fresh!)
  t.equal(await ask(app, '/me', fresh), NOT_VALID)
})

t.test('an old server names the session session_state alone, and its logout tokens sid', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  t.equal((await logOut(app, realm, { claims: { sid: 'gone' } })).status, 200)
  const answers: Array<[claims: TokenSpec['claims'], answer: string]> = [
    [{ sid: undefined, session_state: 'gone' }, NOT_VALID],
    [{ sid: null, session_state: 'gone' }, NOT_VALID],
    [{ sid: 'gone', session_state: 'gone' }, NOT_VALID],
    [{ sid: undefined, session_state: 'another' }, '200'],
    [{ sid: 'another', session_state: 'gone' }, '200'],
    [{ sid: undefined, session_state: undefined }, '200']
  ]
  for (const [claims, answer] of answers) t.equal(await ask(app, '/me', realm.token({ claims })), answer, JSON.stringify(claims))
  const live = await apiFor(t, realm, { ...LOGOUT, verifyTokensWithKeycloak: true })
  t.equal((await logOut(live, realm, { claims: { sid: 'gone' } })).status, 200)
  t.equal(await ask(live, '/me', realm.token({ kind: 'lightweight', claims: { sid: undefined, session_state: 'gone' } })), NOT_VALID)
})

t.test('members of Object.prototype are no session of a token, and take none away', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  t.equal((await logOut(app, realm, { claims: { sid: 'gone' } })).status, 200)
  t.equal((await logOut(app, realm, { claims: { sid: undefined, sub: 'gone' } })).status, 200)
  const [none, old] = [{ sid: undefined, sub: undefined }, { sid: undefined, session_state: 'gone' }].map((claims) => realm.token({ claims }))
  const prototype = Object.prototype as Record<string, unknown>
  t.teardown(() => { for (const name of ['sid', 'sub', 'session_state']) delete prototype[name] })
  prototype.sid = 'another'
  t.equal(await ask(app, '/me', old), NOT_VALID)
  prototype.sid = prototype.session_state = prototype.sub = 'gone'
  t.equal(await ask(app, '/me', none), '200')
})

t.test('a session that cannot be read cannot be logged out: its tokens are refused', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const off = await apiFor(t, realm)
  for (const sid of [5, ['a'], { a: 1 }, true]) {
    for (const claims of [{ sid }, { sid: undefined, session_state: sid }]) {
      const token = realm.token({ claims })
      await t.rejects(app.keycloak.verify(token), { code: 'token_not_valid', reason: 'sid is not a string' })
      t.equal(await ask(off, '/me', token), '200', 'without revocation nobody minds')
    }
  }
})

t.test('dates that no clock shows are held against a logout like any other', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const at = now() - 10
  t.equal((await logOut(app, realm, { claims: { sid: undefined, iat: at } })).status, 200)
  const answers: Array<[claims: TokenSpec['claims'], answer: string]> = [
    [{ iat: at + 0.999 }, NOT_VALID],
    [{ iat: at + 1.001 }, '200'],
    [{ iat: -1 }, NOT_VALID],
    [{ iat: -1e308, exp: 1e308 }, NOT_VALID],
    [{ iat: 0 }, NOT_VALID],
    [{ iat: -0 }, NOT_VALID]
  ]
  for (const [claims, answer] of answers) t.equal(await ask(app, '/me', realm.token({ claims })), answer, JSON.stringify(claims))
})
