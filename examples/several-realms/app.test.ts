import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createTestRealm, type TestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'
import { buildShop } from './list.js'
import { TenantTable } from './tenants.js'

/** Test realms, each with the id of the API's client; they are closed after the test. */
async function realms<Name extends string> (t: TestContext, clients: Record<Name, string>): Promise<Record<Name, TestRealm>> {
  const entries = await Promise.all(Object.entries<string>(clients).map(async ([name, clientId]) => [name, await createTestRealm({ name, clientId })] as const))
  t.after(async () => { for (const [, realm] of entries) await realm.close() })
  return Object.fromEntries(entries) as Record<Name, TestRealm>
}

interface Injectable { inject (options: object): Promise<{ statusCode: number, body: string }> }

/** The body of an answer, or status and code of a refusal. */
async function ask (app: Injectable, request: object, token?: string) {
  const { statusCode, body } = await app.inject({ ...request, headers: { ...(request as { headers?: object }).headers, ...(token && { authorization: `Bearer ${token}` }) } })
  if (statusCode >= 400) return `${statusCode} ${JSON.parse(body).code ?? ''}`.trim()
  return body === '' ? statusCode : JSON.parse(body)
}

test('a list: each realm has its users, its client and its host', async (t) => {
  const { staff, customers } = await realms(t, { staff: 'api', customers: 'shop' })
  const app = await buildShop({ staff: staff.issuer, customers: customers.issuer })
  t.after(() => app.close())
  const [olga, alice] = [staff.token({ username: 'olga', roles: ['stock'] }), customers.token({ username: 'alice', roles: ['stock'] })]

  assert.deepEqual(await ask(app, { url: '/me' }, olga), { issuer: 'staff', username: 'olga' })
  assert.deepEqual(await ask(app, { url: '/me' }, alice), { issuer: 'customers', username: 'alice' })
  assert.deepEqual(await ask(app, { url: '/stock' }, olga), { shirts: 12 })
  assert.equal(await ask(app, { url: '/stock' }, alice), '403 permission_denied')
  assert.equal(await ask(app, { url: '/orders' }, olga), '403 permission_denied')
  assert.equal(await ask(app, { url: '/me', headers: { host: 'shop.example.com' } }, olga), '401 token_not_valid')
  assert.deepEqual(await ask(app, { url: '/me', headers: { host: 'staff.example.com' } }, olga), { issuer: 'staff', username: 'olga' })
})

test('a list: a realm that is away takes nobody along', async (t) => {
  const { staff, customers } = await realms(t, { staff: 'api', customers: 'shop' })
  const app = await buildShop({ staff: staff.issuer, customers: customers.issuer })
  t.after(() => app.close())
  await staff.down()
  assert.equal(await ask(app, { url: '/me' }, staff.token()), '503 keycloak_unavailable')
  assert.deepEqual(await ask(app, { url: '/orders' }, customers.token()), { ordersOf: 'alice' })
})

/** The API of tenants: acme is in the table, globex is not. */
async function start (t: TestContext) {
  const { staff, acme, globex } = await realms(t, { staff: 'api', acme: 'api', globex: 'api' })
  const tenants = new TenantTable()
  await tenants.insert({ name: 'acme', issuer: acme.issuer, clientId: 'api' })
  const app = await buildApp(tenants, { issuer: staff.issuer, clientId: 'api', audience: 'api' })
  t.after(() => app.close())
  const operator = staff.token({ username: 'olga', roles: ['operator'] })
  return {
    app,
    tenants,
    acme,
    globex,
    add: (token = operator) => ask(app, { method: 'POST', url: '/table', body: { name: 'globex', issuer: globex.issuer, clientId: 'api' } }, token),
    end: (name: string, token = operator) => ask(app, { method: 'DELETE', url: `/table/${name}` }, token)
  }
}

test('a tenant is added and ended while the API runs', async (t) => {
  const { app, acme, globex, add, end } = await start(t)
  const [ofAcme, ofGlobex] = [acme.token(), globex.token()]
  assert.equal(await ask(app, { url: '/me' }, ofGlobex), '401 token_not_valid')
  assert.equal(await add(), 201)
  assert.deepEqual(await ask(app, { url: '/me' }, ofGlobex), { issuer: 'globex', username: 'alice' })
  assert.equal(await end('globex'), 204)
  assert.equal(await ask(app, { url: '/me' }, ofGlobex), '401 token_not_valid')
  assert.deepEqual(await ask(app, { url: '/me' }, ofAcme), { issuer: 'acme', username: 'alice' })
})

test('a realm that is not in the table is refused, and the table is asked once', async (t) => {
  const { app, tenants, globex } = await start(t)
  for (let times = 0; times < 5; times++) assert.equal(await ask(app, { url: '/me' }, globex.token()), '401 token_not_valid')
  assert.equal(tenants.queries, 1)
})

test('the tenant of a path takes its own tokens alone', async (t) => {
  const { app, acme, globex, add } = await start(t)
  await add()
  assert.deepEqual(await ask(app, { url: '/tenants/acme/notes' }, acme.token()), [])
  assert.equal(await ask(app, { url: '/tenants/acme/notes' }, globex.token()), '401 token_not_valid')
  assert.equal(await ask(app, { url: '/tenants/nobody/notes' }, acme.token()), '401 token_not_valid')
})

test('the same sub in two realms is two users', async (t) => {
  const { app, acme, globex, add } = await start(t)
  await add()
  const sub = '7d3b1f0e-0000-4000-8000-000000000001'
  const note = { method: 'POST', url: '/tenants/acme/notes', headers: { 'content-type': 'text/plain' }, body: 'ours' }
  assert.deepEqual(await ask(app, note, acme.token({ sub })), ['ours'])
  assert.deepEqual(await ask(app, { url: '/tenants/globex/notes' }, globex.token({ sub })), [])
})

test('only the staff may write the table', async (t) => {
  const { acme, add, end, tenants } = await start(t)
  const tenantsOperator = acme.token({ roles: ['operator'] })
  assert.equal(await add(tenantsOperator), '403 permission_denied')
  assert.equal(await end('acme', tenantsOperator), '403 permission_denied')
  assert.notEqual(await tenants.byIssuer(acme.issuer), null)
})
