// Groups of Keycloak as a rule: with the full path and without it, and what else can stand in the claim.
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { accessRealm, API } from './access-realm.js'
import { decode, get } from './helpers.js'

const realm = await accessRealm(t)

const GROUPS = ['/staff', '/staff/**', 'staff/**', '/staff/it', '/staff/it/**', '/staff/it/linux', '/staff-guests', 'linux', 'admin']

async function api (t: Test, settings: Partial<KeycloakOptions> = {}): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { issuer: realm.issuer, ...API, ...settings } as KeycloakOptions)
  for (const group of GROUPS) app.get(pathOf(group), { config: { permission: { group } } }, async () => 'welcome')
  return app
}

/** A path for each group, in which no character has a meaning for the router. */
function pathOf (group: string): string {
  return `/${Buffer.from(group).toString('hex')}`
}

async function opened (app: FastifyInstance, token: string): Promise<string[]> {
  const open = []
  for (const group of GROUPS) if ((await get(app, pathOf(group), token)).statusCode === 200) open.push(group)
  return open
}

t.test('with the full path a group is itself, and two stars are all below it', async (t) => {
  const app = await api(t)
  t.strictSame(await opened(app, await realm.token('alice')), ['/staff/**', 'staff/**', '/staff/it/**', '/staff/it/linux'])
  t.strictSame(await opened(app, await realm.token('bob')), ['/staff', '/staff/**', 'staff/**'])
  t.strictSame(await opened(app, await realm.token('carol')), ['/staff-guests'], 'a name that begins alike is another group')
})

t.test('without the full path the last name is all there is', async (t) => {
  const app = await api(t)
  t.strictSame(decode(await realm.token('alice', 'short')).claims.groups, ['linux'])
  t.strictSame(await opened(app, await realm.token('alice', 'short')), ['linux'])
  t.strictSame(await opened(app, await realm.token('bob', 'short')), ['/staff', '/staff/**', 'staff/**'])
})

t.test('without the mapper there is no group', async (t) => {
  t.strictSame(await opened(await api(t), await realm.token('alice', 'at-jwt')), [])
})

t.test('the scope microprofile-jwt writes the roles of the realm among the groups, unless groupsClaim reads another claim', async (t) => {
  const token = await realm.token('alice', 'cli', 'openid microprofile-jwt')
  t.match(decode(token).claims.groups, /admin/)
  t.ok((await opened(await api(t), token)).includes('admin'), 'a role passes for a group')
  t.strictSame(await opened(await api(t, { groupsClaim: 'member_of' }), token), [])
})

t.test('a group at the top whose name has a slash looks like a group below another one', async (t) => {
  await realm.admin('POST', '/groups', { name: 'staff/it' })
  const [group] = (await realm.admin('GET', '/groups?search=staff%2Fit&exact=true'))
  t.teardown(() => realm.admin('DELETE', `/groups/${group.id}`))
  await realm.admin('PUT', `/users/${(await realm.user('carol')).id}/groups/${group.id}`)
  const token = await realm.token('carol')
  t.strictSame((decode(token).claims.groups as string[]).sort(), ['/staff-guests', '/staff/it'])
  t.strictSame(await opened(await api(t), token), ['/staff/**', 'staff/**', '/staff/it', '/staff/it/**', '/staff-guests'])
})

t.test('who leaves a group has left it at the next introspection', async (t) => {
  const [introspecting, trusting] = [await api(t, { verifyTokensWithKeycloak: true }), await api(t)]
  const token = await realm.token('bob')
  for (const app of [introspecting, trusting]) t.strictSame(await opened(app, token), ['/staff', '/staff/**', 'staff/**'])
  const [group] = await realm.admin('GET', '/groups?search=staff&exact=true')
  const membership = `/users/${(await realm.user('bob')).id}/groups/${group.id}`
  await realm.admin('DELETE', membership)
  t.teardown(() => realm.admin('PUT', membership))
  t.strictSame(await opened(introspecting, token), [])
  t.strictSame(await opened(trusting, token), ['/staff', '/staff/**', 'staff/**'], 'without introspection as long as the token lives')
})
