// Many calls to Keycloak at once: no user shuts out the others, and what waits in this process is no outage of Keycloak's.
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { Agent } from 'undici'
import type { TestRealm } from '../../lib/testing/index.js'
import { apiFor, ask, type Log, logging, realmFor, until, wait, WARN } from '../support/app.js'
import { client } from '../support/client.js'
import { heldIntrospection } from '../support/held-introspection.js'

const ON = { verifyTokensWithKeycloak: true }
const UNAVAILABLE = '503 keycloak_unavailable'
const HONEST = 26

/** So many tokens of one user, or one of each of so many users. */
const tokensOf = (realm: TestRealm, username: string, count: number) => Array.from({ length: count }, () => realm.token({ username }))
const users = (realm: TestRealm, count: number) => Array.from({ length: count }, (_, at) => realm.token({ username: `user-${at}` }))
const pending = (app: FastifyInstance) => app.keycloak.health().introspection?.pending

function askAll (app: FastifyInstance, tokens: readonly string[]): Promise<string[]> {
  return Promise.all(tokens.map((token) => ask(app, '/me', token)))
}

function isWell (t: Test, app: FastifyInstance, log: Log): void {
  t.match(app.keycloak.health(), { ok: true, introspection: { ok: true, breaker: 'closed', pending: 0 } })
  t.notOk(log.lines.some(({ msg }) => /cannot be used/.test(msg)), 'Keycloak is not blamed')
}

for (const [requests, tokens] of [[700, 1], [1000, 1], [700, 50], [1000, 50]] as const) {
  for (const cacheTtl of [0, 60_000]) {
    t.test(`one user with ${requests} open requests by ${tokens} tokens keeps nobody waiting, cacheTtl ${cacheTtl}`, async (t) => {
      const realm = await realmFor(t)
      const log = logging()
      const app = await apiFor(t, realm, { ...ON, introspection: { cacheTtl } }, log)
      const keycloak = heldIntrospection(realm)
      const greedy = tokensOf(realm, 'greedy', tokens)
      const honest = users(realm, HONEST)
      const attack = askAll(app, Array.from({ length: requests }, (_, at) => greedy[at % tokens]!))
      const underWay = cacheTtl > 0 ? Math.min(tokens, 32) : 32
      await keycloak.until(underWay)
      const served = askAll(app, honest)
      await keycloak.until(underWay + HONEST)
      t.same(new Set(keycloak.asked.slice(underWay)), new Set(honest), 'they are asked about before any of the others is answered')
      keycloak.answer(honest)
      t.same(await served, Array(HONEST).fill('200'))
      keycloak.release()
      t.same(new Set(await attack), new Set(['200']))
      isWell(t, app, log)
      // What was not sent yet is shared by all who ask for the same.
      const calls = cacheTtl > 0 ? tokens : 32 + tokens
      t.equal(realm.requests.introspect, calls + HONEST)
    })
  }
}

t.test('a Keycloak that is too slow for one user is no outage', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, { ...ON, introspection: { timeout: 3000 } }, log)
  realm.respond('introspect', (_request, response) => { setTimeout(() => response.end('{"active":true}'), 250) })
  const attack = askAll(app, tokensOf(realm, 'greedy', 700))
  await until(() => realm.requests.introspect >= 32)
  t.same(await askAll(app, users(realm, HONEST)), Array(HONEST).fill('200'))
  const answers = await attack
  t.same(new Set(answers), new Set(['200', UNAVAILABLE]), 'not all of 700 calls of a quarter of a second can be made in three')
  isWell(t, app, log)
  const warnings = log.lines.filter(({ level, msg }) => level === WARN && /introspect/.test(msg))
  t.match(warnings, [{ msg: /^introspection: requests that waited 3000 ms \(introspection\.timeout\) for one of 64 connections are 503/ }])
  t.ok(log.lines.some(({ reasonCode }) => reasonCode === 'connections_busy'))
})

t.test('at maxPending a newcomer takes the place of a call of whoever has most', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, { ...ON, introspection: { maxPending: 40 } }, log)
  const keycloak = heldIntrospection(realm)
  const attack = askAll(app, tokensOf(realm, 'greedy', 100))
  await keycloak.until(32)
  await until(() => pending(app) === 40)
  const honest = users(realm, 20)
  const served = askAll(app, honest)
  await keycloak.until(32 + honest.length)
  t.same(new Set(keycloak.asked.slice(32)), new Set(honest))
  t.equal(pending(app), 40)
  keycloak.release()
  t.same(await served, Array(honest.length).fill('200'))
  const answers = await attack
  // First those that waited, then those under way.
  t.equal(answers.filter((answer) => answer === '200').length, 20)
  t.equal(answers.filter((answer) => answer === UNAVAILABLE).length, 80)
  isWell(t, app, log)
  const warnings = log.lines.filter(({ level, msg }) => level === WARN && /introspect/.test(msg))
  t.match(warnings, [{ msg: /^introspection: 40 calls are pending already, .*introspection\.maxPending/ }])
  t.ok(log.lines.some(({ reason }) => reason === 'a call of a user with fewer calls took its place'))
})

