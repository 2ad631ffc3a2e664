import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createTestRealm, type TestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp, type Path } from './app.js'
import { tokenFor, type Access } from './tokens.js'

/** Processes of one realm and its partners' one: each list of paths is one. */
async function start (t: TestContext, ...processes: Path[][]) {
  const shop = await createTestRealm({ name: 'shop' })
  const partners = await createTestRealm({ name: 'partners' })
  const issuers = { shop: shop.issuer, partners: partners.issuer }
  const apps = await Promise.all(processes.map((paths) => buildApp(issuers, paths)))
  t.after(async () => {
    for (const app of apps) await app.close()
    await shop.close()
    await partners.close()
  })
  const ask = async (method: 'GET' | 'POST', path: Path, token: string) => {
    const app = apps[processes.findIndex((paths) => paths.includes(path))]
    const { statusCode, body } = await app.inject({ method, url: path, headers: { authorization: `Bearer ${token}` } })
    return statusCode < 400 ? statusCode : `${statusCode} ${JSON.parse(body).code}`
  }
  return {
    shop,
    partners,
    apps,
    ask,
    /** What a token of the realm gets: reading and writing orders, reading and writing bills. */
    gets: async (access: Access, realm: TestRealm = shop) => {
      const token = tokenFor(realm, access)
      return {
        orders: [await ask('GET', '/orders', token), await ask('POST', '/orders', token)],
        billing: [await ask('GET', '/billing', token), await ask('POST', '/billing', token)]
      }
    }
  }
}

const NOT_FOR_US = ['401 token_not_valid', '401 token_not_valid']
const READS = [200, '403 permission_denied']
const WRITES = [200, 201]

for (const [where, processes] of Object.entries({ 'in one process': [['/orders', '/billing']], 'in two': [['/orders'], ['/billing']] } satisfies Record<string, Path[][]>)) {
  test(`a token for one API is refused by the other, ${where}`, async (t) => {
    const { gets } = await start(t, ...processes)
    assert.deepEqual(await gets({ orders: ['write'] }), { orders: WRITES, billing: NOT_FOR_US })
    assert.deepEqual(await gets({ billing: ['write'] }), { orders: NOT_FOR_US, billing: WRITES })
    assert.deepEqual(await gets({}), { orders: NOT_FOR_US, billing: NOT_FOR_US })
  })

  test(`a token for both gives in each just the roles of that API, ${where}`, async (t) => {
    const { gets } = await start(t, ...processes)
    assert.deepEqual(await gets({ orders: ['write'], billing: [] }), { orders: WRITES, billing: READS })
    assert.deepEqual(await gets({ orders: [], billing: ['write'] }), { orders: READS, billing: WRITES })
    assert.deepEqual(await gets({ orders: ['write'], billing: ['write'] }), { orders: WRITES, billing: WRITES })
  })
}

test('roles of an API do not open it to a token that is not for it, and roles of the realm open nothing', async (t) => {
  const { shop, ask } = await start(t, ['/orders', '/billing'])
  const resourceAccess = { orders: { roles: ['write'] }, billing: { roles: ['write'] } }
  const token = shop.token({ claims: { aud: 'orders', resource_access: resourceAccess } })
  assert.equal(await ask('POST', '/billing', token), '401 token_not_valid')
  const realmRoles = shop.token({ realmRoles: ['write'], claims: { aud: ['orders', 'billing'], resource_access: undefined } })
  assert.equal(await ask('POST', '/orders', realmRoles), '403 permission_denied')
})

test('a second realm in a sibling scope: its tokens are good there alone, and nobody else\'s are', async (t) => {
  const { shop, partners, ask, gets } = await start(t, ['/orders', '/billing', '/partners/orders'])
  const [own, partner] = [tokenFor(shop, { orders: ['write'] }), tokenFor(partners, { orders: ['write'] })]
  assert.equal(await ask('POST', '/partners/orders', partner), 201)
  assert.equal(await ask('POST', '/partners/orders', own), '401 token_not_valid')
  assert.deepEqual(await gets({ orders: ['write'], billing: ['write'] }, partners), { orders: NOT_FOR_US, billing: NOT_FOR_US })
})

test('a realm that is away takes nobody along', async (t) => {
  const { shop, partners, apps, ask } = await start(t, ['/orders', '/billing', '/partners/orders'])
  const [own, partner] = [tokenFor(shop, { orders: ['write'] }), tokenFor(partners, { orders: ['write'] })]
  await partners.down()
  assert.equal(await ask('GET', '/partners/orders', partner), '503 keycloak_unavailable')
  assert.equal(await ask('GET', '/orders', own), 200)
  assert.equal((await apps[0].inject('/health')).statusCode, 200)
})
