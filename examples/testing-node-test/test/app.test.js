import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createTestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from '../app.js'

const realm = await createTestRealm()
after(() => realm.close())

/** A fresh API for a test; what it is given goes over the realm's own options. */
async function start (t, options) {
  const app = await buildApp({ ...realm.options, ...options })
  t.after(() => app.close())
  return app
}

test('who may read the orders', async (t) => {
  const app = await start(t)
  const cases = [
    ['a reader', { roles: ['order:read'] }, 200],
    ['somebody with another role', { roles: ['order:cancel'] }, 403],
    ['somebody without roles', {}, 403],
    ['nobody', null, 401],
    ['somebody whose token has expired', { roles: ['order:read'], expired: true }, 401],
    ['a forger', { roles: ['order:read'], forged: true }, 401]
  ]
  for (const [who, as, status] of cases) {
    await t.test(`${who}: ${status}`, async () => {
      assert.equal((await realm.inject(app, { as, url: '/orders' })).statusCode, status)
    })
  }
})

test('an order is cancelled by its owner, or by who may cancel anything', async (t) => {
  const app = await start(t)
  const cancel = (as, id) => realm.inject(app, { as, method: 'DELETE', url: `/orders/${id}` })
  assert.equal((await cancel({ username: 'carol' }, 1)).statusCode, 403)
  assert.equal((await cancel({ username: 'bob' }, 1)).statusCode, 204)
  assert.equal((await cancel({ username: 'dora', roles: ['order:cancel'] }, 2)).statusCode, 204)
})

test('a token expires while it is used', async (t) => {
  const app = await start(t)
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const token = realm.token({ roles: ['order:read'] }) // lives for 300 seconds
  assert.equal((await realm.inject(app, { as: token, url: '/orders' })).statusCode, 200)
  t.mock.timers.tick(301_000)
  assert.equal((await realm.inject(app, { as: token, url: '/orders' })).json().code, 'token_expired')
})

test('without Keycloak a cold API answers 503, and recovers', async (t) => {
  const app = await start(t)
  const read = () => realm.inject(app, { as: { roles: ['order:read'] }, url: '/orders' })
  await realm.down()
  assert.equal((await read()).statusCode, 503)
  assert.equal((await realm.inject(app, '/health')).statusCode, 200)
  await realm.up()
  // Keycloak is asked again within a second of a failure.
  while ((await read()).statusCode === 503) await new Promise((resolve) => { setTimeout(resolve, 100) })
  assert.equal((await read()).statusCode, 200)
})

test('a role that was withdrawn counts at once, with introspection', async (t) => {
  const app = await start(t, { verifyTokensWithKeycloak: true })
  const token = realm.token({ roles: ['order:read'] })
  assert.equal((await realm.inject(app, { as: token, url: '/orders' })).statusCode, 200)
  realm.update(token, { resource_access: undefined })
  assert.equal((await realm.inject(app, { as: token, url: '/orders' })).statusCode, 403)
  realm.revoke(token)
  assert.equal((await realm.inject(app, { as: token, url: '/orders' })).statusCode, 401)
})

test('who may call what is as it was reviewed', async (t) => {
  const app = await start(t)
  assert.deepEqual(app.keycloak.routes().filter(({ method }) => method !== 'HEAD'), [
    { method: 'GET', url: '/health', access: 'optional' },
    { method: 'GET', url: '/orders', access: 'restricted', rule: 'permission order:read' },
    { method: 'DELETE', url: '/orders/:id', access: 'authenticated' }
  ])
})
