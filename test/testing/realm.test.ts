import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { createTestRealm, type TestRealm, type TestRealmOptions } from '../../lib/testing/index.js'

async function realmFor (t: Test, options?: TestRealmOptions): Promise<TestRealm> {
  const realm = await createTestRealm(options)
  t.teardown(() => realm.close())
  return realm
}

t.test('a realm has the address, client and options that a user expects', async t => {
  const realm = await realmFor(t)
  t.match(realm.issuer, /^http:\/\/127\.0\.0\.1:\d+\/realms\/test$/)
  t.same(realm.options, { issuer: realm.issuer, clientId: 'api', clientSecret: 'test-secret', audience: 'api', startCheck: false })
})

t.test('name, client and secret are the user\'s to choose', async t => {
  const realm = await realmFor(t, { name: 'my realm', clientId: 'orders', clientSecret: 'else' })
  t.ok(realm.issuer.endsWith('/realms/my%20realm'))
  t.same(realm.options, { issuer: realm.issuer, clientId: 'orders', clientSecret: 'else', audience: 'orders', startCheck: false })
  t.equal((await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).status, 200)
})

t.test('discovery leads to the endpoints', async t => {
  const realm = await realmFor(t, { algorithms: ['ES256', 'RS256'] })
  const response = await fetch(`${realm.issuer}/.well-known/openid-configuration`)
  t.match(response.headers.get('content-type'), 'application/json')
  t.match(await response.json(), {
    issuer: realm.issuer,
    jwks_uri: `${realm.issuer}/protocol/openid-connect/certs`,
    introspection_endpoint: `${realm.issuer}/protocol/openid-connect/token/introspect`,
    id_token_signing_alg_values_supported: ['ES256', 'RS256']
  })
})

t.test('whatever else is asked is 404, the wrong method 405, both in JSON', async t => {
  const realm = await realmFor(t)
  const { origin } = new URL(realm.issuer)
  for (const url of [origin, `${realm.issuer}/account`, `${realm.issuer}er/protocol/openid-connect/certs`]) {
    const response = await fetch(url)
    t.equal(response.status, 404, url)
    t.same(await response.json(), { error: 'HTTP 404 Not Found' })
  }
  const wrong = await fetch(`${realm.issuer}/protocol/openid-connect/certs`, { method: 'DELETE' })
  t.equal(wrong.status, 405)
  t.same(await wrong.json(), { error: 'HTTP 405 Method Not Allowed' })
})

t.test('a realm counts what it is asked, and shows the last of it', async t => {
  const realm = await realmFor(t)
  t.equal(realm.lastRequest('certs'), undefined)
  const before = realm.requests
  t.same(before, { certs: 0, introspect: 0, discovery: 0, token: 0, protection: 0, other: 0 })

  await fetch(`${realm.issuer}/protocol/openid-connect/certs?fresh`, { headers: { 'x-first': 'yes' } })
  await fetch(`${realm.issuer}/protocol/openid-connect/certs`, { headers: { 'x-second': 'yes' } })
  await fetch(`${realm.issuer}/.well-known/openid-configuration`)
  await fetch(`${realm.issuer}/protocol/openid-connect/token/introspect`, { method: 'POST', body: 'token=x' })
  await fetch(`${realm.issuer}/elsewhere`)

  t.same(realm.requests, { certs: 2, introspect: 1, discovery: 1, token: 0, protection: 0, other: 1 })
  t.equal(before.certs, 0, 'an earlier reading stays what it was')
  t.match(realm.lastRequest('certs'), { method: 'GET', headers: { 'x-second': 'yes' }, body: '' })
  t.match(realm.lastRequest('introspect'), { method: 'POST', body: 'token=x' })
  t.match(realm.lastRequest('other'), { url: '/realms/test/elsewhere' })
})

t.test('two realms live side by side', async t => {
  const [one, two] = [await realmFor(t, { name: 'one' }), await realmFor(t, { name: 'two' })]
  t.not(new URL(one.issuer).port, new URL(two.issuer).port)
  one.error(503)
  t.equal((await fetch(`${one.issuer}/protocol/openid-connect/certs`)).status, 503)
  t.equal((await fetch(`${two.issuer}/protocol/openid-connect/certs`)).status, 200)
  t.same([one.requests.certs, two.requests.certs], [1, 1])
})

t.test('a realm takes the port it is given, and says when that is taken', async t => {
  const first = await createTestRealm()
  const port = Number(new URL(first.issuer).port)
  await t.rejects(createTestRealm({ port }), { code: 'EADDRINUSE' })
  await first.close()
  const second = await realmFor(t, { port })
  t.equal(second.issuer, first.issuer)
})

t.test('a page of any origin may read the discovery document, as Keycloak lets it', async t => {
  const realm = await realmFor(t)
  const url = `${realm.issuer}/.well-known/openid-configuration`
  const allowed = async (headers: Record<string, string>) => (await fetch(url, { headers })).headers.get('access-control-allow-origin')
  t.equal(await allowed({ origin: 'https://app.example.com' }), 'https://app.example.com')
  t.equal(await allowed({}), null)
})

t.test('a realm refuses to start in production', async t => {
  t.intercept(process, 'env', { value: { ...process.env, NODE_ENV: 'production' } })
  await t.rejects(createTestRealm(), {
    message: 'createTestRealm() refuses to start when NODE_ENV is production: its private keys are public.'
  })
})

t.test('a realm refuses an algorithm that it cannot have', async t => {
  // @ts-expect-error: not in the type
  await t.rejects(createTestRealm({ algorithms: ['RS256', 'HS256'] }), {
    name: 'TypeError',
    message: 'createTestRealm(): algorithms holds "HS256", which is none of RS256, RS384, RS512, PS256, PS384, PS512, ' +
      'ES256, ES384, ES512, EdDSA.'
  })
})

for (const moment of ['before it is ready', 'when it is ready already']) {
  t.test(`a realm closes with the app that it was given ${moment}`, async t => {
    const app = Fastify()
    if (moment === 'when it is ready already') await app.ready()
    const realm = await createTestRealm({ app })
    await app.ready()
    t.ok((await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).ok)
    await app.close()
    await t.rejects(fetch(`${realm.issuer}/protocol/openid-connect/certs`))
  })
}

t.test('a realm closes at once, as often as one likes, and stays closed', async t => {
  const realm = await createTestRealm()
  realm.hang()
  const waiting = t.rejects(fetch(`${realm.issuer}/protocol/openid-connect/certs`))
  while (realm.requests.certs === 0) await new Promise(resolve => setImmediate(resolve))
  await Promise.all([realm.close(), realm.close()])
  await waiting
  await realm.close()
  await t.rejects(realm.up(), { message: 'The test realm is closed: create another one.' })
})

t.test('a forgotten realm does not keep the process alive', async t => {
  const script = `
    import { createTestRealm } from './lib/testing/index.js'
    const realm = await createTestRealm()
    const response = await fetch(realm.issuer + '/protocol/openid-connect/certs')
    console.log(response.status)`
  // By the loader of this very process: by another the lines would differ, and spoil the coverage.
  const args = ['--import', './scripts/blank-types.mjs', '--input-type', 'module', '--eval', script]
  const run = await promisify(execFile)(process.execPath, args, { timeout: 60_000 })
  t.equal(run.stdout, '200\n')
})
