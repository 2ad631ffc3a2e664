import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { KeycloakOptions, RevocationFollower, RevocationStore } from 'fastify-keycloak-bearer'
import { createTestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp, type HealthOptions } from './app.js'

const LIMIT = { timeout: 60_000 }
const INTROSPECTED = { verifyTokensWithKeycloak: true }

async function start (t: TestContext, options: Partial<KeycloakOptions> = {}, health: HealthOptions = {}, { away = false } = {}) {
  const realm = await createTestRealm()
  if (away) await realm.down()
  const app = await buildApp({ ...realm.options, ...options }, health)
  t.after(async () => {
    await app.close()
    await realm.close()
  })
  const token = realm.token()
  const get = async (url: string, headers: Record<string, string> = {}) => {
    const { statusCode, body, headers: answered } = await app.inject({ url, headers })
    return { status: statusCode, body: JSON.parse(body), headers: answered }
  }
  const readiness = async () => {
    const { status, body: { ready, parts } } = await get('/ready')
    assert.equal(status, ready ? 200 : 503)
    return { ready, ...parts }
  }
  return {
    realm,
    app,
    get,
    readiness,
    /** With a token. */
    order: async () => (await get('/orders', { authorization: `Bearer ${token}` })).status,
    ready: async (wanted: boolean) => until(async () => (await readiness()).ready === wanted)
  }
}

/** Until it holds; the test's own time limit ends a wait that is in vain. */
async function until (holds: () => Promise<boolean>): Promise<void> {
  while (!await holds()) await new Promise((resolve) => { setTimeout(resolve, 20) })
}

test('an instance that starts during an outage is live, but not ready until it has the keys', LIMIT, async (t) => {
  const { realm, get, readiness, order, ready } = await start(t, {}, {}, { away: true })
  assert.deepEqual(await readiness(), { ready: false, keys: 'failing' })
  assert.equal((await get('/live')).status, 200)
  assert.equal((await get('/menu')).status, 200, 'who needs no Keycloak is served')
  assert.equal(await order(), 503)
  await realm.up()
  await ready(true)
  assert.equal(realm.requests.certs, 1, 'no request was needed')
  assert.equal(await order(), 200)
})

test('an instance that has the keys stays ready through an outage, for as long as they may live', LIMIT, async (t) => {
  const { realm, get, readiness, order, ready } = await start(t, { jwks: { maxAge: 1000, maxStale: 8000 } })
  await ready(true)
  await realm.down()
  await until(async () => (await readiness()).keys === 'degraded')
  assert.equal((await readiness()).ready, true)
  assert.equal(await order(), 200)

  await ready(false)
  assert.equal((await readiness()).keys, 'failing')
  assert.equal(await order(), 503)
  assert.equal((await get('/live')).status, 200)

  await realm.up()
  await ready(true)
  assert.equal(await order(), 200)
})

test('introspection that fails is told, and the instance stays ready: the others would fare no better', LIMIT, async (t) => {
  const { realm, readiness, order, ready } = await start(t, INTROSPECTED)
  await ready(true)
  await realm.down()
  assert.equal(await order(), 503)
  assert.deepEqual(await readiness(), { ready: true, keys: 'ok', introspection: 'degraded' }, 'once is not yet an outage')
  await until(async () => await order() === 503 && (await readiness()).introspection === 'failing')
  assert.equal((await readiness()).ready, true)
  await realm.up()
  await until(async () => await order() === 200)
  assert.deepEqual(await readiness(), { ready: true, keys: 'ok', introspection: 'ok' })
})

test('where introspection is critical, an instance without requests comes back to find out', LIMIT, async (t) => {
  const { realm, readiness, order, ready } = await start(t, INTROSPECTED, { critical: ['keys', 'introspection'] })
  await ready(true)
  await realm.down()
  await until(async () => await order() === 503 && !(await readiness()).ready)
  await realm.up()
  await ready(true)
  assert.equal((await readiness()).introspection, 'ok')
  assert.equal(await order(), 200)
})

test('an instance that is cut off from the store of logouts is not ready: it may let in who is logged out', LIMIT, async (t) => {
  const store = storeThatCanBeCutOff()
  t.after(() => store.close())
  const { readiness, order, ready } = await start(t, { revocation: { store, maxLag: 1000 } })
  await ready(true)
  store.reachable = false
  await ready(false)
  assert.deepEqual(await readiness(), { ready: false, keys: 'ok', revocation: 'failing' })
  assert.equal(await order(), 503)
  store.reachable = true
  await ready(true)
  assert.equal(await order(), 200)
})

test('too much load refuses requests, tokens unseen, and takes the instance out; it is live all the same', LIMIT, async (t) => {
  const { get } = await start(t, {}, { pressure: { maxRssBytes: 1, sampleInterval: 10 } })
  await until(async () => (await get('/menu')).status === 503)
  for (const url of ['/menu', '/orders']) {
    const { status, body, headers } = await get(url, { authorization: 'Bearer x' })
    assert.deepEqual([status, body.code, headers['retry-after']], [503, 'overloaded', '10'])
  }
  assert.equal((await get('/ready')).status, 503)
  assert.equal((await get('/live')).status, 200)
})

test('a probe is answered whatever token it carries', LIMIT, async (t) => {
  const { get, ready } = await start(t)
  await ready(true)
  for (const url of ['/live', '/ready']) assert.equal((await get(url, { authorization: 'Bearer x' })).status, 200)
})

function storeThatCanBeCutOff (): RevocationStore & { reachable: boolean } {
  let timer: NodeJS.Timeout
  const store = {
    reachable: true,
    follow (follower: RevocationFollower) {
      const read = () => store.reachable ? follower.upToDate() : follower.failed(Object.assign(new Error(), { code: 'ECONNREFUSED' }))
      read()
      timer = setInterval(read, 20)
    },
    async publish () {},
    close () { clearInterval(timer) }
  }
  return store
}