t.test('where all have the same, a newcomer is 503', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, { ...ON, introspection: { maxPending: 3 } }, log)
  const keycloak = heldIntrospection(realm)
  const [one, two, three, four] = users(realm, 4)
  const served = askAll(app, [one!, two!, three!])
  await keycloak.until(3)
  t.equal(await ask(app, '/me', four), UNAVAILABLE)
  t.equal(await ask(app, '/me', one), UNAVAILABLE)
  keycloak.release()
  t.same(await served, Array(3).fill('200'))
  t.equal(realm.requests.introspect, 3)
  isWell(t, app, log)
})

t.test('those who wait have their turns round robin, each with its oldest call', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  const keycloak = heldIntrospection(realm)
  const first = Array.from({ length: 8 }, (_, at) => tokensOf(realm, `first-${at}`, 8)).flat()
  const served = [askAll(app, first)]
  await keycloak.until(64)
  const waiting: Record<string, string[]> = { x: tokensOf(realm, 'x', 4), y: tokensOf(realm, 'y', 2), z: tokensOf(realm, 'z', 1) }
  for (const tokens of Object.values(waiting)) {
    for (const token of tokens) {
      const before = pending(app)!
      served.push(askAll(app, [token]))
      await until(() => pending(app) === before + 1)
    }
  }
  const { x, y, z } = waiting
  const order = [x![0], y![0], z![0], x![1], y![1], x![2], x![3]]
  for (let at = 0; at < order.length; at++) {
    keycloak.answer([first[at]!])
    await keycloak.until(65 + at)
  }
  t.same(keycloak.asked.slice(64), order)
  keycloak.release()
  t.same(new Set((await Promise.all(served)).flat()), new Set(['200']))
})

t.test('a user is one, whatever tokens they have; without sub it is the session, without that the token', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  const keycloak = heldIntrospection(realm)
  const claims = { sub: undefined, sid: 'the same' }
  const sameSession = Array.from({ length: 40 }, () => realm.token({ claims }))
  const noSession = Array.from({ length: 8 }, () => realm.token({ claims: { sub: undefined, sid: undefined } }))
  const served = [askAll(app, sameSession)]
  await keycloak.until(32)
  await until(() => pending(app) === 40)
  served.push(askAll(app, noSession))
  await keycloak.until(40)
  t.same(new Set(keycloak.asked.slice(32)), new Set(noSession))
  keycloak.release()
  t.same(new Set((await Promise.all(served)).flat()), new Set(['200']))
})

t.test('while Keycloak is known to be away nobody waits for a connection', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  const keycloak = heldIntrospection(realm)
  const served = askAll(app, tokensOf(realm, 'greedy', 33))
  await keycloak.until(32)
  await until(() => pending(app) === 33)
  realm.error(503, 'introspect')
  t.same(await askAll(app, users(realm, 5)), Array(5).fill(UNAVAILABLE))
  t.equal(app.keycloak.health().introspection?.breaker, 'open')
  t.equal(await ask(app, '/me', realm.token({ username: 'greedy' })), UNAVAILABLE)
  t.equal(pending(app), 33, 'it did not wait')
  keycloak.release()
  t.same(await served, Array(33).fill('200'))
})

t.test('keys are fetched beside as many introspections as there can be', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  t.equal(await ask(app, '/me', realm.token()), '200')
  const keycloak = heldIntrospection(realm)
  const served = Array.from({ length: 9 }, (_, at) => askAll(app, tokensOf(realm, `user-${at}`, 8)))
  await keycloak.until(64)
  await until(() => pending(app) === 72)
  realm.rotateKeys()
  served.push(askAll(app, [realm.token()]))
  await until(() => pending(app) === 73)
  t.equal(realm.requests.certs, 2, 'the token of the new key was verified')
  t.equal(keycloak.asked.length, 64)
  keycloak.release()
  t.same(new Set((await Promise.all(served)).flat()), new Set(['200']))
})

t.test('a secret that is long in coming holds up nobody longer', async (t) => {
  const realm = await realmFor(t)
  let give = (_secret: string): void => {}
  const clientSecret = () => new Promise<string>((resolve) => { give = resolve })
  const log = logging()
  const app = await apiFor(t, realm, { ...ON, clientSecret }, log)
  const attack = askAll(app, tokensOf(realm, 'greedy', 100))
  const served = askAll(app, users(realm, HONEST))
  await until(() => pending(app) === 100 + HONEST)
  t.equal(realm.requests.introspect, 0)
  give('test-secret')
  t.same(await served, Array(HONEST).fill('200'))
  t.same(new Set(await attack), new Set(['200']))
  isWell(t, app, log)
})

