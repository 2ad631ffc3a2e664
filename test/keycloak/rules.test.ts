// The rules of a route on a real token: roles of the realm and of two clients, the client that asked, scopes, and these together.
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import keycloak from '../../index.js'
import type { PermissionRule } from '../../types/rules.js'
import { accessRealm, API } from './access-realm.js'
import { decode, get, refused } from './helpers.js'

const realm = await accessRealm(t)

/** Rules, and the users of the client `cli` whom they admit. */
const RULES: Array<[rule: PermissionRule, admitted: string[]]> = [
  ['view-profile', ['alice']],
  ['read', []],
  ['admin', []],
  [{ realmRole: 'admin' }, ['alice']],
  [{ realmRole: 'view-profile' }, []],
  [{ clientRole: 'view-profile', client: 'api' }, ['alice']],
  [{ clientRole: 'read', client: 'orders' }, ['alice']],
  [{ clientRole: 'view-profile', client: 'orders' }, []],
  [{ clientRole: 'view-profile', client: 'account' }, ['bob']],
  [{ authorizedParty: 'cli' }, ['alice', 'bob', 'carol']],
  [{ authorizedParty: 'short' }, []],
  [{ scope: 'email' }, ['alice', 'bob', 'carol']],
  [{ scope: 'offline_access' }, []],
  [{ any: [{ realmRole: 'admin' }, { group: '/staff' }] }, ['alice', 'bob']],
  [{ all: [{ realmRole: 'admin' }, { group: '/staff' }] }, []],
  [{ all: [{ authorizedParty: 'cli' }, { any: [{ group: '/staff-guests' }, 'view-profile'] }] }, ['alice', 'carol']],
  [[{ realmRole: 'admin' }, { group: '/staff/**' }], ['alice']]
]

for (const [name, settings] of Object.entries({ 'without introspection': {}, 'with introspection': { verifyTokensWithKeycloak: true } })) {
  t.test(name, async (t) => {
    const app: FastifyInstance = Fastify()
    t.teardown(() => app.close())
    await app.register(keycloak, { issuer: realm.issuer, ...API, ...settings })
    RULES.forEach(([permission], at) => app.get(`/${at}`, { config: { permission } }, async (request) => ({ again: await request.isAllowed(permission) })))
    const users = ['alice', 'bob', 'carol']
    const tokens = await Promise.all(users.map((user) => realm.token(user)))
    for (const [at, [rule, admitted]] of RULES.entries()) {
      t.test(JSON.stringify(rule), async (t) => {
        for (const [index, user] of users.entries()) {
          const response = await get(app, `/${at}`, tokens[index])
          if (admitted.includes(user)) t.strictSame([response.statusCode, response.json()], [200, { again: true }], `${user} is admitted`)
          else refused(t, response, 'permission_denied')
        }
      })
    }
  })
}

t.test('a token of another client is refused by the rule that names one', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { issuer: realm.issuer, ...API })
  app.get('/', { config: { permission: { authorizedParty: 'cli' } } }, async () => 'welcome')
  const token = await realm.token('alice', 'short')
  t.equal(decode(token).claims.azp, 'short')
  refused(t, await get(app, '/', token), 'permission_denied')
})

t.test('a scope stands for another one', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { issuer: realm.issuer, ...API, scopeImplies: { profile: ['profile:read'] } })
  app.get('/', { config: { scope: 'profile:read' } }, async () => 'welcome')
  t.equal((await get(app, '/', await realm.token('bob'))).statusCode, 200)
})
