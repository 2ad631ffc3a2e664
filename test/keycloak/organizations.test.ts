// Membership of organizations, from each form in which Keycloak writes the claim, and at each change of a membership.
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { accessRealm, API } from './access-realm.js'
import { get, refused } from './helpers.js'
import { does } from './versions.js'

const realm = await accessRealm(t)

/** The claim, for a user of each of its organizations. */
const ALL = 'openid organization:*'

async function api (t: Test, settings: Partial<KeycloakOptions> = {}): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { issuer: realm.issuer, ...API, ...settings } as KeycloakOptions)
  app.get('/claims', { config: { authenticated: true } }, async (request) => ({ claim: request.auth.organization, organizations: request.organizations }))
  app.get('/any', { config: { permission: { organization: true } } }, async () => 'welcome')
  app.get('/acme', { config: { permission: { organization: 'acme' } } }, async () => 'welcome')
  app.get('/acme/admins', { config: { permission: { organization: 'acme', role: 'admin' } } }, async () => 'welcome')
  app.get('/of/:org', { config: { permission: { organization: { param: 'org' } } } }, async () => 'welcome')
  return app
}

const ROUTES = ['/any', '/acme', '/of/acme', '/of/globex', '/of/ACME', '/of/closed']

/** The routes that a token opens. */
async function opened (app: FastifyInstance, token: string): Promise<string[]> {
  const open = []
  for (const route of ROUTES) if ((await get(app, route, token)).statusCode === 200) open.push(route)
  return open
}

interface Membership { alias: string, [member: string]: unknown }

/** The claim and `request.organizations` by alias, whatever the order that Keycloak chose. */
async function claims (app: FastifyInstance, token: string): Promise<{ claim: unknown, organizations: Record<string, Membership> }> {
  const { claim, organizations } = (await get(app, '/claims', token)).json()
  return { claim, organizations: Object.fromEntries(organizations.map((each: Membership) => [each.alias, each])) }
}

const { id: acme } = await realm.organization('acme')
const { id: globex } = await realm.organization('globex')
const OF_ALICE = ['/any', '/acme', '/of/acme', '/of/globex']
const OF_BOB = ['/any', '/acme', '/of/acme']
const ATTRIBUTES = { plan: ['gold'], regions: ['eu', 'us'] }
const AS_SHIPPED = {
  'jsonType.label': 'String', multivalued: 'true', addOrganizationId: 'false', addOrganizationAttributes: 'false'
}
const NOTHING = { roles: [], groups: [], attributes: {} }

interface Form { config: Record<string, string>, claim: unknown, acme?: object, globex?: object }

/** The settings of the mapper that writes the claim, and what alice's token has then. */
const FORMS: Record<string, Form> = {
  'an array of aliases, as a new realm has it': { config: {}, claim: ['acme', 'globex'] },
  'an object by alias': { config: { 'jsonType.label': 'JSON' }, claim: { acme: {}, globex: {} } },
  'with ids': {
    config: { addOrganizationId: 'true' },
    claim: { acme: { id: acme }, globex: { id: globex } },
    acme: { id: acme },
    globex: { id: globex }
  },
  'with attributes': {
    config: { addOrganizationAttributes: 'true', 'jsonType.label': 'JSON' },
    claim: { acme: ATTRIBUTES, globex: {} },
    acme: { attributes: ATTRIBUTES }
  },
  'with ids and attributes': {
    config: { addOrganizationId: 'true', addOrganizationAttributes: 'true', 'jsonType.label': 'JSON' },
    claim: { acme: { id: acme, ...ATTRIBUTES }, globex: { id: globex } },
    acme: { id: acme, attributes: ATTRIBUTES },
    globex: { id: globex }
  }
}

for (const [name, { config, claim, ...expected }] of Object.entries(FORMS)) {
  t.test(`the claim is ${name}`, async (t) => {
    await realm.mapOrganizations({ ...AS_SHIPPED, ...config })
    t.teardown(() => realm.mapOrganizations(AS_SHIPPED))
    for (const settings of [{}, { verifyTokensWithKeycloak: true }]) {
      const app = await api(t, settings)
      const token = await realm.token('alice', 'cli', ALL)
      const found = await claims(app, token)
      t.strictSame(Array.isArray(found.claim) ? found.claim.sort() : found.claim, claim, 'Keycloak writes this')
      t.strictSame(found.organizations, {
        acme: { alias: 'acme', ...NOTHING, ...expected.acme },
        globex: { alias: 'globex', ...NOTHING, ...expected.globex }
      })
      t.strictSame(await opened(app, token), OF_ALICE)
      t.strictSame(await opened(app, await realm.token('bob', 'cli', ALL)), OF_BOB)
      t.strictSame(await opened(app, await realm.token('carol', 'cli', ALL)), [], 'a disabled organization is no claim')
    }
  })
}

t.test('the claim is a bare string: one organization, and of several any one of them', async (t) => {
  await realm.mapOrganizations({ ...AS_SHIPPED, multivalued: 'false' })
  t.teardown(() => realm.mapOrganizations(AS_SHIPPED))
  const app = await api(t)
  const token = await realm.token('bob', 'cli', ALL)
  t.strictSame(await claims(app, token), { claim: 'acme', organizations: { acme: { alias: 'acme', ...NOTHING } } })
  t.strictSame(await opened(app, token), OF_BOB)
  t.equal(Object.keys((await claims(app, await realm.token('alice', 'cli', ALL))).organizations).length, 1)
})

