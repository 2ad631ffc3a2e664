import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createTestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'

async function start (t: TestContext) {
  const realm = await createTestRealm()
  const lines: string[] = []
  const app = await buildApp(realm.options, (line) => lines.push(line))
  t.after(async () => {
    await app.close()
    await realm.close()
  })
  return { realm, app, lines, audited: () => lines.splice(0).map((line) => JSON.parse(line)) }
}

const ROUTE = { method: 'GET', url: '/invoices/:id' }

test('a request that is allowed has a line for its token, its rule and each question of the handler', async (t) => {
  const { realm, app, audited } = await start(t)
  const act = { sub: 'agent' }
  const response = await realm.inject(app, { url: '/invoices/17?key=secret', as: { sub: 'alice-id', roles: ['read-invoices'], claims: { act } } })
  assert.equal(response.statusCode, 200)
  const lines = audited()
  assert.deepEqual(lines.map(({ decision, source, outcome }) => [decision, source, outcome]), [
    ['authentication', 'request', 'accepted'], ['authorization', 'route', 'allowed'], ['authorization', 'hasPermission', 'denied']
  ])
  for (const { time, sub, azp, route, path, ip, request, code } of lines) {
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000)
    assert.deepEqual({ sub, azp, route, path, ip, request, code }, { sub: 'alice-id', azp: 'web', route: ROUTE, path: '/invoices/17', ip: '127.0.0.1', request: 'req-1', code: null })
  }
  assert.deepEqual([lines[1].rule, lines[1].act], ['permission read-invoices', act])
})

test('a denial names the user and the reason, a refused token names nobody', async (t) => {
  const { realm, app, audited } = await start(t)
  await realm.inject(app, { url: '/invoices/17', as: { sub: 'bob-id', roles: ['other'] } })
  const [, denial] = audited()
  assert.deepEqual([denial.outcome, denial.code, denial.reason, denial.sub], ['denied', 'permission_denied', 'role_missing', 'bob-id'])
  await realm.inject(app, { url: '/invoices/17', as: { sub: 'mallory-id', forged: true } })
  const lines = audited()
  assert.deepEqual(lines.map(({ decision, outcome, code, sub }) => [decision, outcome, code, sub]), [['authentication', 'refused', 'token_not_valid', null]])
  assert.doesNotMatch(JSON.stringify(lines), /mallory/)
})

test('requests at the same time have their own lines, and anonymous ones to open routes none', async (t) => {
  const { realm, app, audited } = await start(t)
  await Promise.all(['alice', 'bob', 'carol'].map((sub) => realm.inject(app, { url: `/invoices/${sub}`, as: { sub, roles: ['read-invoices'] } })))
  const lines = audited()
  assert.equal(lines.length, 9)
  for (const { path, sub } of lines) assert.equal(path, `/invoices/${sub}`)
  await app.inject('/status')
  assert.deepEqual(audited(), [])
})

test('a line is one line, however long and odd the path is, and has no token', async (t) => {
  const { realm, app, lines } = await start(t)
  const token = realm.token()
  await app.inject({ url: `/invoices/%0A${'x'.repeat(90)}?token=${token}`, headers: realm.headers(token) })
  await app.inject({ url: '/invoices/1', headers: { authorization: `Bearer ${token} ${token}` } })
  assert.equal(lines.length, 3)
  for (const line of lines) {
    assert.equal(line.indexOf('\n'), line.length - 1)
    assert.ok(!line.includes(token))
  }
})
