// request.organizations, from every shape that the claim has in Keycloak 24 to 26.7 and after.
import t, { type Test } from 'tap'
import type { FastifyRequest } from 'fastify'
import { apiFor, bearer, realmFor } from '../support/app.js'

const NOTHING = { roles: [], groups: [], attributes: {} }

/** An API, and the organizations of a token with the claim. */
async function reading (t: Test) {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/organizations', async ({ organizations }) => organizations)
  return {
    app,
    realm,
    organizationsOf: async (organization: unknown) => (await app.inject({ url: '/organizations', headers: bearer(realm.token({ claims: { organization } })) })).json()
  }
}

t.test('as shipped: an array of aliases, in its order', async (t) => {
  const { organizationsOf } = await reading(t)
  t.same(await organizationsOf(['globex', 'acme']), [{ alias: 'globex', ...NOTHING }, { alias: 'acme', ...NOTHING }])
})

t.test('with Multivalued off: one alias', async (t) => {
  const { organizationsOf } = await reading(t)
  t.same(await organizationsOf('acme'), [{ alias: 'acme', ...NOTHING }])
})

t.test('as JSON: an object by alias, with id, attributes, groups and their roles', async (t) => {
  const { organizationsOf } = await reading(t)
  t.same(await organizationsOf({ acme: {} }), [{ alias: 'acme', ...NOTHING }])
  t.same(await organizationsOf({ acme: { name: {} } }), [{ alias: 'acme', ...NOTHING }])
  t.same(await organizationsOf({ acme: { id: 'fe4e18bb' }, globex: { id: '7' } }), [{ alias: 'acme', id: 'fe4e18bb', ...NOTHING }, { alias: 'globex', id: '7', ...NOTHING }])
  t.same(await organizationsOf({ acme: { plan: ['gold'], regions: ['eu', 'us'], empty: [], id: 'fe4e18bb', domain: 'acme.org' } }),
    [{ alias: 'acme', id: 'fe4e18bb', roles: [], groups: [], attributes: { plan: ['gold'], regions: ['eu', 'us'], empty: [] } }])
  t.same(await organizationsOf({ acme: { id: 'fe4e18bb', groups: ['/admins'], realm_access: { roles: ['admin'] }, resource_access: { api: { roles: ['manage'] } } } }),
    [{ alias: 'acme', id: 'fe4e18bb', roles: ['admin'], groups: ['/admins'], attributes: {} }])
})

t.test('with roles of the organization, also beside those of its groups', async (t) => {
  const { organizationsOf } = await reading(t)
  t.same(await organizationsOf({ acme: { roles: ['org-admin'] } }), [{ alias: 'acme', roles: ['org-admin'], groups: [], attributes: {} }])
  t.same(await organizationsOf({ acme: { roles: ['org-admin', 'both'], realm_access: { roles: ['both', 'admin'] } } }),
    [{ alias: 'acme', roles: ['org-admin', 'both', 'admin'], groups: [], attributes: {} }])
  t.same(await organizationsOf({ acme: { id: 'fe4e18bb', roles: ['org-admin'], groups: ['/admins'], plan: ['gold'] } }),
    [{ alias: 'acme', id: 'fe4e18bb', roles: ['org-admin'], groups: ['/admins'], attributes: { plan: ['gold'] } }])
})

t.test('it is empty without the claim, and for anonymous callers', async (t) => {
  const { app, organizationsOf } = await reading(t)
  t.same((await app.inject('/organizations')).json(), [])
  for (const claim of [undefined, null, '', [], {}, 5, true]) t.same(await organizationsOf(claim), [], JSON.stringify(claim))
})

t.test('it is frozen to its ground, and the same for all requests with one kept token', async (t) => {
  const { app, realm } = await reading(t)
  const seen: Array<FastifyRequest['organizations']> = []
  app.get('/keep', async ({ organizations }) => { seen.push(organizations) })
  const headers = bearer(realm.token({ claims: { organization: { acme: { id: '1', groups: ['/a'], plan: ['gold'], realm_access: { roles: ['x'] } }, globex: { roles: [] } } } }))
  for (let times = 0; times < 4; times++) await app.inject({ url: '/keep', headers })
  await app.inject('/keep')
  t.equal(seen[2], seen[3])
  const [acme] = seen[3]!
  for (const value of [seen[3], acme, acme!.roles, acme!.groups, acme!.attributes, acme!.attributes.plan, seen[4]]) t.ok(Object.isFrozen(value))
})
