// Lightweight tokens: no sub, no aud, no roles, no name; Keycloak gives all of them back when asked.
import t from 'tap'
import { api, decode, get, introspecting, options, refused, token } from './helpers.js'

t.test('with introspection a lightweight token is as good as a whole one', async (t) => {
  const app = await api(t, introspecting)
  const accessToken = await token('light', 'alice')
  const { claims } = decode(accessToken)
  for (const claim of ['sub', 'aud', 'preferred_username', 'resource_access']) t.notOk(claim in claims, `the token has no ${claim}`)

  t.equal((await get(app, '/profile', accessToken)).statusCode, 200)
  refused(t, await get(app, '/admin', accessToken), 'permission_denied')
  const response = await get(app, '/me', accessToken)
  t.equal(response.statusCode, 200)
  t.match(response.json(), {
    user: { username: 'alice', firstName: 'Alice', lastName: 'Tester', email: 'alice@example.test' },
    claims: { ...claims, sub: /^[0-9a-f-]{36}$/, aud: ['api', 'account'], resource_access: { api: { roles: Array } } }
  })
  t.same(new Set(response.json().claims.resource_access.api.roles), new Set(['read-profile', 'view-profile']))
})

t.test('with introspection its audience is checked all the same', async (t) => {
  const app = await api(t, { ...introspecting, audience: 'billing' })
  refused(t, await get(app, '/me', await token('light', 'alice')), 'token_not_valid')
})

t.test('without introspection it is 401 wherever something is needed that it lacks', async (t) => {
  const accessToken = await token('light', 'alice')
  const lacking = {
    audience: options,
    'the name': { ...options, audience: null },
    'the subject': { ...options, audience: null, userIdClaim: 'sub' }
  }
  for (const [claim, settings] of Object.entries(lacking)) {
    t.comment(claim)
    const app = await api(t, settings)
    refused(t, await get(app, '/me', accessToken), 'token_not_valid')
    refused(t, await get(app, '/open', accessToken), 'token_not_valid')
  }
})

t.test('without introspection and without such needs it is a valid token without roles', async (t) => {
  const app = await api(t, { ...options, audience: null, userIdClaim: 'sid' })
  const accessToken = await token('light', 'alice')
  const response = await get(app, '/me', accessToken)
  t.equal(response.statusCode, 200)
  t.strictSame(response.json().claims, decode(accessToken).claims)
  refused(t, await get(app, '/profile', accessToken), 'permission_denied')
})
