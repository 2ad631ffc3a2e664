import type { FastifyInstance } from 'fastify'
import { Cluster, Redis } from 'ioredis'
import { Redis as Valkey } from 'iovalkey'
import t, { type Test } from 'tap'
import { redisStore } from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { apiFor, ask, logging, realmFor, until, wait } from '../support/app.js'
import { action, backchannel, LOGOUT, logOut, now, push } from '../support/logout.js'
import { clusterNode, redisFor, type RedisServer } from '../support/redis.js'

const NOT_VALID = '401 token_not_valid'
const UNAVAILABLE = '503 keycloak_unavailable'

/** Each has a Redis of its own, and waits for it most of the time. */
t.jobs = 4

/** An instance of the API that follows a Redis. */
async function instance (t: Test, realm: TestRealm, redis: RedisServer, revocation: KeycloakOptions['revocation'] = {}, log = logging()) {
  const client = new Redis(redis.options)
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  return apiFor(t, realm, { ...LOGOUT, revocation: { store: redisStore({ client }), ...revocation } }, log)
}

async function three (t: Test, realm: TestRealm, redis: RedisServer, revocation: KeycloakOptions['revocation'] = {}) {
  return [await instance(t, realm, redis, revocation), await instance(t, realm, redis, revocation), await instance(t, realm, redis, revocation)] as const
}

t.test('a logout at one instance holds on every other within a second, and on one started later', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t)]
  const apps = await three(t, realm, redis)
  const token = realm.token()
  for (const app of apps) t.equal(await ask(app, '/me', token), '200')
  t.equal((await logOut(apps[0], realm)).status, 200)
  t.equal(await ask(apps[0], '/me', token), NOT_VALID, 'at once where it came in')
  const started = performance.now()
  for (const app of apps) await until(async () => await ask(app, '/me', token) === NOT_VALID)
  t.ok(performance.now() - started < 1000)
  for (const app of apps) t.equal(await ask(app, '/me', token), NOT_VALID)
  const later = await instance(t, realm, redis)
  t.equal(await ask(later, '/me', token), NOT_VALID)
  t.match(later.keycloak.health(), { ok: true, revocation: { ok: true, entries: 1 } })
})

t.test('all kinds of revocations are spread, and each call counts once on all instances together', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t)]
  const apps = await three(t, realm, redis)
  const at = now()
  const logout = realm.token({ kind: 'logout', username: 'bob', claims: { sid: undefined } })
  t.equal((await backchannel(apps[0], logout)).status, 200)
  t.equal((await push(apps[1], realm.sign(action('LOGOUT', { notBefore: at - 50 })), 'k_logout')).status, 200)
  const notBefore = realm.sign(action('PUSH_NOT_BEFORE', { notBefore: at - 20 }))
  t.equal((await push(apps[2], notBefore, 'k_push_not_before')).status, 200)
  for (const app of apps) {
    await until(() => app.keycloak.health().revocation!.notBefore === at - 20 && app.keycloak.health().revocation!.entries === 1)
    t.equal(await ask(app, '/me', realm.token({ username: 'bob', claims: { iat: at - 1 } })), NOT_VALID)
    t.equal(await ask(app, '/me', realm.token({ claims: { iat: at - 21 } })), NOT_VALID)
    t.equal(await ask(app, '/me', realm.token()), '200')
    t.equal((await backchannel(app, logout)).status, 400, 'a replay')
    t.equal((await push(app, notBefore, 'k_push_not_before')).status, 400, 'a replay')
  }
  t.equal((await push(apps[0], realm.sign(action('PUSH_NOT_BEFORE', { notBefore: 0, expiration: at + 60 })), 'k_push_not_before')).status, 200)
  for (const app of apps) {
    await until(() => app.keycloak.health().revocation!.notBefore === at - 50)
    t.equal(await ask(app, '/me', realm.token({ claims: { iat: at - 21 } })), '200')
    t.equal(await ask(app, '/me', realm.token({ claims: { iat: at - 51 } })), NOT_VALID)
  }
})

