// { organization }: a member of that organization, of any, or of the one that the URL names; with a role in it if asked.
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import keycloak, { type PermissionRule } from '../../index.js'
import { apiFor, ask, realmFor } from '../support/app.js'

const DENIED = '403 permission_denied'

/** Claims that fulfil a rule, and claims that do not. */
type Case = [rule: PermissionRule, allowed: unknown[], denied: unknown[]]

const CASES: Case[] = [
  [{ organization: 'acme' }, [['acme'], ['globex', 'acme'], 'acme', { acme: {} }, { acme: { id: '1' }, globex: {} }],
    [['ACME'], ['acme '], ['acme2'], [], {}, '', 'acme,globex', { ACME: {} }, { globex: { id: 'acme', alias: 'acme', name: ['acme'] } }, { acme: null }, { acme: true }, { acme: 'acme' }, { acme: [] }, [['acme']], [{ acme: {} }], null, undefined]],
  [{ organization: true }, [['acme'], 'acme', { acme: {} }], [[], {}, '', [''], { '': {} }, [5], { acme: null }, 5, true, undefined]],
  [{ organization: 'acme', role: 'admin' }, [{ acme: { roles: ['admin'] } }, { acme: { roles: ['x', 'admin'], id: '1', groups: ['/a'] } }, { acme: { realm_access: { roles: ['admin'] } } }, { acme: { realm_access: { roles: ['admin'] }, plan: ['gold'] } }],
    [['acme'], 'acme', { acme: {} }, { acme: { roles: ['Admin'] } }, { acme: { roles: 'admin' } }, { acme: { roles: { admin: true } } }, { acme: { roles: ['admin', 5] } }, { acme: { roles: [['admin']] } },
      { globex: { roles: ['admin'] }, acme: {} }, { globex: { roles: ['admin'] } }, { acme: { realm_access: ['admin'] } }, { acme: { realm_access: { roles: 'admin' } } }, { acme: { resource_access: { api: { roles: ['admin'] } } } },
      { acme: { groups: ['admin', '/admin'] } }]],
  [{ organization: true, role: 'admin' }, [{ globex: {}, acme: { roles: ['admin'] } }], [['acme'], { acme: { roles: ['x'] } }, {}]],
  [{ organization: 'constructor' }, [['constructor'], { constructor: {} }], [['acme'], { acme: {} }]]
]

async function api (t: Test, options = {}) {
  const realm = await realmFor(t)
  return { realm, app: await apiFor(t, realm, options) }
}

t.test('membership is by alias, exactly, in each shape of the claim', async (t) => {
  const { realm, app } = await api(t)
  for (const [at, [permission]] of CASES.entries()) app.get(`/rule/${at}`, { config: { permission } }, async () => 'ok')
  for (const [at, [rule, allowed, denied]] of CASES.entries()) {
    for (const organization of allowed) t.equal(await ask(app, `/rule/${at}`, realm.token({ claims: { organization } })), '200', `${JSON.stringify(rule)}: ${JSON.stringify(organization)}`)
    for (const organization of denied) t.equal(await ask(app, `/rule/${at}`, realm.token({ claims: { organization } })), DENIED, `${JSON.stringify(rule)}: ${JSON.stringify(organization)}`)
  }
})

t.test('a list of roles does not count if an attribute stands in the place of another member of the organization', async (t) => {
  const { realm, app } = await api(t)
  app.get('/admin', { config: { permission: { organization: 'acme', role: 'admin' } } }, async ({ organizations }) => organizations)
  const forged = [{ acme: { roles: ['admin'], id: ['evil'] } }, { acme: { roles: ['admin'], realm_access: ['admin'] } }, { acme: { roles: 'admin', resource_access: ['x'] } }]
  for (const organization of forged) t.equal(await ask(app, '/admin', realm.token({ claims: { organization } })), DENIED, JSON.stringify(organization))
  const claims = { organization: { acme: { roles: ['forged'], id: ['x'], realm_access: { roles: ['admin'] } } } }
  const { body } = await realm.inject(app, { url: '/admin', as: { claims } })
  t.same(JSON.parse(body), [{ alias: 'acme', roles: ['admin'], groups: [], attributes: { roles: ['forged'], id: ['x'] } }], 'the roles of its groups are an object, which no attribute is')
})

