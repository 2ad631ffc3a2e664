import t from 'tap'
import type { Algorithm } from '../../types/options.js'
import { apiFor, ask, realmFor } from '../support/app.js'
import { action, LOGOUT, logOut, now, push } from '../support/logout.js'

const NOT_VALID = '401 token_not_valid'

for (const [ours, default_] of [['ES256', 'RS256'], ['RS256', 'ES256'], ['RS256', 'EdDSA'], ['ES512', 'PS384']] as Array<[Algorithm, Algorithm]>) {
  t.test(`access tokens are signed by ${ours}, calls by the realm's default algorithm ${default_}, and are taken`, async (t) => {
    const realm = await realmFor(t, { algorithms: [default_, ours] })
    const app = await apiFor(t, realm, { ...LOGOUT, algorithms: ours })
    const token = (username: string, iat = now()) => realm.token({ alg: ours, username, claims: { iat } })
    t.equal(await ask(app, '/me', token('alice')), '200')
    t.equal((await logOut(app, realm)).status, 200)
    t.equal(await ask(app, '/me', token('alice')), NOT_VALID)
    t.equal(await ask(app, '/me', token('bob')), '200')
    const notBefore = now() - 5
    t.equal((await push(app, realm.sign(action('PUSH_NOT_BEFORE', { notBefore })), 'k_push_not_before')).status, 200)
    t.equal(await ask(app, '/me', token('bob', notBefore - 1)), NOT_VALID)
    const before = now()
    t.equal((await push(app, realm.sign(action('LOGOUT', { notBefore: before + 1 })), 'k_logout')).status, 200)
    t.equal(await ask(app, '/me', token('bob', before)), NOT_VALID)
  })
}

t.test('access tokens are still of the algorithms of the option alone', async (t) => {
  const realm = await realmFor(t, { algorithms: ['RS256', 'ES256'] })
  const app = await apiFor(t, realm, { ...LOGOUT, algorithms: ['ES256'] })
  t.equal((await logOut(app, realm, { alg: 'RS256' })).status, 200)
  t.equal(await ask(app, '/me', realm.token({ alg: 'RS256', username: 'bob' })), NOT_VALID)
})

t.test('a secret or no signature proves no call, nor does a key of another type', async (t) => {
  const realm = await realmFor(t, { algorithms: ['RS256', 'ES256'] })
  const app = await apiFor(t, realm, LOGOUT)
  const { kid } = JSON.parse(Buffer.from(realm.token({ alg: 'ES256' }).split('.')[0]!, 'base64url').toString())
  for (const alg of ['none', 'HS256', 'HS384', 'HS512']) {
    t.match(await logOut(app, realm, { header: { alg: alg as never } }), { status: 400, body: { error_description: 'the algorithm is not allowed' } }, alg)
    t.equal((await push(app, realm.sign(action('LOGOUT'), { alg: alg as never }), 'k_logout')).status, 400, alg)
  }
  t.match(await logOut(app, realm, { alg: 'RS256', kid }), { status: 400, body: { error_description: 'no key of the realm fits kid and alg' } })
  t.match(await logOut(app, realm, { alg: 'RS256', kid }), { status: 400, body: { error_description: 'no key of the realm fits kid and alg' } }, 'nor once the key set is known')
  t.equal(await ask(app, '/me', realm.token()), '200')
})

t.test('the limits of access tokens are not those of calls', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, limits: { tokenLength: 100, jsonDepth: 3 } })
  t.equal((await logOut(app, realm, { claims: { events: { 'http://schemas.openid.net/event/backchannel-logout': { a: [[]] } } } })).status, 200)
  t.equal((await push(app, realm.sign(action('LOGOUT')), 'k_logout')).status, 200)
})
