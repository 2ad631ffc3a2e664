// Revocations outlive a wall clock that jumps: what ends by a clock ends when the monotonic one says so too.
import { Redis } from 'ioredis'
import t from 'tap'
import { redisStore } from '../../index.js'
import type { Revocation, RevocationFollower, RevocationStore } from '../../types/revocation.js'
import { apiFor, ask, logging, realmFor, until } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { backchannel, LOGOUT, logOut, now } from '../support/logout.js'
import { redisFor } from '../support/redis.js'

const NOT_VALID = '401 token_not_valid'
const MINUTES = 60
const DAYS = 86_400

/** A store that holds something already, and may refuse to take more. */
class Shelf implements RevocationStore {
  readonly taken: Revocation[]
  /** Revocations that it was given and did not take. */
  refused = 0
  broken = false
  follower: RevocationFollower | undefined

  constructor (...taken: Revocation[]) {
    this.taken = taken
  }

  follow (follower: RevocationFollower): void {
    this.follower = follower
    for (const each of this.taken) follower.receive(each)
    follower.upToDate()
  }

  async publish (revocation: Revocation): Promise<void> {
    if (this.broken) {
      this.refused++
      throw new Error('broken')
    }
    this.taken.push(revocation)
  }

  close (): void {}
}

for (const [name, jump] of [['20 minutes', 20 * MINUTES], ['one day', DAYS], ['a year', 365 * DAYS]] as const) {
  t.test(`a wall clock that is ${name} ahead for a moment makes nobody forget a logout`, async (t) => {
    const realm = await realmFor(t, { tokenLifespan: 600 })
    const clock = clocksFor(t)
    const app = await apiFor(t, realm, { ...LOGOUT, revocation: { maxTokenLifetime: 600 } })
    const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((username) => realm.token({ username }))
    const call = realm.token({ kind: 'logout' })
    t.equal((await backchannel(app, call)).status, 200)
    t.equal((await logOut(app, realm, { username: 'bob', claims: { sid: undefined } })).status, 200)
    t.equal(app.keycloak.health().revocation!.entries, 2)
    clock.jump(jump)
    t.equal(app.keycloak.health().revocation!.entries, 0, 'none that counts by this clock')
    t.equal((await logOut(app, realm, { username: 'dora' })).status, 200, 'another logout cleans up as well')
    t.equal((await backchannel(app, call)).status, 400)
    t.equal(await ask(app, '/me', alice), '401 token_expired')
    clock.jump(-jump)
    t.equal(await ask(app, '/me', alice), NOT_VALID)
    t.equal(await ask(app, '/me', bob), NOT_VALID)
    t.equal(await ask(app, '/me', carol), '200')
    t.equal(app.keycloak.health().revocation!.entries, 3)
    t.match(await backchannel(app, call), { status: 400, body: { error_description: 'the call was made before' } })
  })
}

t.test('a wall clock that jumps while a logout is taken, ahead or back, keeps nobody in', async (t) => {
  for (const jump of [20 * MINUTES, DAYS, -20 * MINUTES, -DAYS]) {
    const realm = await realmFor(t, { tokenLifespan: 600 })
    const clock = clocksFor(t)
    const app = await apiFor(t, realm, { ...LOGOUT, revocation: { maxTokenLifetime: 600 } })
    const [before, bob] = [realm.token(), realm.token({ username: 'bob' })]
    clock.jump(jump)
    t.equal((await logOut(app, realm)).status, 200)
    clock.jump(-jump)
    app.keycloak.health()
    t.equal((await logOut(app, realm, { username: 'carol' })).status, 200)
    t.equal(await ask(app, '/me', before), NOT_VALID, `${jump} s`)
    t.equal(await ask(app, '/me', bob), '200')
  }
})

