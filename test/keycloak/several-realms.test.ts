// An API of three realms on one server: whose tokens it takes, and what the outage of one realm is to the others.
import t from 'tap'
import { base, decode, get, pause, refused, token as tokenOfDev } from './helpers.js'
import { apiOfThree as api, entries, NAMES, realms, statuses, tokens, USERS } from './three-realms.js'

for (const [how, verifyTokensWithKeycloak] of Object.entries({ 'without introspection': false, 'with introspection': true })) {
  t.test(`${how}, each user is one of their own realm`, async (t) => {
    const app = await api(t, { verifyTokensWithKeycloak })
    const of = await tokens()
    for (const name of NAMES) {
      const { sub } = decode(of[name]).claims
      for (let times = 0; times < 3; times++) t.strictSame((await get(app, '/me', of[name])).json(), { issuer: name, username: USERS[name], sub })
      t.strictSame((await get(app, '/open', of[name])).json(), { issuer: name })
    }
    t.strictSame((await get(app, '/open')).json(), { issuer: null })
    t.strictSame(await statuses(app, of, '/read'), { acme: 200, globex: 200, initech: 403 }, 'roles are those of the realm')
    refused(t, await get(app, '/me', await tokenOfDev('cli', 'alice')), 'token_not_valid')
  })

  t.test(`${how}, a route admits the realms that it names`, async (t) => {
    const app = await api(t, { verifyTokensWithKeycloak })
    const of = await tokens()
    t.strictSame(await statuses(app, of, '/acme'), { acme: 200, globex: 403, initech: 403 })
    t.strictSame(await statuses(app, of, '/partners'), { acme: 403, globex: 200, initech: 200 })
    refused(t, await get(app, '/acme', of.globex), 'permission_denied')
    refused(t, await get(app, '/acme'), 'not_authenticated')
  })
}

t.test('a path or a host ties a request to a realm', async (t) => {
  const of = await tokens()
  const byPath = await api(t, { selectIssuer: ({ params }) => (params as { tenant?: string }).tenant ?? null })
  t.strictSame(await statuses(byPath, of, '/of/acme'), { acme: 200, globex: 401, initech: 401 })
  refused(t, await get(byPath, '/of/acme', of.globex), 'token_not_valid')
  t.strictSame(await statuses(byPath, of), { acme: 200, globex: 200, initech: 200 }, 'and no other path')

  const byHost = await api(t, { selectIssuer: ({ hostname }) => hostname.split('.')[0]! })
  const at = async (host: string, token: string) => (await byHost.inject({ url: '/me', headers: { host, authorization: `Bearer ${token}` } })).statusCode
  t.equal(await at('globex.example.com', of.globex), 200)
  t.equal(await at('globex.example.com', of.acme), 401)
})

t.test('each realm is asked with its own secret, and a wrong one fails that realm alone', async (t) => {
  const app = await api(t, { issuers: entries({ globex: { clientSecret: 'wrong' } }), verifyTokensWithKeycloak: true })
  const of = await tokens()
  for (let times = 0; times < 6; times++) t.strictSame(await statuses(app, of), { acme: 200, globex: 503, initech: 200 })
  refused(t, await get(app, '/me', of.globex), 'keycloak_unavailable')
  t.match(app.keycloak.health(), {
    ok: true,
    issuers: { acme: { ok: true, introspection: { ok: true } }, globex: { ok: false, introspection: { ok: false } }, initech: { ok: true } }
  })
})

t.test('a realm that is disabled is an outage for introspection, until it is enabled, and the others go on', async (t) => {
  const of = await tokens()
  const [trusting, introspecting] = [await api(t), await api(t, { verifyTokensWithKeycloak: true })]
  t.strictSame(await statuses(introspecting, of), { acme: 200, globex: 200, initech: 200 })
  t.teardown(() => realms.globex.admin('PUT', '', { enabled: true }))
  await realms.globex.admin('PUT', '', { enabled: false })
  t.strictSame(await statuses(introspecting, of), { acme: 200, globex: 503, initech: 200 })
  t.match(introspecting.keycloak.health(), { ok: true, issuers: { acme: { ok: true }, globex: { ok: false }, initech: { ok: true } } })
  t.strictSame(await statuses(trusting, of), { acme: 200, globex: 200, initech: 200 }, 'Keycloak still serves its keys: its tokens live until they expire')

  await realms.globex.admin('PUT', '', { enabled: true })
  while ((await get(introspecting, '/me', of.globex)).statusCode !== 200) await pause(100)
  t.strictSame(await statuses(introspecting, of), { acme: 200, globex: 200, initech: 200 }, 'without a restart')
})

t.test('a realm whose keys cannot be had is 503, and the others go on', async (t) => {
  const app = await api(t, { issuers: entries({ globex: { serverUrl: `${base}/realms/nowhere` } }) })
  t.strictSame(await statuses(app, await tokens()), { acme: 200, globex: 503, initech: 200 })
  t.match(app.keycloak.health(), { ok: true, issuers: { acme: { ok: true }, globex: { ok: false }, initech: { ok: true } } })
})