t.test('an API that closes answers those who wait, and asks for none of them', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  const keycloak = heldIntrospection(realm)
  const served = await Promise.all(tokensOf(realm, 'greedy', 150).map((token) => client(app, token)))
  await keycloak.until(32)
  await until(() => pending(app) === 150)
  await app.close()
  t.same(new Set(await Promise.all(served.map(({ answer }) => answer))), new Set(['503']))
  t.equal(keycloak.asked.length, 32)
})

t.test('a question that is not sent yet is given up when all who joined it have left', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  const keycloak = heldIntrospection(realm)
  const served = askAll(app, tokensOf(realm, 'greedy', 32))
  await keycloak.until(32)
  const token = realm.token({ username: 'greedy' })
  const [one, two] = [await client(app, token), await client(app, token)]
  await until(() => pending(app) === 33)
  one.leave()
  await wait(50)
  t.equal(pending(app), 33, 'the other one waits still')
  two.leave()
  await until(() => pending(app) === 32)
  const [three, four] = [await client(app, token), await client(app, token)]
  await until(() => pending(app) === 33)
  three.leave()
  await wait(50)
  keycloak.answer(keycloak.asked.slice(0, 1))
  await keycloak.until(33)
  t.equal(keycloak.asked[32], token)
  keycloak.release()
  t.equal(await four.answer, '200')
  t.same(await served, Array(32).fill('200'))
  t.equal(realm.requests.introspect, 33)
})

t.test('a question that has waited for half of its time is joined by nobody: who comes then has time of their own', async (t) => {
  for (const cacheTtl of [0, 60_000]) {
    const realm = await realmFor(t)
    const app = await apiFor(t, realm, { ...ON, introspection: { timeout: 3000, cacheTtl } })
    const keycloak = heldIntrospection(realm)
    const served = [askAll(app, tokensOf(realm, 'greedy', 32))]
    await keycloak.until(32)
    const token = realm.token({ username: 'greedy' })
    served.push(askAll(app, [token]))
    await until(() => pending(app) === 33)
    await wait(1600)
    served.push(askAll(app, [token, token]))
    await until(() => pending(app) === 34)
    keycloak.release()
    t.same(new Set((await Promise.all(served)).flat()), new Set(['200']))
    t.equal(realm.requests.introspect, 34)
  }
})

t.test('as many may join questions of others as may be pending, and then no more', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...ON, introspection: { maxPending: 40 } })
  const keycloak = heldIntrospection(realm)
  const token = realm.token()
  // 32 under way, 1 that waits, 40 that join it, and 7 that wait as well.
  const served = askAll(app, Array(80).fill(token))
  await keycloak.until(32)
  await until(() => pending(app) === 40)
  t.equal(await ask(app, '/me', token), UNAVAILABLE)
  keycloak.release()
  t.same(await served, Array(80).fill('200'))
  t.equal(realm.requests.introspect, 40)
  const again = askAll(app, Array(80).fill(token))
  t.same(await again, Array(80).fill('200'), 'and there is room again')
})

t.test('a dispatcher of one\'s own has the same limits', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const dispatcher = new Agent()
  t.teardown(() => dispatcher.close())
  const app = await apiFor(t, realm, { ...ON, dispatcher }, log)
  const keycloak = heldIntrospection(realm)
  const attack = askAll(app, tokensOf(realm, 'greedy', 300))
  await keycloak.until(32)
  await until(() => pending(app) === 300)
  const honest = users(realm, HONEST)
  const served = askAll(app, honest)
  await keycloak.until(32 + HONEST)
  keycloak.answer(honest)
  t.same(await served, Array(HONEST).fill('200'))
  t.equal(keycloak.asked.length, 32 + HONEST)
  keycloak.release()
  t.same(new Set(await attack), new Set(['200']))
  isWell(t, app, log)
})

t.test('a dispatcher with fewer connections makes calls wait, which is no outage of Keycloak\'s', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const dispatcher = new Agent({ connections: 1 })
  t.teardown(() => dispatcher.close())
  const app = await apiFor(t, realm, { ...ON, dispatcher, introspection: { timeout: 2000 } }, log)
  t.equal(await ask(app, '/me', realm.token()), '200')
  realm.respond('introspect', (_request, response) => { setTimeout(() => response.end('{"active":true}'), 200) })
  t.same(new Set(await askAll(app, users(realm, 30))), new Set(['200', UNAVAILABLE]))
  isWell(t, app, log)
})

t.test('a Keycloak that falls silent while calls wait is away', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...ON, introspection: { timeout: 3000 } })
  const keycloak = heldIntrospection(realm)
  const served = askAll(app, tokensOf(realm, 'greedy', 100))
  await keycloak.until(32)
  await wait(400)
  keycloak.answer()
  await keycloak.until(64)
  t.same(new Set(await served), new Set(['200', UNAVAILABLE]))
  t.match(app.keycloak.health().introspection, { ok: false, breaker: 'open', reason: 'no answer within 3000 ms' })
})
