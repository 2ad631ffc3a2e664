import type { FastifyInstance } from 'fastify'
import { createTestRealm, type TokenSpec } from 'fastify-keycloak-bearer/testing'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { buildApp } from './app.js'
import { Access, Permission } from './keycloak.js'
import { buildMigratedApp } from './migrated.js'

async function start (t: TestContext, build = buildApp) {
  const realm = await createTestRealm()
  const nest = await build(realm.options)
  await nest.init()
  const app: FastifyInstance = nest.getHttpAdapter().getInstance()
  t.after(async () => {
    await nest.close()
    await realm.close()
  })
  const ask = async (target: string, as: TokenSpec | string | null = null) => {
    const [url, method] = target.split(' ').reverse() as [string, 'POST' | undefined]
    const response = await realm.inject(app, { url, method: method ?? 'GET', as })
    return { response, answer: [response.statusCode, response.json().code ?? response.json()] }
  }
  return { app, realm, ask }
}

test('a refusal is what the plugin says, with code and challenge, and not an error of the server', async (t) => {
  const { ask } = await start(t)
  const { response, answer } = await ask('/orders')
  assert.deepEqual(answer, [401, 'not_authenticated'])
  assert.equal(response.json().error, 'Unauthorized')
  assert.equal(response.headers['www-authenticate'], 'Bearer realm="test"')
  assert.deepEqual((await ask('/menu', { forged: true })).answer, [401, 'token_not_valid'])
  assert.deepEqual((await ask('/accounts', { username: 'bob' })).answer, [403, 'permission_denied'])
})

test('what verify() throws in a method is answered likewise', async (t) => {
  const { ask } = await start(t)
  const { response, answer } = await ask('/whoami', { expired: true })
  assert.deepEqual(answer, [401, 'token_expired'])
  assert.match(String(response.headers['www-authenticate']), /error="invalid_token"/)
  assert.deepEqual((await ask('/whoami')).answer, [200, { sub: null }])
})

test('while Keycloak is away and its keys are not known, it is 503', async (t) => {
  const { realm, ask } = await start(t)
  await realm.down()
  const { response, answer } = await ask('/orders', {})
  assert.deepEqual(answer, [503, 'keycloak_unavailable'])
  assert.equal(response.headers['retry-after'], '1')
})

test('who may call what', async (t) => {
  const { app, ask } = await start(t)
  assert.deepEqual((await ask('/menu')).answer, [200, { soup: 4.5 }])
  assert.deepEqual((await ask('/menu', {})).answer, [200, { soup: 4.5, hello: 'alice' }])
  assert.deepEqual((await ask('/orders', {})).answer, [200, { of: 'alice' }])
  assert.deepEqual((await ask('/accounts', { roles: ['reader'] })).answer, [200, { total: 1200 }])
  const access = app.keycloak.routes().filter(({ method }) => method === 'GET').map(({ url, access, rule }) => `${url}: ${rule ?? access}`)
  assert.deepEqual(access, [
    '/menu: optional', '/orders: authenticated', '/accounts: permission reader', '/refunds: permission reader and scope refund', '/kitchen: authenticated',
    '/closed: authenticated', '/whoami: open'
  ])
})

test('two decorators before a method are two rules', async (t) => {
  const { ask } = await start(t)
  assert.deepEqual((await ask('/refunds', { roles: ['reader'] })).answer, [403, 'permission_denied'])
  assert.deepEqual((await ask('/refunds', { scope: 'refund' })).answer, [403, 'permission_denied'])
  assert.deepEqual((await ask('/refunds', { roles: ['reader'], scope: 'refund' })).answer, [200, { total: 3 }])
})

test('two decorators are two rules even if another one between them puts a function of its own in the place of the method', () => {
  const logged: MethodDecorator = (_target, _name, descriptor) => {
    const { value } = descriptor
    descriptor.value = function (this: unknown, ...args: unknown[]) { return (value as Function).apply(this, args) } as never
  }
  class Refunds {
    @Permission('reader')
    @logged
    @Access({ scope: 'refund' })
    list (): void {}

    @Permission('writer')
    add (): void {}
  }
  const configOf = (method: object) => Reflect.getMetadata('__fastify_route_config__', method)
  assert.deepEqual(configOf(Refunds.prototype.list), { permission: 'reader', scope: 'refund' })
  assert.deepEqual(configOf(Refunds.prototype.add), { permission: 'writer' })
})

