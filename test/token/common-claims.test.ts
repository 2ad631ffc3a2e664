import t, { type Test } from 'tap'
import type { Claims } from '../../index.js'
import { CommonClaims } from '../../lib/token/common-claims.js'
import { apiFor, ask, realmFor } from '../support/app.js'

/** An API that shows the claims of its requests, with a function that gives those of a token with these claims. */
async function reading (t: Test) {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { limits: { jsonDepth: 6 } })
  const seen: Array<Record<string, unknown>> = []
  app.get('/seen', async ({ auth }) => { seen.push(auth as Claims) })
  const claimsOf = async (claims: Record<string, unknown>) => {
    t.equal(await ask(app, '/seen', realm.token({ claims })), '200')
    return seen.at(-1)!
  }
  return { app, realm, claimsOf }
}

t.test('users with the same roles share the memory for them', async (t) => {
  const { claimsOf } = await reading(t)
  const values = { groups: ['/staff', '/staff/it'], organization: { acme: { id: '42', roles: ['admin'] } }, scope: 'openid profile of some length' }
  const [one, other] = [await claimsOf(values), await claimsOf(values)]
  for (const name of ['groups', 'organization', 'realm_access', 'resource_access', 'aud']) t.equal(one[name], other[name], name)
  t.ok(Object.isFrozen((other.organization as typeof values.organization).acme.roles))
  t.match(other, values)
})

t.test('a token has its own values if they differ in anything', async (t) => {
  const { claimsOf } = await reading(t)
  for (const groups of [['a', 'b'], ['b', 'a'], ['a'], ['a', 'b', 'c'], ['a', ['b']], 'a', null, 5, {}, [{}], [[]], [{ a: 1 }], [{ b: 1 }], [{ a: 1, b: 1 }], [{ b: 1, a: 1 }]]) {
    t.equal(JSON.stringify((await claimsOf({ groups })).groups), JSON.stringify(groups))
  }
})

t.test('a value is forgotten after others, and nothing else changes for its tokens', async (t) => {
  const { claimsOf } = await reading(t)
  const first = await claimsOf({ groups: ['first'] })
  for (let at = 0; at < 20; at++) t.match(await claimsOf({ groups: [`group-${at}`] }), { groups: [`group-${at}`] })
  const again = await claimsOf({ groups: ['first'] })
  t.same(again.groups, first.groups)
  t.not(again.groups, first.groups)
})

t.test('a value that nests too deep is refused, the second time too', async (t) => {
  const { app, realm, claimsOf } = await reading(t)
  const [deep, deeper] = [[[[[[]]]]], [[[[[[]]]]]]]
  for (let times = 0; times < 2; times++) {
    t.match(await claimsOf({ groups: deep }), { groups: deep })
    t.equal(await ask(app, '/seen', realm.token({ claims: { groups: deeper } })), '401 token_not_valid')
  }
})

t.test('a member that is named twice is refused though the value that is read is known', async (t) => {
  const { app, realm, claimsOf } = await reading(t)
  const value = { acme: { id: '1' } }
  await claimsOf({ organization: value })
  const text = Buffer.from(realm.token({ claims: { organization: value } }).split('.')[1]!, 'base64url').toString()
  const sign = (payload: string) => realm.sign(Buffer.from(payload))
  t.equal(await ask(app, '/seen', sign(text)), '200')
  t.equal(await ask(app, '/seen', sign(text.replace('{"id":"1"}', '{"id":"0","id":"1"}'))), '401 token_not_valid')
})

t.test('values of refused tokens, and long ones, are not remembered', async (t) => {
  const { app, realm, claimsOf } = await reading(t)
  const groups = ['/refused']
  t.equal(await ask(app, '/seen', realm.token({ expiresIn: -10, claims: { groups } })), '401 token_expired')
  const common = new CommonClaims()
  const frozen = (claims: Record<string, unknown>) => {
    t.type(common.freeze(10, claims), 'number')
    return claims
  }
  const first = frozen({ groups: [...groups] })
  t.not(frozen({ groups: [...groups] }).groups, first.groups, 'it was not kept')
  common.remember(first)
  common.remember(first)
  t.equal(frozen({ groups: [...groups] }).groups, first.groups)
  const long = frozen({ groups: Array.from({ length: 129 }, String) })
  common.remember(long)
  t.not(frozen({ groups: Array.from({ length: 129 }, String) }).groups, long.groups)
  t.equal((await claimsOf({ groups })).groups, (await claimsOf({ groups })).groups)
})

t.test('each kept token counts its roles and memberships, though it has them in common with others', async (t) => {
  const { app, realm } = await reading(t)
  const counted = async (claims: Record<string, unknown>, username: string) => {
    const { bytes } = app.keycloak.health().cache!
    t.equal(await ask(app, '/seen', realm.token({ username, claims })), '200')
    return app.keycloak.health().cache!.bytes - bytes
  }
  const plain = await counted({}, 'a')
  const roles = { realm_access: { roles: Array.from({ length: 100 }, (_, at) => `role-${at}`) } }
  const organization = { organization: Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`organization-${at}`, {}])) }
  for (const [claims, least] of [[roles, 5000], [organization, 45_000]] as const) {
    const costs = [await counted(claims, 'b'), await counted(claims, 'c')]
    for (const cost of costs) t.ok(cost - plain > least, `${cost - plain} bytes`)
    t.equal(costs[0], costs[1])
  }
})

t.test('a token that comes several times at once counts once, with all it takes', async (t) => {
  const { app, realm } = await reading(t)
  const token = realm.token({ claims: { groups: Array.from({ length: 100 }, (_, at) => `/group-${at}`) } })
  t.same(await Promise.all([ask(app, '/seen', token), ask(app, '/seen', token)]), ['200', '200'])
  const { bytes, tokens } = app.keycloak.health().cache!
  t.equal(tokens, 1)
  t.ok(bytes > 5000, `${bytes} bytes`)
})
