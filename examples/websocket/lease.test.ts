import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logOut, pause, start, until } from './test-chat.js'

const LIMIT = { timeout: 60_000 }
const HOUR = 3_600_000
const INTROSPECTED = { verifyTokensWithKeycloak: true }

test('a connection ends at the exp of its token', LIMIT, async (t) => {
  const { join } = await start(t, { checkEvery: HOUR })
  const [brief, lasting] = [await join({ expiresIn: 3 }), await join({ username: 'bob' })]
  assert.deepEqual(await brief.closed, [4401, 'token_expired'])
  lasting.say('still here')
  assert.deepEqual(await lasting.hears(), { from: 'bob', text: 'still here' })
})

test('leeway holds for a connection too', LIMIT, async (t) => {
  const { join, tokenFor } = await start(t, { checkEvery: HOUR }, { leeway: 2 })
  const token = tokenFor({ expiresIn: 1 })
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString())
  assert.deepEqual(await (await join(token)).closed, [4401, 'token_expired'])
  assert.ok(Date.now() / 1000 >= exp + 2)
})

test('a token that outlives the longest timer of Node is not checked without pause', LIMIT, async (t) => {
  const { realm, join } = await start(t, { checkEvery: 40 * 24 * HOUR }, { ...INTROSPECTED, revocation: { maxTokenLifetime: 50 * 86_400 } })
  await join({ expiresIn: 40 * 86_400 })
  await pause(100)
  assert.equal(realm.requests.introspect, 1, 'at the upgrade')
})

test('a logout ends the user\'s connections, and nobody else\'s', LIMIT, async (t) => {
  const { app, realm, join } = await start(t)
  const [one, two, bob] = [await join(), await join(), await join({ username: 'bob' })]
  assert.equal(await logOut({ app, realm }, 'alice'), 200)
  assert.deepEqual(await one.closed, [4401, 'token_not_valid'])
  assert.deepEqual(await two.closed, [4401, 'token_not_valid'])
  bob.say('where are they?')
  assert.deepEqual(await bob.hears(), { from: 'bob', text: 'where are they?' })
})

test('nobody who is logged out is heard', LIMIT, async (t) => {
  const { app, realm, join } = await start(t, { checkEvery: HOUR })
  const [alice, bob] = [await join(), await join({ username: 'bob' })]
  assert.equal(await logOut({ app, realm }, 'alice'), 200)
  for (const text of ['one', 'two', 'three']) alice.say(text)
  assert.deepEqual(await alice.closed, [4401, 'token_not_valid'])
  bob.say('four')
  assert.deepEqual(await bob.hears(), { from: 'bob', text: 'four' })
})

test('with introspection, a session that Keycloak ended and a role that was withdrawn end connections', LIMIT, async (t) => {
  const { realm, join, tokenFor } = await start(t, { checkEvery: 20 }, INTROSPECTED)
  const [ended, withdrawn] = [tokenFor(), tokenFor({ username: 'bob' })]
  const [alice, bob] = [await join(ended), await join(withdrawn)]
  realm.revoke(ended)
  assert.deepEqual(await alice.closed, [4401, 'token_not_valid'])
  realm.update(withdrawn, { resource_access: undefined })
  assert.deepEqual(await bob.closed, [4403, 'permission_denied'])
})

test('a key that left the realm ends the connections that it let in', LIMIT, async (t) => {
  const { realm, join } = await start(t, {}, { jwks: { maxAge: 1000 } })
  const alice = await join()
  realm.rotateKeys({ removeOld: true })
  assert.deepEqual(await alice.closed, [4401, 'token_not_valid'])
})

test('without introspection an outage of Keycloak is not noticed', LIMIT, async (t) => {
  const { realm, join } = await start(t, { checkEvery: 20, grace: 0 })
  const alice = await join()
  await realm.down()
  await pause(100)
  alice.say('hello')
  assert.deepEqual(await alice.hears(), { from: 'alice', text: 'hello' })
})

test('with introspection, nothing is done for a client while Keycloak is away, but the connection is kept', LIMIT, async (t) => {
  const { realm, join } = await start(t, { checkEvery: HOUR }, INTROSPECTED)
  const [alice, bob] = [await join(), await join({ username: 'bob' })]
  await realm.down()
  alice.say('hello')
  assert.deepEqual(await alice.hears(), { error: 'keycloak_unavailable' })
  await realm.up()
  await until(async () => {
    alice.say('again')
    return (await alice.hears()).text === 'again'
  })
  assert.deepEqual(await bob.hears(), { from: 'alice', text: 'again' }, 'hello was not sent')
})

test('an outage that outlasts the grace ends a connection with 1013: try again later', LIMIT, async (t) => {
  const { realm, join } = await start(t, { checkEvery: 20, grace: 200 }, INTROSPECTED)
  const alice = await join()
  await realm.down()
  assert.deepEqual(await alice.closed, [1013, 'keycloak_unavailable'])
})

test('a Keycloak that hangs does not delay the end at exp', LIMIT, async (t) => {
  const { realm, join } = await start(t, { checkEvery: 20 }, { ...INTROSPECTED, introspection: { timeout: 50_000 } })
  const alice = await join({ expiresIn: 3 })
  realm.hang('introspect')
  assert.deepEqual(await alice.closed, [4401, 'token_expired'])
})

test('no check is made any more for a client that has left', LIMIT, async (t) => {
  const { app, realm, join } = await start(t, { checkEvery: 20 }, INTROSPECTED)
  const alice = await join()
  await until(() => realm.requests.introspect > 2)
  alice.socket.terminate()
  await until(() => app.websocketServer.clients.size === 0 && app.keycloak.health().introspection!.pending === 0)
  const { introspect } = realm.requests
  await pause(200)
  assert.equal(realm.requests.introspect, introspect)
})
