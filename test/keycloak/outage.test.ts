// Keycloak goes away and comes back.
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import {
  addKey, api, expiry, get, introspecting, keyProviders, options, pause, refused, removeKey, server, setClientAttributes, token
} from './helpers.js'

/**
 * Within a second after Keycloak has come back it is asked again; its first answers may take it some more, and while they
 * do, whoever needs one is told that it is away.
 */
const RECOVERY = 30_000

/** A crash loses what Keycloak's database has not written: it writes twice a second, and other tests changed keys. */
const DATABASE_WRITES = 1000

const skip = server.ours ? false : 'it stops and starts the server, which is not ours'

let short = ''
let alice = ''
let bob = ''
t.before(async () => {
  await setClientAttributes('cli', { 'access.token.lifespan': '2' })
  short = await token('cli', 'alice')
  await setClientAttributes('cli', { 'access.token.lifespan': '600' })
  alice = await token('cli', 'alice')
  bob = await token('cli', 'bob')
})
t.teardown(async () => {
  if (server.ours) await server.start() // where a test broke off half-way
  await setClientAttributes('cli', { 'access.token.lifespan': '' })
})

t.test('while Keycloak is stopped', { skip }, async (t) => {
  const known = await api(t)
  // The plugin is more patient with a slow answer than Keycloak takes to start, so that it still thinks of an outage then.
  const aged = await api(t, { ...options, jwks: { maxAge: 1000, timeout: 60_000 } })
  const asking = await api(t, introspecting)
  for (const app of [known, aged, asking]) t.equal((await get(app, '/profile', alice)).statusCode, 200)
  const key = await addKey(keyProviders.RS256)
  t.teardown(() => removeKey(key))
  const unknown = await token('cli', 'alice')
  await expiry(short)
  await server.stop()
  const cold = await api(t)

  t.test('the keys that are known go on serving, tokens that were never seen included', async (t) => {
    t.equal((await get(known, '/profile', alice)).statusCode, 200)
    t.equal((await get(known, '/me', bob)).statusCode, 200)
    refused(t, await get(known, '/profile', bob), 'permission_denied')
    refused(t, await get(known, '/profile', short), 'token_expired')
  })

  t.test('they go on beyond maxAge', async (t) => {
    await pause(1000)
    t.equal((await get(aged, '/profile', alice)).statusCode, 200)
    t.equal((await get(aged, '/me', bob)).statusCode, 200)
    t.equal(aged.keycloak.health().keys.stale, true)
  })

  t.test('a key that nobody can look up is 503, however often it is asked', async (t) => {
    for (let i = 0; i < 3; i++) refused(t, await get(known, '/profile', unknown), 'keycloak_unavailable')
  })

  t.test('an app that starts now is 503 for tokens, expired ones too', async (t) => {
    refused(t, await get(cold, '/profile', alice), 'keycloak_unavailable')
    refused(t, await get(cold, '/open', alice), 'keycloak_unavailable')
    refused(t, await get(cold, '/profile', short), 'keycloak_unavailable')
  })

  t.test('it still says 401 to nobody, to nonsense and to an algorithm that is not allowed', async (t) => {
    refused(t, await get(cold, '/profile'), 'not_authenticated')
    refused(t, await get(cold, '/profile', 'nonsense'), 'token_not_valid')
    refused(t, await get(await api(t, { ...options, algorithms: 'ES256' }), '/profile', alice), 'token_not_valid')
    t.equal((await get(cold, '/open')).statusCode, 200)
  })

  t.test('with introspection everybody is 503, but the expired and the anonymous', async (t) => {
    refused(t, await get(asking, '/profile', alice), 'keycloak_unavailable')
    refused(t, await get(asking, '/open', alice), 'keycloak_unavailable')
    refused(t, await get(asking, '/me', bob), 'keycloak_unavailable')
    refused(t, await get(asking, '/profile', short), 'token_expired')
    refused(t, await get(asking, '/profile'), 'not_authenticated')
    t.equal((await get(asking, '/open')).statusCode, 200)
    t.equal(asking.keycloak.health().introspection?.ok, false)
  })

  t.test('when it is back, all of them let the same tokens in', async (t) => {
    await server.start()
    for (const app of [known, aged, asking, cold]) {
      await recovered(t, app, alice)
      await recovered(t, app, unknown)
      t.equal(app.keycloak.health().ok, true)
    }
  })
})

t.test('a crash of Keycloak is no different', { skip }, async (t) => {
  const known = await api(t)
  const asking = await api(t, introspecting)
  t.equal((await get(known, '/profile', alice)).statusCode, 200)
  t.equal((await get(asking, '/profile', alice)).statusCode, 200)
  await pause(DATABASE_WRITES)
  await server.kill()
  t.equal((await get(known, '/profile', alice)).statusCode, 200)
  refused(t, await get(asking, '/profile', alice), 'keycloak_unavailable')
  refused(t, await get(await api(t), '/profile', alice), 'keycloak_unavailable')
  await server.start()
  t.equal((await get(known, '/profile', alice)).statusCode, 200)
  await recovered(t, asking, alice)
  await recovered(t, await api(t), alice)
})

/** The API lets the token in again; until it does, it says nothing but that Keycloak is away. */
async function recovered (t: Test, app: FastifyInstance, accessToken: string): Promise<void> {
  const deadline = Date.now() + RECOVERY
  let response = await get(app, '/profile', accessToken)
  while (response.statusCode !== 200 && Date.now() < deadline) {
    refused(t, response, 'keycloak_unavailable')
    await pause(100)
    response = await get(app, '/profile', accessToken)
  }
  t.equal(response.statusCode, 200)
}