t.test('Redis killed and restarted with its data: each instance goes on from where it was', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t)]
  const apps = await three(t, realm, redis)
  t.equal((await logOut(apps[0], realm)).status, 200)
  await redis.kill()
  for (const app of apps) t.equal(await ask(app, '/me', realm.token({ username: 'bob' })), '200', 'for maxLag nobody notices')
  const bob = await logOut(apps[1], realm, { username: 'bob' })
  t.match(bob, { status: 503, body: { error_description: 'the call counts on this instance, and on the others as soon as the store of revocations takes it' } })
  t.equal(await ask(apps[1], '/me', realm.token({ username: 'bob' })), NOT_VALID, 'here it holds')
  await redis.start()
  for (const app of [...apps, await instance(t, realm, redis)]) {
    await until(() => app.keycloak.health().revocation!.entries === 2)
    t.equal(await ask(app, '/me', realm.token()), NOT_VALID)
    t.equal(await ask(app, '/me', realm.token({ username: 'bob' })), NOT_VALID)
    t.equal(await ask(app, '/me', realm.token({ username: 'carol' })), '200')
  }
  t.equal((await logOut(apps[2], realm, { username: 'carol' })).status, 200)
  for (const app of apps) {
    await until(() => app.keycloak.health().revocation!.entries === 3)
    t.equal(await ask(app, '/me', realm.token({ username: 'carol' })), NOT_VALID)
  }
})

t.test('Redis killed and restarted without its data: the instances give back what they know', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t, { appendonly: 'no' })]
  const apps = await three(t, realm, redis)
  const at = now()
  t.equal((await logOut(apps[0], realm)).status, 200)
  t.equal((await logOut(apps[1], realm, { username: 'bob', claims: { sid: undefined } })).status, 200)
  t.equal((await push(apps[2], realm.sign(action('LOGOUT', { notBefore: at - 50 })), 'k_logout')).status, 200)
  t.equal((await push(apps[2], realm.sign(action('PUSH_NOT_BEFORE', { notBefore: at - 20 })), 'k_push_not_before')).status, 200)
  for (const app of apps) await until(() => app.keycloak.health().revocation!.entries === 2 && app.keycloak.health().revocation!.notBefore === at - 20)
  await redis.kill()
  await redis.start()
  const client = new Redis(redis.options)
  t.teardown(() => client.disconnect())
  await until(async () => await client.xlen(`fastify-keycloak-bearer:${realm.issuer}`) >= 4)
  const later = await instance(t, realm, redis)
  await until(() => later.keycloak.health().ok)
  t.match(later.keycloak.health().revocation, { entries: 2, notBefore: at - 20 })
  for (const app of [...apps, later]) {
    t.equal(await ask(app, '/me', realm.token()), NOT_VALID)
    t.equal(await ask(app, '/me', realm.token({ username: 'bob', claims: { iat: at } })), NOT_VALID)
    t.equal(await ask(app, '/me', realm.token({ username: 'carol' })), '200')
  }
})

t.test('a stream that somebody deletes is given back as well', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t)]
  const app = await instance(t, realm, redis, { maxLag: 400 })
  const client = new Redis(redis.options)
  t.teardown(() => client.disconnect())
  t.equal((await logOut(app, realm)).status, 200)
  await until(() => app.keycloak.health().revocation!.entries === 1)
  await wait(200)
  await client.flushall()
  await until(async () => await client.xlen(`fastify-keycloak-bearer:${realm.issuer}`) === 1)
  t.equal((await instance(t, realm, redis)).keycloak.health().revocation!.entries, 1)
})

t.test('where nothing counts any more there is nothing to give back', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t)]
  const app = await instance(t, realm, redis, { maxLag: 400, maxTokenLifetime: 1 })
  const client = new Redis(redis.options)
  t.teardown(() => client.disconnect())
  t.equal((await logOut(app, realm)).status, 200)
  await wait(1300)
  await client.flushall()
  await wait(400)
  t.equal(await client.dbsize(), 0)
  t.equal(app.keycloak.health().ok, true)
})

t.test('while one instance gives back what was lost the others wait, and follow all the same', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t)]
  const app = await instance(t, realm, redis, { maxLag: 600 })
  const client = new Redis(redis.options)
  t.teardown(() => client.disconnect())
  const key = `fastify-keycloak-bearer:${realm.issuer}`
  t.equal((await logOut(app, realm)).status, 200)
  await wait(300)
  await client.set(`${key}:restoring`, 'another', 'PX', 1200)
  await client.del(key)
  await client.xadd(key, '*', 'revocation', JSON.stringify({ kind: 'session', id: 'other', at: now() }))
  await client.xadd(key, '*', 'revocation', 'null')
  await until(() => app.keycloak.health().revocation!.entries === 2)
  await wait(700)
  t.equal(await client.xlen(key), 2)
  t.equal(app.keycloak.health().ok, true)
  await until(async () => await client.xlen(key) === 3)
  t.equal(await client.xlen(key), 3)
  await until(async () => await client.exists(`${key}:restoring`) === 0)
  t.equal(await client.exists(`${key}:restoring`), 0)
})

