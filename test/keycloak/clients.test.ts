// A token of each client of the realm, as each of its grants hands it out.
import t from 'tap'
import { api, browserLogin, decode, get, introspecting, options, refused, serviceToken, token } from './helpers.js'

const alice = { username: 'alice', firstName: 'Alice', lastName: 'Tester', email: 'alice@example.test' }

t.test('a browser login by authorization code and PKCE is let in', async (t) => {
  const { access_token: accessToken } = await browserLogin('alice')
  for (const settings of [options, introspecting]) {
    const response = await get(await api(t, settings), '/profile', accessToken)
    t.equal(response.statusCode, 200)
    t.strictSame(response.json(), { user: alice })
  }
})

t.test('a command line login by password is let in', async (t) => {
  const accessToken = await token('cli', 'alice')
  for (const settings of [options, introspecting]) {
    const response = await get(await api(t, settings), '/profile', accessToken)
    t.equal(response.statusCode, 200)
    t.strictSame(response.json(), { user: alice })
  }
})

t.test('a worker that logs in by itself is let in, and has a name but no person behind it', async (t) => {
  const accessToken = await serviceToken('worker')
  for (const settings of [options, introspecting]) {
    const response = await get(await api(t, settings), '/profile', accessToken)
    t.equal(response.statusCode, 200)
    t.strictSame(response.json(), { user: { username: 'service-account-worker' } })
  }
})

t.test('a lightweight token is let in with introspection', async (t) => {
  const response = await get(await api(t, introspecting), '/profile', await token('light', 'alice'))
  t.equal(response.statusCode, 200)
  t.strictSame(response.json(), { user: alice })
})

t.test("the API's own service account has no role of the API, and is no audience of itself", async (t) => {
  const accessToken = await serviceToken('api')
  refused(t, await get(await api(t), '/me', accessToken), 'token_not_valid')
  const app = await api(t, { ...options, audience: 'account' })
  const response = await get(app, '/me', accessToken)
  t.equal(response.statusCode, 200)
  t.strictSame(response.json().user, { username: 'service-account-api' })
  refused(t, await get(app, '/profile', accessToken), 'permission_denied')
})

t.test("request.auth is the token's payload, claim by claim", async (t) => {
  const accessToken = await token('cli', 'carol')
  const response = await get(await api(t), '/me', accessToken)
  t.strictSame(response.json().claims, decode(accessToken).claims)
})

t.test('a token of another transport is verified by fastify.keycloak', async (t) => {
  const app = await api(t)
  await app.ready()
  const accessToken = await token('cli', 'alice')
  t.match(await app.keycloak.verify(accessToken), { preferred_username: 'alice', azp: 'cli' })
  await t.rejects(app.keycloak.verify(accessToken.slice(0, -8)), { statusCode: 401, code: 'token_not_valid' })
})