test('a decorator that would have no effect is an error', () => {
  assert.throws(() => Reflect.decorate([Permission('reader') as ClassDecorator], class {}), /not before a class/)
  const twice = () => {
    class Orders {
      @Permission('reader')
      @Permission('writer')
      list (): void {}
    }
    return Orders
  }
  assert.throws(twice, /list has permission twice/)
})

test('a guard of Nest knows the caller, and its refusal keeps its code; without a token it is not asked', async (t) => {
  const { ask } = await start(t)
  assert.deepEqual((await ask('/kitchen')).answer, [401, 'not_authenticated'])
  const { response, answer } = await ask('/kitchen', {})
  assert.deepEqual(answer, [403, 'permission_denied'])
  assert.match(String(response.headers['www-authenticate']), /error="insufficient_scope"/)
  assert.deepEqual((await ask('/kitchen', { roles: ['cook'] })).answer, [200, { stove: 'on' }])
})

test('a method is closed for each way to ask', async (t) => {
  const { app } = await start(t)
  const headers = { origin: 'https://evil.example', 'access-control-request-method': 'GET' }
  assert.equal((await app.inject({ method: 'HEAD', url: '/accounts' })).statusCode, 401)
  assert.equal((await app.inject({ method: 'OPTIONS', url: '/accounts', headers })).statusCode, 404)
  for (const url of ['/accounts/', '/ACCOUNTS', '/accounts;a']) assert.equal((await app.inject(url)).statusCode, 404, url)
  for (const url of ['/accounts?a', '/%61ccounts']) assert.equal((await app.inject(url)).statusCode, 401, url)
})

test('errors of Nest\'s own are answered as ever', async (t) => {
  const { ask } = await start(t)
  assert.deepEqual((await ask('/orders/unknown', {})).answer, [404, { statusCode: 404, message: 'Cannot GET /orders/unknown', error: 'Not Found' }])
  assert.deepEqual((await ask('/closed', {})).answer, [410, { statusCode: 410, message: 'Closed on Mondays' }])
})

test('the application after a migration from nest-keycloak-connect answers as its guide says', async (t) => {
  const { realm, ask } = await start(t, buildMigratedApp)
  const bad = [{ forged: true }, { kind: 'id' }, { kind: 'refresh' }, { dpop: true }, { claims: { aud: 'other-api' } }, { claims: { exp: undefined } }] as const
  for (const as of bad.map((spec) => realm.token(spec))) {
    assert.deepEqual((await ask('/health', as)).answer, [200, { ok: true }])
    for (const url of ['/news', '/me', '/profile']) assert.deepEqual((await ask(url, as)).answer, [401, 'token_not_valid'])
  }
  assert.deepEqual([(await ask('/news')).answer, (await ask('/news', {})).answer], [[200, { for: 'everybody' }], [200, { for: 'alice' }]])
  assert.deepEqual([(await ask('/me')).answer, (await ask('/me', {})).answer], [[401, 'not_authenticated'], [200, { username: 'alice' }]])
  assert.deepEqual((await ask('/claims', {})).answer, [200, { client: 'web' }])
  for (const role of ['read-profile', 'support']) assert.deepEqual((await ask('/profile', { roles: [role] })).answer, [200, { ok: true }])
  assert.deepEqual((await ask('/profile', {})).answer, [403, 'permission_denied'])
  assert.deepEqual((await ask('/admin', { roles: ['read-profile'], realmRoles: ['admin'] })).answer, [200, { ok: true }])
  for (const as of [{ roles: ['read-profile'] }, { realmRoles: ['admin'] }]) assert.deepEqual((await ask('/admin', as)).answer, [403, 'permission_denied'])
  assert.deepEqual((await ask('POST /orders', { scope: 'write' })).answer, [201, { ok: true }])
  assert.deepEqual((await ask('POST /orders', {})).answer, [403, 'permission_denied'])
  await realm.down()
  assert.deepEqual((await ask('/me', { kid: 'x'.repeat(43) })).answer, [503, 'keycloak_unavailable'])
})