t.test('cut off for longer than maxLag an instance answers 503, and not before; then it catches up', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t)]
  const log = logging()
  const app = await instance(t, realm, redis, { maxLag: 1500 }, log)
  const token = realm.token()
  t.equal(await ask(app, '/me', token), '200')
  await redis.kill()
  const cut = performance.now()
  await until(async () => await ask(app, '/me', token) !== '200')
  t.equal(await ask(app, '/me', token), UNAVAILABLE)
  t.ok(performance.now() - cut > 1000)
  t.match(app.keycloak.health(), { ok: false, revocation: { ok: false, lag: Number } })
  t.equal(await ask(app, '/open'), '200', 'who has no token needs no revocations')
  t.equal(await ask(app, '/me', realm.token({ forged: true })), NOT_VALID, 'what is not valid stays so')
  t.match(log.text, 'the store of revocations cannot be read: ECONNREFUSED')
  await redis.start()
  await until(async () => await ask(app, '/me', token) === '200')
  t.match(app.keycloak.health(), { ok: true, revocation: { ok: true } })
  t.match(log.text, 'the store of revocations can be read again')
})

t.test('a Redis that takes connections and answers nothing is cut off as well', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t)]
  const app = await instance(t, realm, redis, { maxLag: 1000 })
  const token = realm.token()
  redis.pause()
  t.teardown(() => redis.resume())
  await until(async () => await ask(app, '/me', token) !== '200')
  t.equal(await ask(app, '/me', token), UNAVAILABLE)
  const started = performance.now()
  t.equal((await logOut(app, realm)).status, 503)
  t.ok(performance.now() - started < 3000, 'Keycloak is not kept waiting')
  await wait(2500)
  redis.resume()
  await until(async () => await ask(app, '/me', realm.token({ username: 'bob' })) === '200')
  t.equal(await ask(app, '/me', token), NOT_VALID)
  t.equal((await instance(t, realm, redis)).keycloak.health().revocation!.entries, 1, 'and the logout got through')
})

t.test('an API that starts without Redis answers 503 until it has read what was revoked', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t)]
  t.equal((await logOut(await instance(t, realm, redis), realm)).status, 200)
  await redis.kill()
  const log = logging()
  const started = performance.now()
  const app = await instance(t, realm, redis, {}, log)
  t.ok(performance.now() - started < 4000, 'it starts')
  t.match(log.text, 'the store of revocations could not be read in time')
  t.equal(await ask(app, '/me', realm.token({ username: 'bob' })), UNAVAILABLE)
  t.match(app.keycloak.health().revocation, { ok: false, lag: null })
  await redis.start()
  await until(() => app.keycloak.health().ok)
  t.equal(await ask(app, '/me', realm.token()), NOT_VALID)
  t.equal(await ask(app, '/me', realm.token({ username: 'bob' })), '200')
})

t.test('entries end by themselves', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t)]
  const client = new Redis(redis.options)
  t.teardown(() => client.disconnect())
  const key = `fastify-keycloak-bearer:${realm.issuer}`
  // Whole nodes of a stream are trimmed.
  await oldStream(client, key)
  const app = await instance(t, realm, redis, { maxTokenLifetime: 400 })
  t.equal(app.keycloak.health().revocation!.entries, 0, 'read, and over')
  t.equal((await logOut(app, realm)).status, 200)
  t.ok(await client.xlen(key) < 110, 'trimmed by what is added')
  const ttl = await client.pttl(key)
  t.ok(ttl > 400_000 && ttl <= 1_000_000, `the last ones end with the stream, in ${ttl} ms`)
})

/** A stream with entries of an hour ago, of which each node holds a hundred. */
async function oldStream (client: Redis, key: string): Promise<void> {
  const old = Date.now() - 3_600_000
  const pipeline = client.pipeline()
  for (let at = 0; at < 200; at++) {
    pipeline.xadd(key, `${old + at}-0`, 'revocation', JSON.stringify({ kind: 'session', id: `s${at}`, at: Math.floor(old / 1000) }))
  }
  await pipeline.exec()
}

