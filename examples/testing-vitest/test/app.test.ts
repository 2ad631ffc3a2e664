import type { FastifyInstance } from 'fastify'
import { createTestRealm, type TestRealm } from 'fastify-keycloak-bearer/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { buildApp } from '../app.js'

let realm: TestRealm
let app: FastifyInstance

beforeEach(async () => {
  realm = await createTestRealm()
  app = await buildApp(realm.options)
})

afterEach(async () => {
  vi.useRealTimers()
  await app.close()
  await realm.close()
})

test('the user is what the token says', async () => {
  const response = await realm.inject(app, { as: { username: 'bob', sub: 'b-1' }, url: '/me' })
  expect(response.json()).toEqual({ user: { id: 'b-1', email: 'bob@example.com' } })
})

test('everything but /health is closed to strangers', async () => {
  expect((await realm.inject(app, '/health')).statusCode).toBe(200)
  expect((await realm.inject(app, '/me')).json()).toMatchObject({ statusCode: 401, code: 'not_authenticated' })
  expect((await realm.inject(app, 'PUT /settings')).statusCode).toBe(401)
})

describe('who may change the settings', () => {
  test.each([
    [['admin'], 200],
    [['settings:read', 'settings:write'], 200],
    [['settings:write'], 403],
    [[], 403]
  ])('%j: %i', async (roles, status) => {
    expect((await realm.inject(app, { as: { roles }, method: 'PUT', url: '/settings' })).statusCode).toBe(status)
  })
})

test('a report is for the tenant alone', async () => {
  expect((await realm.inject(app, { as: { claims: { tenant: 'acme' } }, url: '/report' })).json()).toEqual({ report: 'acme' })
  expect((await realm.inject(app, { as: { claims: { tenant: 'other' } }, url: '/report' })).statusCode).toBe(403)
})

test('a token expires while it is used', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const token = realm.token() // lives for 300 seconds
  expect((await realm.inject(app, { as: token, url: '/me' })).statusCode).toBe(200)
  vi.advanceTimersByTime(301_000)
  expect((await realm.inject(app, { as: token, url: '/me' })).json()).toMatchObject({ statusCode: 401, code: 'token_expired' })
})

test('keys outlive an outage of an hour, no longer', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] }) // keys age by the monotonic clock
  const read = async () => (await realm.inject(app, { as: {}, url: '/me' })).statusCode
  expect(await read()).toBe(200)
  await realm.down()
  vi.advanceTimersByTime(59 * 60_000)
  expect(await read()).toBe(200)
  vi.advanceTimersByTime(60_000)
  expect(await read()).toBe(503)
  await realm.up()
  vi.advanceTimersByTime(1000) // Keycloak is asked again within a second
  expect(await read()).toBe(200)
})

test('who may call what is as it was reviewed', () => {
  const access = app.keycloak.routes().map(({ method, url, access, rule }) => `${method} ${url}: ${rule ?? access}`)
  expect(access).toMatchInlineSnapshot(`
    [
      "GET /health: optional",
      "HEAD /health: optional",
      "GET /me: authenticated",
      "HEAD /me: authenticated",
      "GET /report: permission isAcme()",
      "HEAD /report: permission isAcme()",
      "PUT /settings: permission any of (admin, all of (settings:read, settings:write))",
    ]
  `)
})

test('the OpenAPI document says so too', async () => {
  await app.ready()
  const { paths } = app.swagger() as { paths: Record<string, Record<string, { security?: object[] }>> }
  expect(paths['/health'].get.security).toBeUndefined()
  expect(paths['/settings'].put.security).toEqual([{ KeycloakAuth: [] }])
})
