// The truth of now: what becomes of a token that was let in a moment ago.
import t from 'tap'
import {
  addHardcodedClaim, addOrganization, api, get, grantRole, introspecting, login, logout, nextSecond, options, pause, refused, revoke, setClientSecret,
  setEnabled, setNotBefore, token, withdrawRole
} from './helpers.js'
import { does, version } from './versions.js'

t.test('after a logout the token is 401; without introspection it lives on', async (t) => {
  const app = await api(t, introspecting)
  const trusting = await api(t)
  const accessToken = await token('cli', 'alice')
  t.equal((await get(app, '/profile', accessToken)).statusCode, 200)
  t.equal((await get(trusting, '/profile', accessToken)).statusCode, 200)
  await logout('alice')
  refused(t, await get(app, '/profile', accessToken), 'token_not_valid')
  refused(t, await get(app, '/open', accessToken), 'token_not_valid')
  t.equal((await get(trusting, '/profile', accessToken)).statusCode, 200)

  await nextSecond()
  t.equal((await get(app, '/profile', await token('cli', 'alice'))).statusCode, 200, 'the next login counts')
})

t.test('a revoked token is 401, the others of its user are not', async (t) => {
  const app = await api(t, introspecting)
  const [revoked, other] = [await token('cli', 'alice'), await token('cli', 'alice')]
  t.equal((await get(app, '/profile', revoked)).statusCode, 200)
  await revoke(revoked, 'cli')
  refused(t, await get(app, '/profile', revoked), 'token_not_valid')
  t.equal((await get(app, '/profile', other)).statusCode, 200)
})

t.test('the token of a disabled user is 401', async (t) => {
  const app = await api(t, introspecting)
  const accessToken = await token('cli', 'alice')
  t.equal((await get(app, '/profile', accessToken)).statusCode, 200)
  t.teardown(() => setEnabled('alice', true))
  await setEnabled('alice', false)
  refused(t, await get(app, '/profile', accessToken), 'token_not_valid')
})

t.test("a token from before the realm's not-before is 401, one from after it is not", async (t) => {
  const app = await api(t, introspecting)
  const before = await token('cli', 'alice')
  t.equal((await get(app, '/profile', before)).statusCode, 200)
  await nextSecond()
  t.teardown(() => setNotBefore(0))
  await setNotBefore(Math.floor(Date.now() / 1000))
  refused(t, await get(app, '/profile', before), 'token_not_valid')
  t.equal((await get(app, '/profile', await token('cli', 'alice'))).statusCode, 200)
})

t.test('a role that was withdrawn is gone at the next request with the same token', async (t) => {
  const app = await api(t, introspecting)
  const accessToken = await token('cli', 'alice')
  t.equal((await get(app, '/profile', accessToken)).statusCode, 200)
  t.teardown(() => grantRole('alice', 'api', 'view-profile'))
  await withdrawRole('alice', 'api', 'view-profile')
  refused(t, await get(app, '/profile', accessToken), 'permission_denied')
  t.equal((await get(app, '/me', accessToken)).statusCode, 200)
})

t.test('a role that was granted is there at the next request with the same token', async (t) => {
  const app = await api(t, introspecting)
  const accessToken = await token('cli', 'bob')
  refused(t, await get(app, '/profile', accessToken), 'permission_denied')
  t.teardown(() => withdrawRole('bob', 'api', 'view-profile'))
  await grantRole('bob', 'api', 'view-profile')
  t.equal((await get(app, '/profile', accessToken)).statusCode, 200)
})

t.test('an answer serves other requests for cacheTtl, and no longer', async (t) => {
  const cacheTtl = 3000
  const app = await api(t, { ...introspecting, introspection: { cacheTtl } })
  const { access_token: accessToken } = await login('cli', 'alice')
  t.equal((await get(app, '/profile', accessToken)).statusCode, 200)
  await revoke(accessToken, 'cli')
  t.equal((await get(app, '/profile', accessToken)).statusCode, 200)
  await pause(cacheTtl + 200)
  refused(t, await get(app, '/profile', accessToken), 'token_not_valid')
})

t.test('a wrong client secret is 503, until it is right again', async (t) => {
  const app = await api(t, introspecting)
  const accessToken = await token('cli', 'alice')
  refused(t, await get(await api(t, { ...introspecting, clientSecret: 'wrong' }), '/profile', accessToken), 'keycloak_unavailable')
  t.equal((await get(app, '/profile', accessToken)).statusCode, 200)
  t.teardown(() => setClientSecret('api', options.clientSecret))
  await setClientSecret('api', 'another')
  refused(t, await get(app, '/profile', accessToken), 'keycloak_unavailable')
  refused(t, await get(app, '/open', accessToken), 'keycloak_unavailable')
  t.equal((await get(app, '/open')).statusCode, 200, 'the anonymous do not need it')
  await setClientSecret('api', options.clientSecret)
  t.equal((await get(app, '/profile', accessToken)).statusCode, 200)
})

t.test('a client secret may hold any character', async (t) => {
  const clientSecret = 'p%2Bq +&=?#:/"äß€\u{1f511}'
  t.teardown(() => setClientSecret('api', options.clientSecret))
  await setClientSecret('api', clientSecret)
  const app = await api(t, { ...introspecting, clientSecret })
  t.equal((await get(app, '/profile', await token('cli', 'alice'))).statusCode, 200)
})

t.test('a caller that may not introspect, since it is a public client, is 503', async (t) => {
  const app = await api(t, { ...introspecting, clientId: 'cli' })
  refused(t, await get(app, '/me', await token('cli', 'alice')), 'keycloak_unavailable')
})

t.test('a token whose organization its user has left is 401 if Keycloak refuses it, and others are served', async (t) => {
  const app = await api(t, introspecting)
  const organization = await addOrganization('globex', 'alice', 'cli')
  t.teardown(() => organization.remove())
  const { access_token: accessToken } = await login('cli', 'alice', {}, 'openid organization:globex')
  t.equal((await get(app, '/profile', accessToken)).statusCode, 200)
  await organization.leave()
  for (let times = 0; times < 6; times++) {
    const answer = await get(app, '/profile', accessToken)
    if (does('refusesTokenOfLeftOrganization')) refused(t, answer, 'token_not_valid')
    else t.equal(answer.statusCode, 200, `Keycloak ${version} calls it active`)
  }
  t.match(app.keycloak.health(), { ok: true, introspection: { ok: true, breaker: 'closed' } })
  t.equal((await get(app, '/profile', await token('cli', 'alice'))).statusCode, 200)
})

t.test('a claim whose mapper is not in introspection is gone, but where keepClaims has it', async (t) => {
  const remove = await addHardcodedClaim('cli', 'readonly', 'yes', { 'introspection.token.claim': 'false' })
  t.teardown(remove)
  const accessToken = await token('cli', 'alice')
  t.equal((await get(await api(t), '/me', accessToken)).json().claims.readonly, 'yes')
  t.equal((await get(await api(t, introspecting), '/me', accessToken)).json().claims.readonly, undefined)
  const keeping = await api(t, { ...introspecting, introspection: { keepClaims: ['readonly'] } })
  t.equal((await get(keeping, '/me', accessToken)).json().claims.readonly, 'yes')
})
