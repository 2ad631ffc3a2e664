// One Redis store for several issuers: a stream for each, over one connection.
import Fastify, { type FastifyInstance } from 'fastify'
import { Cluster, Redis } from 'ioredis'
import t, { type Test } from 'tap'
import keycloak, { redisStore } from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { ask, type Log, logging, realmFor, until } from '../support/app.js'
import { LOGOUT, logOut } from '../support/logout.js'
import { clusterNode, redisFor, type RedisServer } from '../support/redis.js'

const NOT_VALID = '401 token_not_valid'

/** Each has a Redis of its own, and waits for it most of the time. */
t.jobs = 3

function clientOf (t: Test, redis: RedisServer): Redis {
  const client = new Redis(redis.options)
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  return client
}

/** An instance of an API of several realms: a list of them, or a function that knows them. */
async function instance (t: Test, realms: readonly TestRealm[], client: Redis | Cluster, options: object = {}, log: Log = logging()): Promise<FastifyInstance> {
  const app = Fastify(log as object)
  t.teardown(() => app.close())
  const { key, ...more } = options as { key?: string }
  const issuers = realms.map(({ options: { startCheck, ...realm } }) => realm)
  await app.register(keycloak, { issuers, startCheck: false, ...LOGOUT, revocation: { store: redisStore({ client, ...(key !== undefined && { key }) }) }, ...more })
  app.get('/me', { config: { authenticated: true } }, async () => ({}))
  return app
}

/** Realms of different names. */
async function realmsFor (t: Test, count: number): Promise<TestRealm[]> {
  return Promise.all(Array.from({ length: count }, (_, at) => realmFor(t, { name: `realm-${at}` })))
}

/** The connections of clients that block or have blocked. */
async function readers (client: Redis): Promise<number> {
  return String(await client.client('LIST')).split('\n').filter((line) => / cmd=x(?:read|range) /.test(line)).length
}

t.test('a logout of one issuer holds at every instance, and touches no session of another issuer', async (t) => {
  const [realms, redis] = [await realmsFor(t, 3), await redisFor(t)]
  const [acme, globex] = realms as [TestRealm, TestRealm]
  const apps = [await instance(t, realms, clientOf(t, redis)), await instance(t, realms, clientOf(t, redis))] as const
  const spec = { sub: 'same', claims: { sid: 'same' } }
  t.equal((await logOut(apps[0], acme, spec)).status, 200)
  for (const app of apps) {
    await until(async () => await ask(app, '/me', acme.token(spec)) === NOT_VALID)
    t.equal(await ask(app, '/me', globex.token(spec)), '200')
  }
  t.equal((await logOut(apps[1], globex, spec)).status, 200)
  await until(async () => await ask(apps[0], '/me', globex.token(spec)) === NOT_VALID)
  const later = await instance(t, realms, clientOf(t, redis))
  for (const realm of [acme, globex]) t.equal(await ask(later, '/me', realm.token(spec)), NOT_VALID)
  t.equal(await ask(later, '/me', realms[2]!.token(spec)), '200')
})

t.test('a key of one\'s own keeps issuers apart as well', async (t) => {
  const [realms, redis] = [await realmsFor(t, 2), await redisFor(t)]
  const client = clientOf(t, redis)
  const apps = [await instance(t, realms, client, { key: 'mine' }), await instance(t, realms, clientOf(t, redis), { key: 'mine' })]
  t.equal((await logOut(apps[0]!, realms[0]!, { claims: { sid: 'same' } })).status, 200)
  await until(async () => await ask(apps[1]!, '/me', realms[0]!.token({ claims: { sid: 'same' } })) === NOT_VALID)
  t.equal(await ask(apps[1]!, '/me', realms[1]!.token({ claims: { sid: 'same' } })), '200')
  t.same((await client.keys('mine*')).filter((key) => !key.endsWith(':lifetime')), [`mine:${realms[0]!.issuer}`])
})

t.test('a hundred issuers are followed over one connection', async (t) => {
  const [realms, redis] = [await realmsFor(t, 3), await redisFor(t)]
  const client = clientOf(t, redis)
  const more = Array.from({ length: 97 }, (_, at) => ({ issuer: `https://sso.example.com/realms/${at}`, audience: 'api' }))
  const issuers = [...realms.map(({ options: { startCheck, ...realm } }) => realm), ...more]
  const app = await instance(t, realms, client, { issuers })
  await until(() => app.keycloak.health().ok)
  t.equal(await readers(client), 1)
  t.equal((await logOut(app, realms[2]!)).status, 200)
})