t.test('without the scope there is no claim, and no membership', async (t) => {
  const app = await api(t)
  const token = await realm.token('alice')
  t.strictSame(await claims(app, token), { claim: undefined, organizations: {} })
  t.strictSame(await opened(app, token), [])
})

t.test('the scope "organization" is the only membership, and none of several', async (t) => {
  const app = await api(t)
  t.strictSame(await opened(app, await realm.token('bob', 'cli', 'openid organization')), does('leavesOutDisabledOrganizations') ? OF_BOB : [],
    'bob is in a disabled one, too')
  t.strictSame(await opened(app, await realm.token('alice', 'cli', 'openid organization')), [])
})

t.test('a scope that names an organization is that membership alone', async (t) => {
  const app = await api(t)
  t.strictSame(await opened(app, await realm.token('alice', 'cli', 'openid organization:globex')), ['/any', '/of/globex'])
  t.strictSame(await opened(app, await realm.token('bob', 'cli', 'openid organization:globex')), [], 'bob is not in it')
})

t.test('attributes that have the names of members are neither id nor roles nor groups', async (t) => {
  const { path } = await realm.organization('acme')
  const before = await realm.admin('GET', path)
  t.teardown(async () => {
    await realm.admin('PUT', path, { ...before, attributes: ATTRIBUTES })
    await realm.mapOrganizations(AS_SHIPPED)
  })
  await realm.admin('PUT', path, { ...before, attributes: { id: ['evil'], alias: ['globex'], realm_access: ['admin'], constructor: ['evil'] } })
  await realm.mapOrganizations({ ...AS_SHIPPED, addOrganizationAttributes: 'true', 'jsonType.label': 'JSON' })
  const app = await api(t)
  const token = await realm.token('alice', 'cli', ALL)
  const { organizations } = await claims(app, token)
  t.match(organizations.acme, { alias: 'acme', id: undefined, roles: [], groups: [] })
  t.strictSame(await opened(app, token), OF_ALICE)
  refused(t, await get(app, '/acme/admins', token), 'permission_denied')
})

t.test('groups and roles within an organization, by the second mapper', async (t) => {
  const { path } = await realm.organization('acme')
  const { id: alice } = await realm.user('alice')
  if (!does('hasOrganizationGroups')) {
    await t.rejects(realm.admin('POST', `${path}/groups`, { name: 'admins' }), { message: /405/ })
    return
  }
  await realm.admin('POST', `${path}/groups`, { name: 'admins' })
  const [{ id: group }] = await realm.admin('GET', `${path}/groups`)
  t.teardown(() => realm.admin('DELETE', `${path}/groups/${group}`))
  await realm.admin('PUT', `${path}/groups/${group}/members/${alice}`)
  await realm.admin('POST', `${path}/groups/${group}/role-mappings/realm`, [await realm.admin('GET', '/roles/admin')])
  t.teardown(await realm.mapOrganizationGroups({ addGroupRoleMappings: 'true' }))
  const app = await api(t)
  const token = await realm.token('alice', 'cli', ALL)
  const { claim, organizations } = await claims(app, token)
  t.strictSame(claim, { acme: { groups: ['/admins'], realm_access: { roles: ['admin'] } }, globex: { groups: [] } })
  t.match(organizations.acme, { alias: 'acme', groups: ['/admins'], roles: ['admin'] })
  t.equal((await get(app, '/acme/admins', token)).statusCode, 200)
  refused(t, await get(app, '/acme/admins', await realm.token('bob', 'cli', ALL)), 'permission_denied')
  t.match(organizations.globex, { alias: 'globex', groups: [] })
  t.strictSame(await opened(app, token), OF_ALICE)
})

const OF_LEFT = does('refusesTokenOfLeftOrganization') ? 'token_not_valid' : 'permission_denied'

for (const [scope, code] of [[ALL, 'permission_denied'], ['openid organization:globex', OF_LEFT]] as const) {
  t.test(`who leaves an organization has left it at the next introspection, with the scope ${scope}`, async (t) => {
    const { path } = await realm.organization('globex')
    const { id: alice } = await realm.user('alice')
    const [introspecting, trusting] = [await api(t, { verifyTokensWithKeycloak: true }), await api(t)]
    const token = await realm.token('alice', 'cli', scope)
    for (const app of [introspecting, trusting]) t.equal((await get(app, '/of/globex', token)).statusCode, 200)
    await realm.admin('DELETE', `${path}/members/${alice}`)
    t.teardown(() => realm.admin('POST', `${path}/members`, alice))
    refused(t, await get(introspecting, '/of/globex', token), code)
    t.equal((await get(trusting, '/of/globex', token)).statusCode, 200, 'without introspection as long as the token lives')
    t.strictSame(await opened(trusting, await realm.token('alice', 'cli', scope)), scope === ALL ? OF_BOB : [])
  })
}
