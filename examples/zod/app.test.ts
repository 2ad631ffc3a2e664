import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createTestRealm, type TokenSpec } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'

const TEA = { item: 'tea', quantity: 2 }
const ALICE: TokenSpec = { username: 'alice', roles: ['place-orders'] }
const BOB: TokenSpec = { username: 'bob' }

/** The API on a realm of its own, and the header of a token of that realm. */
async function start (t: TestContext) {
  const realm = await createTestRealm()
  const app = await buildApp(realm.options)
  t.after(async () => {
    await app.close()
    await realm.close()
  })
  return { app, as: (who: TokenSpec) => ({ authorization: `Bearer ${realm.token(who)}` }) }
}

test('an order is placed with the permission, and seen by its customer', async (t) => {
  const { app, as } = await start(t)
  const placed = await app.inject({ method: 'POST', url: '/orders', headers: as(ALICE), payload: TEA })
  const { id: alice } = (await app.inject({ url: '/me', headers: as(ALICE) })).json()
  assert.equal(placed.statusCode, 201)
  assert.deepEqual(placed.json(), { id: 1, customer: alice, ...TEA })

  const seen = async (who: TokenSpec) => (await app.inject({ url: '/orders/1', headers: as(who) })).statusCode
  assert.equal(await seen(ALICE), 200)
  assert.equal(await seen(BOB), 404, 'of somebody else\'s order it is not even said that there is one')
  assert.equal(await seen({ ...BOB, roles: ['see-all-orders'] }), 200)
})

test('what zod refuses is 400 and says where', async (t) => {
  const { app, as } = await start(t)
  const wrong = { 'body/quantity': { item: 'tea', quantity: 0 }, 'body/item': { quantity: 1 }, color: { ...TEA, color: 'red' } }
  for (const [where, payload] of Object.entries(wrong)) {
    const { statusCode, body } = await app.inject({ method: 'POST', url: '/orders', headers: as(ALICE), payload })
    assert.equal(statusCode, 400)
    assert.ok(body.includes(where), body)
  }
  assert.equal((await app.inject({ url: '/orders/tea', headers: as(ALICE) })).statusCode, 400, 'params are checked as well')
})

test('who may not call learns nothing of the schema: 401 and 403 come before 400', async (t) => {
  const { app, as } = await start(t)
  const order = (headers: Record<string, string>) => app.inject({ method: 'POST', url: '/orders', headers, payload: { nonsense: true } })
  const codeOf = async (headers: Record<string, string>) => {
    const reply = await order(headers)
    return [reply.statusCode, reply.json().code]
  }
  assert.deepEqual(await codeOf({}), [401, 'not_authenticated'])
  assert.deepEqual(await codeOf(as({ ...ALICE, expired: true })), [401, 'token_expired'])
  assert.deepEqual(await codeOf(as({ ...ALICE, forged: true })), [401, 'token_not_valid'])
  assert.deepEqual(await codeOf(as(BOB)), [403, 'permission_denied'])
})

test('a token whose claims do not make a caller is 401', async (t) => {
  const { app, as } = await start(t)
  const { statusCode, body } = await app.inject({ url: '/me', headers: as({ ...BOB, claims: { email: ['bob@example.com'] } }) })
  assert.equal(statusCode, 401)
  assert.equal(JSON.parse(body).code, 'user_inactive')
  assert.equal((await app.inject({ url: '/me', headers: as({ ...BOB, claims: { email: undefined } }) })).statusCode, 200)
})

test('the document has the schemas of zod, and who may call', async (t) => {
  const { app } = await start(t)
  await app.ready()
  const { paths, components } = app.swagger() as any
  const { requestBody, responses, security } = paths['/orders'].post

  assert.deepEqual(requestBody.content['application/json'].schema.properties.quantity, { type: 'integer', minimum: 1, maximum: 99 })
  assert.deepEqual(responses['201'].content['application/json'].schema, { $ref: '#/components/schemas/Order' })
  assert.ok(components.schemas.Order.properties.customer)

  assert.deepEqual(security, [{ KeycloakAuth: [] }])
  assert.deepEqual(Object.keys(responses), ['201', '401', '403', '503'])
  assert.ok(components.schemas.KeycloakError)
  assert.equal(components.securitySchemes.KeycloakAuth.scheme, 'bearer')
})

test('the documentation itself is open', async (t) => {
  const { app } = await start(t)
  assert.equal((await app.inject('/docs/')).statusCode, 200)
})
