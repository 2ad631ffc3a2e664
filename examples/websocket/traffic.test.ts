import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { start, until } from './test-chat.js'

const LIMIT = { timeout: 60_000 }
const INTROSPECTED = { verifyTokensWithKeycloak: true }

test('what one says all hear, and who has left is not counted', LIMIT, async (t) => {
  const { app, join, tokenFor } = await start(t)
  const connected = async () => (await app.inject({ url: '/people', headers: { authorization: `Bearer ${tokenFor()}` } })).json().connected
  const [alice, bob] = [await join(), await join({ username: 'bob' })]
  alice.say('hello')
  for (const each of [alice, bob]) assert.deepEqual(await each.hears(), { from: 'alice', text: 'hello' })
  assert.equal(await connected(), 2)
  bob.socket.close()
  await bob.closed
  alice.socket.terminate()
  await until(async () => await connected() === 0)
})

test('many messages at once stay in order, and one is checked at a time', LIMIT, async (t) => {
  const { app, join } = await start(t, {}, INTROSPECTED)
  const alice = await join()
  for (let at = 0; at < 300; at++) alice.say(String(at))
  for (let at = 0; at < 300; at++) {
    assert.ok(app.keycloak.health().introspection!.pending <= 1)
    assert.deepEqual(await alice.hears(), { from: 'alice', text: String(at) })
  }
})

test('who sends faster than Keycloak answers has to wait: the server stops reading', LIMIT, async (t) => {
  const { app, realm, join } = await start(t, {}, INTROSPECTED)
  const alice = await join()
  realm.hang('introspect')
  for (let at = 0; at < 20; at++) alice.say('x'.repeat(10_000))
  await until(() => [...app.websocketServer.clients].every(({ isPaused }) => isPaused))
  await realm.up()
  let last
  while (last?.text !== 'the end') {
    alice.say('the end')
    last = await alice.hears()
  }
})

test('a message of more than 16 kB ends the connection with 1009', LIMIT, async (t) => {
  const { join } = await start(t)
  const alice = await join()
  alice.say('x'.repeat(16 * 1024 + 1))
  assert.equal((await alice.closed)[0], 1009)
})

test('who does not read is dropped, and the others go on', LIMIT, async (t) => {
  const { app, join } = await start(t)
  const [slow, alice] = [await join({ username: 'slow' }), await join()]
  slow.socket.pause()
  while (app.websocketServer.clients.size === 2) {
    alice.say('x'.repeat(16_000))
    assert.equal((await alice.hears()).from, 'alice')
  }
  alice.say('still here')
  assert.deepEqual(await alice.hears(), { from: 'alice', text: 'still here' })
})

test('a client that leaves while Keycloak is being asked does no harm', LIMIT, async (t) => {
  const { app, realm, dial, join, tokenFor } = await start(t, {}, INTROSPECTED)
  const alice = await join()
  realm.hang('introspect')
  const leaving = dial({ headers: { authorization: `Bearer ${tokenFor()}` } })
  await until(() => realm.requests.introspect === 2)
  leaving.socket.terminate()
  alice.say('and I')
  await until(() => realm.requests.introspect === 3)
  alice.socket.terminate()
  await realm.up()
  await until(() => app.websocketServer.clients.size === 0 && app.keycloak.health().introspection!.pending === 0)
  const bob = await join({ username: 'bob' })
  bob.say('hello')
  assert.deepEqual(await bob.hears(), { from: 'bob', text: 'hello' })
})

test('a closing server ends its connections', LIMIT, async (t) => {
  const { app, join } = await start(t)
  const alice = await join()
  const closed = once(alice.socket, 'close')
  await app.close()
  await closed
})
