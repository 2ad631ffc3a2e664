/* global afterEach, beforeEach, expect, jest, test */
const { createTestRealm } = require('fastify-keycloak-bearer/testing')
const { buildApp } = require('../app.js')
const { fakeDate } = require('./fake-date.js')

let realm
let app

beforeEach(async () => {
  realm = await createTestRealm()
  app = await buildApp(realm.options)
})

afterEach(async () => {
  jest.useRealTimers()
  await app.close()
  await realm.close()
})

test.each([
  ['a reader', { roles: ['invoice:read'] }, 200],
  ['somebody without roles', {}, 403],
  ['nobody', null, 401]
])('%s reads the invoices: %j gets %i', async (_, as, status) => {
  expect((await realm.inject(app, { as, url: '/invoices' })).statusCode).toBe(status)
})

test('the user is what the application made of the token', async () => {
  const response = await realm.inject(app, { as: { username: 'bob' }, url: '/me' })
  expect(response.json()).toEqual({ name: 'bob', email: 'bob@example.com', isActive: true })
})

test('who was deactivated is refused', async () => {
  const response = await realm.inject(app, { as: { username: 'mallory' }, url: '/me' })
  expect(response.json()).toMatchObject({ statusCode: 401, code: 'user_inactive' })
})

test('a token expires while it is used', async () => {
  fakeDate(jest)
  const token = realm.token() // lives for 300 seconds
  expect((await realm.inject(app, { as: token, url: '/me' })).statusCode).toBe(200)
  jest.advanceTimersByTime(301_000)
  expect((await realm.inject(app, { as: token, url: '/me' })).json()).toMatchObject({ statusCode: 401, code: 'token_expired' })
})

test('without Keycloak a cold API answers 503', async () => {
  await realm.down()
  expect((await realm.inject(app, { as: {}, url: '/me' })).statusCode).toBe(503)
  expect((await realm.inject(app, '/health')).statusCode).toBe(200)
})

test('who may call what is as it was reviewed', () => {
  const access = app.keycloak.routes().map(({ method, url, access, rule }) => `${method} ${url}: ${rule ?? access}`)
  expect(access).toMatchInlineSnapshot(`
    [
      "GET /health: optional",
      "HEAD /health: optional",
      "GET /me: authenticated",
      "HEAD /me: authenticated",
      "GET /invoices: permission invoice:read",
      "HEAD /invoices: permission invoice:read",
    ]
  `)
})
