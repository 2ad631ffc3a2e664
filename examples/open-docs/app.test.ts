import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import Fastify from 'fastify'
import { createTestRealm, type TokenSpec } from 'fastify-keycloak-bearer/testing'
import { api } from './api.js'
import { buildApp } from './app.js'

async function start (t: TestContext) {
  const realm = await createTestRealm()
  const app = Fastify()
  t.after(async () => {
    await app.close()
    await realm.close()
  })
  const as = (who: TokenSpec = {}) => ({ authorization: `Bearer ${realm.token(who)}` })
  const status = async (url: string, headers: Record<string, string> = {}) => (await app.inject({ url, headers })).statusCode
  return { realm, app, as, status }
}

test('who may call what: a change of this list is a change to look at', async (t) => {
  const { realm, app } = await start(t)
  await api(app, { realm: realm.options })
  await app.ready()
  // HEAD is what Fastify adds to each GET.
  assert.deepEqual(app.keycloak.routes().filter(({ method }) => method !== 'HEAD'), [
    { method: 'GET', url: '/health', access: 'optional' },
    { method: 'GET', url: '/teas', access: 'optional' },
    { method: 'GET', url: '/orders', access: 'authenticated' },
    { method: 'GET', url: '/customers', access: 'restricted', rule: 'permission see-customers' },
    { method: 'HEAD,GET', url: '/reports/*', access: 'restricted', rule: 'permission read-reports' }
  ])
})

test('of all routes of the application, whoever added them, these alone answer a stranger', async (t) => {
  const { realm, app } = await start(t)
  const routes: Array<[method: 'GET', url: string]> = []
  app.addHook('onRoute', ({ method, url }) => { for (const each of [method].flat()) routes.push([each as 'GET', url]) })
  await buildApp(realm.options, app)

  const open = []
  for (const [method, url] of routes) {
    const { statusCode } = await app.inject({ method, url: url.replace('*', 'x') })
    if (statusCode !== 401) open.push(`${method} ${url}`)
  }
  const documentation = open.filter((route) => / \/docs(\/|$)/.test(route))
  assert.deepEqual(open.filter((route) => !documentation.includes(route)), [
    'GET /api/health', 'HEAD /api/health', 'GET /api/teas', 'HEAD /api/teas', 'HEAD /*', 'GET /*'
  ])
  assert.ok(documentation.includes('GET /docs/json'))
})

test('documentation and the page are open, and tell of the API what it asks for', async (t) => {
  const { realm, app, status } = await start(t)
  await buildApp(realm.options, app)
  for (const url of ['/', '/index.html', '/docs', '/docs/', '/docs/static/index.html', '/docs/json']) {
    assert.ok(await status(url) < 400, url)
  }
  const { paths } = (await app.inject('/docs/json')).json()
  assert.deepEqual(Object.keys(paths), ['/api/health', '/api/teas', '/api/orders', '/api/customers'], 'no files')
  assert.deepEqual(paths['/api/orders'].get.security, [{ KeycloakAuth: [] }])
  assert.equal(paths['/api/health'].get.security, undefined)
})

test('outside the scope of the plugin a token does nothing, not even a bad one; inside, a bad one is 401 on public routes too', async (t) => {
  const { realm, app, status } = await start(t)
  await buildApp(realm.options, app)
  const bad = { authorization: 'Bearer x' }
  assert.equal(await status('/', bad), 200)
  assert.equal(await status('/docs/json', bad), 200)
  assert.equal(await status('/api/health', bad), 401)
})

test('a public route knows who calls, where somebody says so', async (t) => {
  const { realm, app, as } = await start(t)
  await buildApp(realm.options, app)
  assert.equal((await app.inject('/api/teas')).json().discount, false)
  assert.equal((await app.inject({ url: '/api/teas', headers: as() })).json().discount, true)
})

test('a route that says nothing needs a token, one that asks for a role needs that', async (t) => {
  const { realm, app, as, status } = await start(t)
  await buildApp(realm.options, app)
  assert.equal(await status('/api/orders'), 401)
  assert.equal(await status('/api/orders', as()), 200)
  assert.equal(await status('/api/customers', as()), 403)
  assert.equal(await status('/api/customers', as({ roles: ['see-customers'] })), 200)
})

test('files behind a role: no token 401, no role 403, and what is not there is not told to strangers', async (t) => {
  const { realm, app, as, status } = await start(t)
  await buildApp(realm.options, app)
  for (const file of ['orders.csv', 'nothing.csv']) {
    assert.equal(await status(`/api/reports/${file}`), 401)
    assert.equal(await status(`/api/reports/${file}`, as()), 403)
  }
  const { statusCode, body } = await app.inject({ url: '/api/reports/orders.csv', headers: as({ roles: ['read-reports'] }) })
  assert.equal(statusCode, 200)
  assert.match(body, /^day,orders/)
  assert.equal(await status('/api/reports/nothing.csv', as({ roles: ['read-reports'] })), 404)
})

test('the open files are no way to the closed ones', async (t) => {
  const { realm, app, status } = await start(t)
  await buildApp(realm.options, app)
  for (const url of ['/reports/orders.csv', '/../reports/orders.csv', '/%2e%2e/reports/orders.csv', '/..%2freports%2forders.csv', '/docs/static/../../reports/orders.csv', '/.npmrc', '/%2e%2e/.npmrc']) {
    assert.ok([400, 403, 404].includes(await status(url)), `${url} ${await status(url)}`)
  }
})

test('what does not exist is 404, whoever asks', async (t) => {
  const { realm, app, as, status } = await start(t)
  await buildApp(realm.options, app)
  for (const url of ['/nothing', '/api/nothing', '/docs/nothing']) {
    for (const headers of [{}, as(), { authorization: 'Bearer x' }]) assert.equal(await status(url, headers), 404, url)
  }
  assert.equal((await app.inject({ method: 'POST', url: '/api/orders' })).statusCode, 404)
})
