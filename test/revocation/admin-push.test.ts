import t from 'tap'
import { apiFor, ask, realmFor } from '../support/app.js'
import { action, LOGOUT, now, push } from '../support/logout.js'

const NOT_VALID = '401 token_not_valid'

t.test('a pushed not-before refuses what was issued before it, in memory too, and nothing else', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const notBefore = now() - 10
  const token = (iat: number) => realm.token({ claims: { iat } })
  const before = token(notBefore - 1)
  t.equal(await ask(app, '/me', before), '200')
  const answer = await push(app, realm.sign(action('PUSH_NOT_BEFORE', { notBefore })), 'k_push_not_before')
  t.match(answer, { status: 200, body: null, headers: { 'cache-control': 'no-store' } })
  t.equal(await ask(app, '/me', before), NOT_VALID)
  t.equal(await ask(app, '/me', token(notBefore - 0.5)), NOT_VALID)
  t.equal(await ask(app, '/me', token(notBefore)), '200', 'as in Keycloak, its own second passes')
  t.match(app.keycloak.health().revocation, { entries: 0, notBefore })
})

t.test('the last push counts, as in Keycloak: the administrator can take a date back', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const at = now()
  const pushed = async (notBefore: number, expiration: number) =>
    t.equal((await push(app, realm.sign(action('PUSH_NOT_BEFORE', { notBefore, expiration })), 'k_push_not_before')).status, 200)
  await pushed(at + 1000, at + 20)
  t.equal(await ask(app, '/me', realm.token()), NOT_VALID)
  await pushed(0, at + 19)
  t.equal(await ask(app, '/me', realm.token()), NOT_VALID, 'one that was made earlier and comes later does not')
  await pushed(0, at + 21)
  t.equal(await ask(app, '/me', realm.token()), '200')
})

t.test('k_logout logs everybody out, and no later push takes that back', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const at = now()
  t.equal((await push(app, realm.sign(action('LOGOUT', { notBefore: at - 5 })), 'k_logout')).status, 200)
  t.equal((await push(app, realm.sign(action('LOGOUT', { notBefore: at - 9 })), 'k_logout')).status, 200)
  t.equal((await push(app, realm.sign(action('PUSH_NOT_BEFORE', { notBefore: 0 })), 'k_push_not_before')).status, 200)
  t.equal(await ask(app, '/me', realm.token({ claims: { iat: at - 6 } })), NOT_VALID)
  t.equal(await ask(app, '/me', realm.token({ username: 'bob', claims: { iat: at - 6 } })), NOT_VALID)
  t.equal(await ask(app, '/me', realm.token({ claims: { iat: at - 5 } })), '200')
})

t.test('k_logout that names sessions logs out just those', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const logout = (keycloakSessionIds: unknown) =>
    push(app, realm.sign(action('LOGOUT', { notBefore: 0, adapterSessionIds: ['a', 'b'], keycloakSessionIds })), 'k_logout')
  t.equal((await logout(['one', 'two'])).status, 200)
  for (const sid of ['one', 'two']) t.equal(await ask(app, '/me', realm.token({ claims: { sid } })), NOT_VALID)
  t.equal(await ask(app, '/me', realm.token({ claims: { sid: 'three' } })), '200')
  t.equal((await logout(null)).status, 200, 'none named: all, from a not-before of 0')
  t.equal(await ask(app, '/me', realm.token()), '200')
})

t.test('a push counts once', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const token = realm.sign(action('PUSH_NOT_BEFORE', { notBefore: 1 }))
  t.equal((await push(app, token, 'k_push_not_before')).status, 200)
  t.match(await push(app, token, 'k_push_not_before'), { status: 400, body: { error_description: 'the call was made before' } })
})

t.test('a later date counts though the Keycloak node that pushes it is behind; an earlier one does not', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const at = now()
  const pushed = async (notBefore: number, expiration: number, counts: number, title: string) => {
    t.equal((await push(app, realm.sign(action('PUSH_NOT_BEFORE', { notBefore, expiration })), 'k_push_not_before')).status, 200)
    t.equal(app.keycloak.health().revocation!.notBefore, counts, title)
  }
  await pushed(at - 50, at + 30, at - 50, 'the first')
  await pushed(at - 40, at + 28, at - 40, 'of a node 2 s behind')
  t.equal(await ask(app, '/me', realm.token({ claims: { iat: at - 41 } })), NOT_VALID)
  await pushed(at - 45, at + 28, at - 40, 'an earlier date of that node')
  await pushed(0, at + 29, at - 40, 'taken back by a push that is not the latest')
  await pushed(at - 45, at + 30, at - 45, 'taken back in the same second')
  await pushed(at - 30, at + 20, at - 30, 'a later date once more')
  await pushed(0, at + 31, 0, 'taken back')
  t.equal(await ask(app, '/me', realm.token({ claims: { iat: at - 41 } })), '200')
  await pushed(at - 20, at + 1, at - 20, 'and set again, by a node 30 s behind')
})