t.test('APIs with tokens of different lives share a stream: it is kept for the longest of them, for good', async (t) => {
  const [realm, redis] = [await realmFor(t, { tokenLifespan: 80_000 }), await redisFor(t)]
  const client = new Redis(redis.options)
  t.teardown(() => client.disconnect())
  const key = `fastify-keycloak-bearer:${realm.issuer}`
  const minutes = () => instance(t, realm, redis, { maxTokenLifetime: 600 })
  const day = () => instance(t, realm, redis, { maxTokenLifetime: 86_400 })
  const kept = async () => Math.ceil(await client.pttl(key) / 1000)

  const first = await minutes()
  t.equal((await logOut(first, realm)).status, 200)
  t.ok(await kept() > 1100 && await kept() <= 1200, `for as long as all that use it need: ${await kept()} s`)
  const long = await day()
  t.ok(await kept() > 86_900, `one that starts later needs it longer: ${await kept()} s`)
  t.equal(await ask(long, '/me', realm.token()), NOT_VALID)
  await long.close()
  t.equal((await logOut(first, realm, { username: 'bob' })).status, 200)
  await first.close()
  const again = await minutes()
  t.equal((await logOut(again, realm, { username: 'carol' })).status, 200)
  t.ok(await kept() > 86_900, `though it is gone, and the others write and start anew: ${await kept()} s`)
  const later = await day()
  for (const username of ['alice', 'bob', 'carol']) t.equal(await ask(later, '/me', realm.token({ username })), NOT_VALID)

  await client.flushall()
  t.equal((await logOut(again, realm, { username: 'dora' })).status, 200)
  await until(async () => await kept() > 86_900)
  t.ok(await kept() > 86_900, `after Redis lost everything too: ${await kept()} s`)
})

t.test('no instance trims what another one needs, though its own tokens live shorter', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t)]
  const client = new Redis(redis.options)
  t.teardown(() => client.disconnect())
  const key = `fastify-keycloak-bearer:${realm.issuer}`
  await oldStream(client, key)
  await instance(t, realm, redis, { maxTokenLifetime: 86_400 })
  const short = await instance(t, realm, redis, { maxTokenLifetime: 60 })
  t.equal((await logOut(short, realm)).status, 200)
  t.equal(await client.xlen(key), 201)
})

t.test('a longest life that is none is replaced by one that is', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t)]
  const client = new Redis(redis.options)
  t.teardown(() => client.disconnect())
  const key = `fastify-keycloak-bearer:${realm.issuer}`
  const app = await instance(t, realm, redis, { maxTokenLifetime: Number.MAX_SAFE_INTEGER })
  for (const value of ['', 'x', '-1', '0', 'inf', 'nan', '1e300', '315360000001']) {
    await client.set(`${key}:lifetime`, value)
    t.equal((await logOut(app, realm)).status, 200, value)
    t.equal(await client.get(`${key}:lifetime`), '315360000000', 'ten years are the most')
  }
})

t.test('an instance may follow a Redis that it cannot write, such as a replica', async (t) => {
  const [realm, redis, replica] = [await realmFor(t), await redisFor(t), await redisFor(t)]
  const client = new Redis(replica.options)
  t.teardown(() => client.disconnect())
  await client.replicaof('127.0.0.1', redis.port)
  await until(async () => (await client.info('replication')).includes('master_link_status:up'))
  const [app, reading] = [await instance(t, realm, redis), await instance(t, realm, replica)]
  t.equal((await logOut(app, realm)).status, 200)
  await until(() => reading.keycloak.health().revocation!.entries === 1)
  t.equal(await ask(reading, '/me', realm.token()), NOT_VALID)
  t.equal(reading.keycloak.health().ok, true)
})

t.test('many revocations are read in batches', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t)]
  const client = new Redis(redis.options)
  t.teardown(() => client.disconnect())
  const key = `fastify-keycloak-bearer:${realm.issuer}`
  const pipeline = client.pipeline()
  for (let at = 0; at < 2500; at++) pipeline.xadd(key, '*', 'revocation', JSON.stringify({ kind: 'session', id: `s${at}`, at: now() }))
  await pipeline.exec()
  const app = await instance(t, realm, redis)
  t.equal(app.keycloak.health().revocation!.entries, 2500)
  await client.del(key)
  await until(async () => await client.xlen(key) === 2500)
  t.equal(await client.xlen(key), 2500, 'and given back in batches')
})