t.test('Redis killed and restarted without its data: each issuer gets back what it had, and one line tells of all', async (t) => {
  const [realms, redis, log] = [await realmsFor(t, 3), await redisFor(t, { appendonly: 'no' }), logging()]
  const [other, app] = [await instance(t, realms, clientOf(t, redis)), await instance(t, realms, clientOf(t, redis), {}, log)]
  for (const realm of realms) t.equal((await logOut(other, realm, { claims: { sid: realm.issuer } })).status, 200)
  await until(() => realms.every(({ issuer }) => app.keycloak.health().issuers![issuer.split('/').at(-1)!]!.revocation!.entries === 1))
  await redis.kill()
  await redis.start()
  const client = clientOf(t, redis)
  for (const { issuer } of realms) await until(async () => await client.xlen(`fastify-keycloak-bearer:${issuer}`) > 0)
  await until(() => log.text.includes('the store of revocations can be read again'))
  t.equal(log.text.split('can be read again').length, 2)
  const later = await instance(t, realms, clientOf(t, redis))
  for (const realm of realms) t.equal(await ask(later, '/me', realm.token({ claims: { sid: realm.issuer } })), NOT_VALID)
})

t.test('a stream that cannot be read makes its issuer 503, and no other one', async (t) => {
  const [realms, redis, log] = [await realmsFor(t, 2), await redisFor(t), logging()]
  const [acme, globex] = realms as [TestRealm, TestRealm]
  const client = clientOf(t, redis)
  await client.set(`fastify-keycloak-bearer:${acme.issuer}`, 'a string')
  const app = await instance(t, realms, client, {}, log)
  t.equal(await ask(app, '/me', acme.token()), '503 keycloak_unavailable')
  t.equal(await ask(app, '/me', globex.token()), '200')
  t.match(log.text, 'the store of revocations cannot be read: WRONGTYPE')
  t.equal((await logOut(app, globex)).status, 200)
  t.equal((await logOut(app, acme)).status, 503)
  await client.del(`fastify-keycloak-bearer:${acme.issuer}`)
  await until(async () => await ask(app, '/me', acme.token({ username: 'bob' })) === '200')
  t.equal(await ask(app, '/me', acme.token()), NOT_VALID, 'and its logout was not lost')
  await until(async () => await client.xlen(`fastify-keycloak-bearer:${acme.issuer}`) === 1)
})

t.test('in a cluster, whose nodes have the streams of different issuers, they are read in turn', async (t) => {
  const [realms, redis] = [await realmsFor(t, 3), await redisFor(t, await clusterNode())]
  const node = clientOf(t, redis)
  await node.call('cluster', 'addslotsrange', 0, 16_383)
  await until(async () => String(await node.call('cluster', 'info')).includes('cluster_state:ok'))
  const cluster = new Cluster([redis.options])
  t.teardown(() => cluster.disconnect())
  const apps = [await instance(t, realms, cluster), await instance(t, realms, cluster)]
  for (const realm of realms) {
    t.equal((await logOut(apps[0]!, realm, { claims: { sid: realm.issuer } })).status, 200)
    await until(async () => await ask(apps[1]!, '/me', realm.token({ claims: { sid: realm.issuer } })) === NOT_VALID)
    t.equal(await ask(apps[1]!, '/me', realm.token()), '200')
  }
})

t.test('a realm that is made again reads what the others revoked before it lets a token in', async (t) => {
  const [realms, redis] = [await realmsFor(t, 3), await redisFor(t)]
  const [acme, globex, initech] = realms as [TestRealm, TestRealm, TestRealm]
  const issuers = async (iss: string) => realms.find(({ issuer }) => issuer === iss)?.options ?? null
  const entries = async (iss: string) => {
    const found = await issuers(iss)
    return found && { issuer: found.issuer, audience: 'api', clientId: 'api' }
  }
  const client = clientOf(t, redis)
  const app = await instance(t, [], client, { issuers: entries, maxIssuers: 1 })
  const all = await instance(t, realms, clientOf(t, redis))
  const spec = { claims: { sid: 'one' } }
  t.equal(await ask(app, '/me', acme.token(spec)), '200')
  for (const realm of [globex, initech]) t.equal(await ask(app, '/me', realm.token(spec)), '200', 'acme is dropped')
  t.equal((await logOut(all, acme, spec)).status, 200)
  t.equal(await ask(app, '/me', acme.token(spec)), NOT_VALID)
  t.equal(await ask(app, '/me', globex.token(spec)), '200')
  t.equal((await logOut(app, acme, { claims: { sid: 'two' } })).status, 200, 'a logout here, while the realm is away')
  await until(async () => await ask(all, '/me', acme.token({ claims: { sid: 'two' } })) === NOT_VALID)
  t.ok(await readers(client) <= 2)
  await client.set(`fastify-keycloak-bearer:${globex.issuer}`, 'a string')
  t.equal(await ask(app, '/me', acme.token()), '200')
  t.equal(await ask(app, '/me', globex.token()), '503 keycloak_unavailable', 'its stream cannot be read')
  t.equal(await ask(app, '/me', acme.token()), '200')
})
