// A proof is accepted once, by every instance, or the request is 503: the memory of used proofs never forgets and never opens.
import { Redis } from 'ioredis'
import t from 'tap'
import keycloak, { type KeycloakError, redisReplayStore, type ReplayStore } from '../../index.js'
import { Closing } from '../../lib/keycloak/closing.js'
import { ReplayGuard } from '../../lib/proof/replay-guard.js'
import { ReplayMemory } from '../../lib/proof/replay-memory.js'
import { clocksFor } from '../support/clocks.js'
import { redisFor } from '../support/redis.js'

const REASONS: ReadonlySet<string> = new Set(['proof_replayed', 'replay_store_full', 'replay_store_failed', 'replay_store_busy', 'api_closing'])

interface Guarded { guard: ReplayGuard, closing: Closing, warnings: string[], use: (key?: string) => Promise<string> }

function guardFor (options: { store?: unknown, max?: number }): Guarded {
  const [closing, warnings]: [Closing, string[]] = [new Closing(), []]
  const guard = new ReplayGuard({ max: 3, ...options } as ConstructorParameters<typeof ReplayGuard>[0], { closing, log: { warn: (line) => { warnings.push(line) } } })
  async function use (key = 'key'): Promise<string> {
    try {
      await guard.use(key, 30_000)
      return 'good'
    } catch (error) {
      const { statusCode, reasonCode } = error as KeycloakError
      if (!REASONS.has(reasonCode)) t.fail(reasonCode)
      return `${statusCode} ${reasonCode}`
    }
  }
  return { guard, closing, warnings, use }
}

const storeOf = (add: ReplayStore['add']): ReplayStore => ({ add })

t.test('the memory of this process takes each key once, and is full before it forgets', async (t) => {
  const clocks = clocksFor(t)
  const { guard, use, warnings } = guardFor({})
  for (const key of ['a', 'b']) t.equal(await use(key), 'good')
  t.equal(await use('a'), '401 proof_replayed')
  t.equal(await use('c'), 'good')
  t.equal(await use('d'), '503 replay_store_full')
  t.equal(await use('a'), '503 replay_store_full')
  t.equal(warnings.length, 1)
  t.match(warnings[0], /^dpop: the memory of used proofs is full: raise dpop.replay.max/)
  clocks.advance(29)
  t.equal(await use('d'), '503 replay_store_full')
  clocks.advance(3)
  t.equal(await use('d'), 'good')
  t.equal(guard.close(), undefined)
})

t.test('a wall clock that is set back lets no proof in again', async (t) => {
  const clocks = clocksFor(t)
  const memory = new ReplayMemory(10)
  t.equal(memory.add('a', 30_000), true)
  t.equal(memory.add('b', 20_000), true)
  t.equal(memory.add('c', 30_000), true)
  clocks.jump(-60)
  clocks.advance(40)
  t.equal(memory.isFull, false)
  t.equal(memory.add('a', 30_000), false)
  clocks.advance(60)
  t.equal(memory.isFull, false)
  t.equal(memory.size, 0)
  t.equal(memory.add('a', 30_000), true)
})

t.test('a store of the application decides, at once or later', async (t) => {
  for (const answer of [(is: boolean) => is, async (is: boolean) => is]) {
    t.equal(await guardFor({ store: storeOf(() => answer(true)) }).use(), 'good')
    t.equal(await guardFor({ store: storeOf(() => answer(false)) }).use(), '401 proof_replayed')
  }
})

t.test('a store that says neither makes the request 503, and the log names no foreign text', async (t) => {
  const stores: Array<() => unknown> = [() => undefined, () => null, () => 1, () => 'OK', () => ({}), async () => 'true', () => { throw new Error('secret') }, async () => { throw new Error('secret') }]
  for (const add of stores) {
    const { use, warnings } = guardFor({ store: { add } })
    t.equal(await use(), '503 replay_store_failed', String(add))
    t.match(warnings, [/^dpop: the replay store failed, or did not answer in time: look at/])
  }
})

t.test('a store that hangs makes requests 503 in time, and no more than a number of them wait', async (t) => {
  const { use, closing } = guardFor({ store: storeOf(() => new Promise(() => {})) })
  const first = use()
  t.equal(await first, '503 replay_store_failed')
  const waiting = Array.from({ length: 10_000 }, () => use())
  t.equal(await use(), '503 replay_store_busy')
  closing.finish()
  t.same(new Set(await Promise.all(waiting)), new Set(['503 api_closing']))
})

t.test('beyond the number that may wait, the store is not asked', async (t) => {
  let count = 0
  const { use, closing } = guardFor({ store: storeOf(() => { count++; return new Promise(() => {}) }) })
  const waiting = Array.from({ length: 10_000 }, () => use())
  t.equal(await use(), '503 replay_store_busy')
  t.equal(count, 10_000)
  closing.finish()
  await Promise.all(waiting)
})

t.test('a store is closed with the API', async (t) => {
  let closed = 0
  const { guard } = guardFor({ store: { add: () => true, close: () => { closed++ } } })
  await guard.close()
  t.equal(closed, 1)
})

t.test('of one proof at three instances with one Redis, one passes', async (t) => {
  const server = await redisFor(t)
  const clients = Array.from({ length: 3 }, () => new Redis(server.options))
  t.teardown(() => { for (const client of clients) client.disconnect() })
  const stores = clients.map((client) => redisReplayStore({ client }))
  for (let round = 0; round < 50; round++) {
    const answers = await Promise.all(Array.from({ length: 30 }, async (_, at) => stores[at % 3]!.add(`key-${round}`, 30_000)))
    t.equal(answers.filter((answer) => answer).length, 1)
  }
  const ttl = await clients[0]!.pttl('fastify-keycloak-bearer:dpop:key-0')
  t.ok(ttl > 0 && ttl <= 30_000, String(ttl))
  t.equal(await redisReplayStore({ client: clients[0]!, prefix: 'mine:' }).add('key-0', 1000), true)
  const { use } = guardFor({ store: stores[0] })
  t.equal(await use(), 'good')
  t.equal(await use(), '401 proof_replayed')
})

t.test('a client that is none, and an answer that Redis does not give', async (t) => {
  for (const client of [undefined, null, {}, { set: () => {} }]) t.throws(() => redisReplayStore({ client } as never), { message: 'fastify-keycloak-bearer: redisReplayStore() needs { client }, a client of ioredis or iovalkey' })
  t.equal(await guardFor({ store: redisReplayStore({ client: { call: async () => 'QUEUED' } }) }).use(), '503 replay_store_failed')
  t.equal(keycloak.redisReplayStore, redisReplayStore)
})