t.test('what is no revocation is passed over, with a warning', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t)]
  const client = new Redis(redis.options)
  t.teardown(() => client.disconnect())
  const key = `fastify-keycloak-bearer:${realm.issuer}`
  const at = now()
  const foreign = [
    '{', 'null', '5', '{}', { kind: 'session', id: 'x' }, { kind: 'session', at }, { kind: 'user', id: 5, at }, { kind: 'other', at },
    { kind: 'realm', at }, { kind: 'everybody', at: 'x' }, { kind: 'realm', at, call: 5 }, { kind: 'realm', at, call: { id: 5, until: at } },
    { kind: 'realm', at, call: { id: 'x' } }
  ]
  for (const value of foreign) await client.xadd(key, '*', 'revocation', typeof value === 'string' ? value : JSON.stringify(value))
  await client.xadd(key, '*', 'other', 'x')
  const log = logging()
  const app = await instance(t, realm, redis, {}, log)
  t.match(app.keycloak.health().revocation, { ok: true, entries: 0, notBefore: 0 })
  t.match(log.text, 'the store of revocations holds something that is none')
})

t.test('iovalkey will do as well, and clients that are set up for something else', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t)]
  const clients = [
    new Valkey(redis.options),
    new Redis({ ...redis.options, keyPrefix: 'mine:', commandTimeout: 200, lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 1 }),
    new Valkey({ ...redis.options, keyPrefix: 'mine:', socketTimeout: 300, lazyConnect: true })
  ] as const
  await clients[1].connect()
  t.teardown(() => { for (const client of clients) client.disconnect() })
  const apps: FastifyInstance[] = []
  for (const client of clients) apps.push(await apiFor(t, realm, { ...LOGOUT, revocation: { store: redisStore({ client }) } }))
  await wait(1500)
  t.equal((await logOut(apps[1]!, realm)).status, 200)
  await until(() => apps[2]!.keycloak.health().revocation!.entries === 1)
  t.equal(await ask(apps[2]!, '/me', realm.token()), NOT_VALID)
  t.equal(await ask(apps[0]!, '/me', realm.token()), '200', 'under another key, it is another store')
  t.equal((await logOut(apps[0]!, realm)).status, 200)
  t.equal(await ask(apps[0]!, '/me', realm.token()), NOT_VALID)
  for (const app of apps) t.equal(app.keycloak.health().ok, true)
})

t.test('a cluster will do as well', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t, await clusterNode())]
  const client = new Redis(redis.options)
  t.teardown(() => client.disconnect())
  await client.call('cluster', 'addslotsrange', 0, 16_383)
  await until(async () => String(await client.call('cluster', 'info')).includes('cluster_state:ok'))
  const clients = [new Cluster([redis.options]), new Cluster([redis.options], { keyPrefix: 'mine:' })]
  t.teardown(() => { for (const each of clients) each.disconnect() })
  for (const client of clients) {
    const start = () => apiFor(t, realm, { ...LOGOUT, revocation: { store: redisStore({ client }) } })
    const apps = [await start(), await start()]
    t.equal((await logOut(apps[0]!, realm)).status, 200)
    await until(() => apps[1]!.keycloak.health().revocation!.entries === 1)
    t.equal(await ask(apps[1]!, '/me', realm.token()), NOT_VALID)
    t.equal((await start()).keycloak.health().revocation!.entries, 1)
  }
})

t.test('realms are kept apart, unless a key of one\'s own says otherwise', async (t) => {
  const redis = await redisFor(t)
  const realms = [await realmFor(t), await realmFor(t)]
  const start = async (key?: string) => Promise.all(realms.map(async (realm) => {
    const client = new Redis(redis.options)
    t.teardown(() => client.disconnect())
    return apiFor(t, realm, { ...LOGOUT, revocation: { store: redisStore({ client, key }) } })
  }))
  const [one, other] = await start()
  t.equal((await logOut(one!, realms[0]!)).status, 200)
  await wait(200)
  t.equal(other!.keycloak.health().revocation!.entries, 0)
  const [first, second] = await start('shared')
  t.equal((await logOut(first!, realms[0]!)).status, 200)
  await until(() => second!.keycloak.health().revocation!.entries === 1)
  t.equal(second!.keycloak.health().revocation!.entries, 1)
})

t.test('a wrong client, or a store that serves two, is said at start', async (t) => {
  const [realm, redis] = [await realmFor(t), await redisFor(t)]
  for (const client of [undefined, {}, { call () {} }]) {
    t.throws(() => redisStore({ client: client as never }), { name: 'TypeError', message: 'redisStore: client must be a client of ioredis or iovalkey' })
  }
  const client = new Redis(redis.options)
  t.teardown(() => client.disconnect())
  const store = redisStore({ client })
  await apiFor(t, realm, { revocation: { store } })
  await t.rejects(apiFor(t, realm, { revocation: { store } }), { message: /one store serves one registration/ })
})
