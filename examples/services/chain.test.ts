import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { TestRealm } from 'fastify-keycloak-bearer/testing'
import { createRealm } from './realm.js'
import { buildShop } from './shop.js'
import { buildWarehouse } from './warehouse.js'

let realm: TestRealm
let warehouse: FastifyInstance
let shop: FastifyInstance
let url: string

before(async () => {
  realm = await createRealm()
  warehouse = await buildWarehouse({ issuer: realm.issuer })
  url = await warehouse.listen({ port: 0, host: '127.0.0.1' })
  shop = await buildShop({ issuer: realm.issuer, clientSecret: realm.options.clientSecret, warehouse: url })
})

after(async () => {
  await shop.close()
  await warehouse.close()
  await realm.close()
})

test('the shop asks for stock with a token of its own, and for each item with the same', async () => {
  const services = await realm.services({ scopes: { 'stock:read': { audience: 'warehouse' } } })
  for (const [item, left] of [['lamp', 3], ['chair', 0]] as const) {
    const answer = await shop.inject(`/items/${item}`)
    assert.deepEqual(answer.json(), { item, left, askedBy: 'shop' })
  }
  assert.deepEqual(services.calls.map(({ grant }) => grant), ['client_credentials'])
})

test('the warehouse sees the user, the shop as who asks, and itself as the only audience', async () => {
  const services = await realm.services({ scopes: { 'parcels:read': { audience: 'warehouse' } } })
  const as = { username: 'alice', roles: ['view-parcels'] }
  const headers = { authorization: `Bearer ${realm.token(as)}` }
  for (let i = 0; i < 3; i++) {
    const answer = await shop.inject({ url: '/parcels', headers })
    assert.deepEqual(answer.json(), { parcelsOf: 'alice', askedBy: 'shop', tokenFor: 'warehouse' })
  }
  assert.deepEqual(services.calls.map(({ grant, audience, scope }) => [grant, audience, scope]), [['token-exchange', ['warehouse'], 'parcels:read']])

  const bob = await realm.inject(shop, { url: '/parcels', as: { ...as, username: 'bob' } })
  assert.equal(bob.json().parcelsOf, 'bob', 'a kept token is its own caller\'s')
})

test('neither the token of the user nor that of the shop opens the other door', async () => {
  const forShop = await realm.inject(warehouse, { url: '/parcels', as: { username: 'alice', claims: { aud: 'shop' } } })
  assert.equal(forShop.statusCode, 401)
  const service = await shop.keycloak.serviceToken({ scope: 'stock:read' })
  const headers = { authorization: `Bearer ${service}` }
  assert.equal((await warehouse.inject({ url: '/parcels', headers })).statusCode, 403)
  assert.equal((await shop.inject({ url: '/parcels', headers })).statusCode, 401)
})

test('a user without the role is refused before anybody is asked', async () => {
  const services = await realm.services()
  const answer = await realm.inject(shop, { url: '/parcels', as: { username: 'alice' } })
  assert.equal(answer.statusCode, 403)
  assert.deepEqual(services.calls, [])
})

test('a warehouse that refuses or fails is 502, without a word of its answer', async () => {
  const strict = await buildShop({ issuer: realm.issuer, clientSecret: realm.options.clientSecret, warehouse: url })
  // A token without the audience, as Keycloak gives it while the mapper of the scope is missing.
  await realm.services({ scopes: { 'stock:read': {} } })
  const answer = await strict.inject('/items/lamp')
  await strict.close()
  assert.equal(answer.statusCode, 502)
  assert.equal(answer.json().code, 'WAREHOUSE_FAILED')
})

test('while Keycloak is away, calls with kept tokens go on, and others are 503', async () => {
  await realm.services({ scopes: { 'stock:read': { audience: 'warehouse' }, 'parcels:read': { audience: 'warehouse' } } })
  assert.equal((await shop.inject('/items/lamp')).statusCode, 200)
  realm.error(500, 'token')
  assert.equal((await shop.inject('/items/lamp')).statusCode, 200)
  const answer = await realm.inject(shop, { url: '/parcels', as: { username: 'carol', roles: ['view-parcels'] } })
  assert.equal(answer.statusCode, 503)
  assert.equal(answer.json().code, 'keycloak_unavailable')
  realm.up()
})
