// Hostile claims `organization`, well signed by the realm: names of members of objects, attributes in the place of others, masses.
import t, { type Test } from 'tap'
import type { PermissionRule } from '../../index.js'
import { apiFor, ask, bearer, realmFor } from '../support/app.js'
import { polluted } from '../support/pollution.js'
import { by, compact, parts } from '../support/vectors.js'

const DENIED = '403 permission_denied'
const rules: PermissionRule[] = [
  { organization: 'acme' }, { organization: 'acme', role: 'admin' }, { organization: true }, { organization: { param: 'org' } },
  { organization: '__proto__' }, { organization: 'constructor' }, { organization: 'toString', role: 'admin' }
]

async function api (t: Test, options = {}) {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { limits: { tokenLength: 10_000_000 }, cache: { maxBytes: 1e9 }, ...options })
  app.get('/organizations', async ({ organizations }) => organizations)
  for (const [at, permission] of rules.entries()) app.get(`/rule/${at}/:org`, { config: { permission } }, async () => 'ok')
  const { header, claims } = parts(realm)
  /** A token with the text of the claim, as JSON.stringify would not write it. */
  const withClaim = (json: string) => compact(header, JSON.stringify({ ...claims, organization: '@' }).replace('"@"', json), by('RS256'))
  const answers = async (token: string) => Promise.all(rules.map((_rule, at) => ask(app, `/rule/${at}/acme`, token)))
  const list = async (token: string) => (await app.inject({ url: '/organizations', headers: bearer(token) })).json()
  return { realm, app, withClaim, answers, list }
}

t.test('an alias that is a member of every object is an alias, and lends no other', async (t) => {
  const { withClaim, answers, list } = await api(t)
  const token = withClaim('{"__proto__":{"acme":{"roles":["admin"]},"roles":["admin"]},"constructor":{"prototype":{"acme":{}}}}')
  t.same(await answers(token), [DENIED, DENIED, '200', DENIED, '200', '200', DENIED])
  t.same((await list(token)).map(({ alias }: { alias: string }) => alias), ['__proto__', 'constructor'])
  t.same(Reflect.ownKeys(Object.prototype).includes('acme'), false)
  t.same(await answers(withClaim('["__proto__","constructor","toString"]')), [DENIED, DENIED, '200', DENIED, '200', '200', DENIED])
})

t.test('members of an organization are its own', async (t) => {
  const { withClaim, answers, list } = await api(t)
  const token = withClaim('{"acme":{"__proto__":{"roles":["admin"],"id":"forged","realm_access":{"roles":["admin"]}},"constructor":["x"]}}')
  t.same(await answers(token), ['200', DENIED, '200', '200', DENIED, DENIED, DENIED])
  t.same(await list(token), [{ alias: 'acme', roles: [], groups: [], attributes: { constructor: ['x'] } }])
})

t.test('attributes that take the place of id, roles, groups and the roles of groups are no more than attributes', async (t) => {
  const { answers, list, withClaim } = await api(t)
  const token = withClaim('{"acme":{"id":["root"],"roles":["admin"],"realm_access":["admin"],"resource_access":["admin"],"domain":["acme.org"],"alias":["globex"],"attributes":["x"],"__proto__":["y"]}}')
  t.same(await answers(token), ['200', DENIED, '200', '200', DENIED, DENIED, DENIED])
  const [acme] = await list(token)
  t.same([acme.alias, acme.id, acme.roles, acme.groups], ['acme', undefined, [], []])
  t.same(acme.attributes.roles, ['admin'])
  t.same(Object.keys(acme.attributes), ['id', 'roles', 'realm_access', 'resource_access', 'domain', 'alias', 'attributes', '__proto__'])
})

t.test('whatever is no organization is none: numbers, nested lists, empty and repeated aliases', async (t) => {
  const { realm, list, answers } = await api(t)
  const organization = [5, null, true, '', ['acme'], { acme: {} }, 'globex', 'globex', ' ', 'GLOBEX']
  const token = realm.token({ claims: { organization } })
  t.same((await list(token)).map(({ alias }: { alias: string }) => alias), ['globex', ' ', 'GLOBEX'])
  t.same(await answers(token), [DENIED, DENIED, '200', DENIED, DENIED, DENIED, DENIED])
  const members = { a: null, b: 5, c: 'acme', d: ['acme'], e: true, '': {}, f: { id: 5, roles: [5, 'admin'], groups: [['/x']], plan: ['gold', 5], nested: { acme: {} } } }
  t.same(await list(realm.token({ claims: { organization: members } })), [{ alias: 'f', roles: [], groups: [], attributes: {} }])
})

t.test('ten thousand organizations are read once, and one of them is found as fast as the only one', async (t) => {
  const { realm, app, answers } = await api(t)
  const names = Array.from({ length: 10_000 }, (_, at) => `org-${at}`)
  for (const organization of [[...names, 'acme'], Object.fromEntries([...names, 'acme'].map((name) => [name, { id: name, roles: ['admin'] }]))]) {
    const token = realm.token({ claims: { organization } })
    t.same(await answers(token), ['200', Array.isArray(organization) ? DENIED : '200', '200', '200', DENIED, DENIED, DENIED])
    const { length } = (await app.inject({ url: '/organizations', headers: bearer(token) })).json()
    t.equal(length, 10_001)
  }
})

t.test('what another package hung on Object.prototype is no organization, role, group or rule', async (t) => {
  const { realm, app } = await api(t)
  const bare = realm.token({ claims: { organization: { globex: {} }, realm_access: {}, groups: undefined } })
  app.get('/realm', { config: { permission: { realmRole: 'admin' } } }, async () => 'ok')
  app.get('/group', { config: { permission: { group: '/**' } } }, async () => 'ok')
  const values: Record<string, unknown> = { organization: ['acme'], acme: {}, roles: ['admin'], realm_access: { roles: ['admin'] }, groups: ['/x'], id: 'x', role: 'x', client: 'x', any: ['x'], realmRole: 'x', param: 'x', org: 'acme' }
  for (const [name, value] of Object.entries(values)) {
    for (const enumerable of [true, false]) {
      const answers = await polluted(name, value, async () => {
        return [await ask(app, '/rule/0/acme', bare), await ask(app, '/rule/1/acme', bare), await ask(app, '/rule/3/acme', bare), await ask(app, '/realm', bare), await ask(app, '/group', bare)]
      }, enumerable)
      t.same(answers, [DENIED, DENIED, DENIED, DENIED, DENIED], name)
      const has = await polluted(name, value, async () => {
        const other = await api(t)
        other.app.get('/has', async (request) => [request.hasPermission({ organization: 'globex' }), request.organizations])
        return (await other.app.inject({ url: '/has', headers: bearer(other.realm.token({ claims: { organization: { globex: {} } } })) })).json()
      }, enumerable)
      t.same(has, [true, [{ alias: 'globex', roles: [], groups: [], attributes: {} }]], name)
    }
  }
})