t.test('{ param } is the organization that the URL names, decoded, for each request anew', async (t) => {
  const { realm, app } = await api(t)
  const permission = { organization: { param: 'org' } } as const
  app.get('/of/:org/invoices', { config: { permission } }, async () => 'ok')
  app.get('/admin/:org', { config: { permission: { ...permission, role: 'admin' } } }, async () => 'ok')
  app.get('/maybe/:org?', { config: { permission } }, async () => 'ok')
  app.get('/rest/*', { config: { permission: { organization: { param: '*' } } } }, async () => 'ok')
  app.get('/letters/:org(^[a-z()\\)]+$)', { config: { permission } }, async () => 'ok')
  app.get('/two/:from-:org.json', { config: { permission } }, async () => 'ok')
  app.get('/colon/::x/:org', { config: { permission } }, async () => 'ok')
  app.get('/has/:org', async (request) => [request.hasPermission(permission), await request.isAllowed(permission)])
  const token = realm.token({ organizations: { acme: { roles: ['admin'] }, 'a/b ö': {}, globex: {} } })
  for (let times = 0; times < 2; times++) {
    for (const [url, answer] of [
      ['/of/acme/invoices', '200'], ['/of/globex/invoices', '200'], ['/of/initech/invoices', DENIED], ['/of/ACME/invoices', DENIED], ['/of/acme%20/invoices', DENIED], ['/of/%61cme/invoices', '200'],
      ['/of/%2561cme/invoices', DENIED], ['/of/a%2Fb%20%C3%B6/invoices', '200'], ['/of/acme%00/invoices', DENIED], ['/of/__proto__/invoices', DENIED], ['/of/constructor/invoices', DENIED], ['/of//invoices', DENIED],
      ['/admin/acme', '200'], ['/admin/globex', DENIED], ['/maybe/acme', '200'], ['/maybe', DENIED], ['/maybe/', DENIED], ['/rest/acme', '200'], ['/rest/', DENIED], ['/rest/acme/x', DENIED],
      ['/letters/acme', '200'], ['/two/acme-globex.json', '200'], ['/two/acme-x.json', DENIED], ['/colon/:x/acme', '200']
    ] as const) t.equal(await ask(app, url, token), answer, url)
  }
  t.same((await realm.inject(app, { url: '/has/acme', as: { organizations: ['acme'] } })).json(), [true, true])
  t.same((await realm.inject(app, { url: '/has/globex', as: { organizations: ['acme'] } })).json(), [false, false])
})

t.test('a parameter that the route does not have throws when the route is added', async (t) => {
  const { app } = await api(t)
  const handler = async () => 'ok'
  for (const [url, has] of [['/x', 'it has none'], ['/:Org', 'it has Org'], ['/::org', 'it has none'], ['/:a-:b/*', 'it has a, b, *'], ['/:a(org:org)', 'it has a'], ['/:orgs?', 'it has orgs'], ['/:a(', 'it has a']] as const) {
    const message = `fastify-keycloak-bearer: GET ${url}: config.permission.organization.param names "org", which is no parameter of the URL of the route; ${has}`
    t.throws(() => app.get(url, { config: { permission: { organization: { param: 'org' } } } }, handler), { message }, url)
  }
  await t.rejects(Promise.resolve(app.register(async (child) => { child.get('/x', { config: { permission: ['a', { organization: { param: 'org' } }] } }, handler) }, { prefix: '/:id' })),
    { message: /GET \/:id\/x: config\.permission\[1\]\.organization\.param names "org", .* it has id$/ })
})

t.test('the parameter of a prefix is one of the route, and a rule that is asked names one of the request', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, realm.options)
  const rule = { organization: { param: 'org' } } as const
  await app.register(async (child) => { child.get('/x', { config: { permission: rule } }, async () => 'ok') }, { prefix: '/of/:org' })
  app.get('/asks', async (request) => request.hasPermission(rule))
  app.setNotFoundHandler(async (request) => request.isAllowed(rule))
  t.equal(await ask(app, '/of/acme/x', realm.token({ organizations: ['acme'] })), '200')
  const asked = async (url: string) => (await realm.inject(app, { url, as: { organizations: ['acme'] } })).json()
  t.match(await asked('/asks'), { statusCode: 500, message: 'The rule of hasPermission.organization.param names "org"' })
  t.equal(await asked('/no/such/route'), false, 'nobody is authenticated where no route is')
})