t.test('an instance that starts and reads the store while its clock is wrong forgets nothing of it', async (t) => {
  for (const jump of [20 * MINUTES, 2 * DAYS, -DAYS]) {
    const realm = await realmFor(t, { tokenLifespan: 600 })
    const clock = clocksFor(t)
    const [token, another] = [realm.token(), realm.token({ sub: 'somebody', claims: { sid: 'other' } })]
    const { sid } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
    const store = new Shelf({ kind: 'session', id: sid, at: now() }, { kind: 'user', id: 'somebody', at: now() })
    clock.jump(jump)
    const app = await apiFor(t, realm, { revocation: { store, maxTokenLifetime: 600 } })
    app.keycloak.health()
    t.equal([...store.follower!.current()].length, 2, 'and gives it to a store that has lost it')
    clock.jump(-jump)
    t.equal(await ask(app, '/me', token), NOT_VALID, `${jump} s`)
    t.equal(await ask(app, '/me', another), NOT_VALID)
    t.equal(app.keycloak.health().revocation!.entries, 2)
  }
})

t.test('a logout that waits for the store is told to the others though the clock jumps meanwhile', async (t) => {
  const realm = await realmFor(t)
  const clock = clocksFor(t)
  const store = new Shelf()
  const app = await apiFor(t, realm, { ...LOGOUT, revocation: { store, maxTokenLifetime: 600 } })
  store.broken = true
  t.equal((await logOut(app, realm)).status, 503)
  clock.jump(DAYS)
  const { refused } = store
  await until(() => store.refused > refused)
  clock.jump(-DAYS)
  store.broken = false
  await until(() => store.taken.length > 0)
  t.match(store.taken, [{ kind: 'session' }])
})

t.test('where there is no room, the logouts that are over go first, without a warning', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const store = new Shelf()
  const app = await apiFor(t, realm, { ...LOGOUT, revocation: { store, max: 2 } }, log)
  const old = now() - 3 * DAYS
  for (const id of ['one', 'two', 'three']) store.follower!.receive({ kind: 'session', id, at: old })
  t.match(app.keycloak.health().revocation, { entries: 0, notBefore: old + 1 })
  t.equal((await logOut(app, realm)).status, 200)
  t.equal((await logOut(app, realm, { username: 'bob' })).status, 200)
  t.match(app.keycloak.health().revocation, { entries: 2, notBefore: old + 1 })
  t.equal(await ask(app, '/me', realm.token({ username: 'carol' })), '200')
  t.notMatch(log.text, 'revocation.max')
})

t.test('an instance whose clock is wrong takes nothing from what Redis keeps for the others', async (t) => {
  const [realm, redis] = [await realmFor(t, { tokenLifespan: 80_000 }), await redisFor(t)]
  const [client, other] = [new Redis(redis.options), new Redis(redis.options)]
  t.teardown(() => { for (const each of [client, other]) each.disconnect() })
  const key = `fastify-keycloak-bearer:${realm.issuer}`
  const app = await apiFor(t, realm, { ...LOGOUT, revocation: { store: redisStore({ client }) } })
  // More than a node of the stream, since those are trimmed as a whole.
  for (let at = 0; at < 200; at++) t.equal((await logOut(app, realm, { username: `user ${at}` })).status, 200)
  const token = realm.token({ username: 'user 0' })
  const first = async () => (await client.xrange(key, '-', '+', 'COUNT', 1))[0]![0]
  const id = await first()
  const clock = clocksFor(t)
  for (const jump of [2 * DAYS, -2 * DAYS]) {
    clock.jump(jump)
    t.equal((await logOut(app, realm)).status, 200)
    clock.jump(-jump)
    const ttl = await client.pttl(key)
    t.ok(ttl > 86_900_000 && ttl <= 87_000_000, `${ttl} ms`)
  }
  t.equal(await first(), id, 'nothing was dropped, and given back')
  t.equal(await client.xlen(key), 202)
  const later = await apiFor(t, realm, { revocation: { store: redisStore({ client: other }) } })
  t.equal(await ask(later, '/me', token), NOT_VALID)
})
