import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { test, type Test } from 'tap'
import keycloak, { redisReplayStore } from '../../index.js'
import { claimsOf } from '../../benchmarks/claims.js'
import type { Measured } from '../../benchmarks/contenders.js'
import { BEARER, dpopLoadTable, SIGNATURE } from '../../benchmarks/dpop-load.js'
import { forgedProofsTable } from '../../benchmarks/forged-proofs.js'
import { parallelReplays, replaysLine } from '../../benchmarks/parallel-replays.js'
import { proofSteps } from '../../benchmarks/proof-steps.mjs'
import { BoundClient } from '../../benchmarks/proofs.js'
import { stepsTable } from '../../benchmarks/single-process.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { realmFor } from '../support/app.js'
import { redisFor, type RedisServer } from '../support/redis.js'

test('replays in parallel at three instances with one Redis pass once each', async (t) => {
  const realm = await realmFor(t)
  const redis = await redisFor(t, { appendonly: 'no' })
  const ports = [await instance(t, realm, redis), await instance(t, realm, redis), await instance(t, realm, redis)]
  const replays = await parallelReplays(boundClient(realm), ports, 12, 4)
  t.same(replays, { proofs: 12, tries: 144, passed: 12, passedAgain: 0, others: 0 })
  t.equal(replaysLine(replays, 3), '144 tries of 12 proofs in parallel at 3 instances with one Redis: 12 passed, 0 of them not the first of their proof, 132 answered 401, 0 otherwise.')
})

test('instances without a common store let a proof pass once each, and the figures say so', async (t) => {
  const realm = await realmFor(t)
  const ports = [await instance(t, realm), await instance(t, realm)]
  t.same(await parallelReplays(boundClient(realm), ports, 2, 2), { proofs: 2, tries: 8, passed: 4, passedAgain: 2, others: 0 })
})

test('each request has a proof of its own, and all have the same length', async (t) => {
  const realm = await realmFor(t)
  const client = boundClient(realm)
  const requests = client.requests(await client.proofs(20, { nonce: 'n'.repeat(24) }))
  t.equal(new Set(requests).size, 20)
  t.equal(new Set(requests.map(({ length }) => length)).size, 1)
  t.match(requests[0], /^GET \/profile HTTP\/1\.1\r\nHost: api\.example\.com\r\n.*\r\nAuthorization: DPoP \S+\r\nDPoP: \S+\r\n\r\n$/s)
})

test('the steps of proofs and logins are measured on the hook of the plugin', async (t) => {
  const realm = await realmFor(t)
  const steps = await proofSteps(keycloak, realm.dpop(), claimsOf({ issuer: '', exp: 0 }), { proofs: 300, blocks: 2, least: 1 })
  t.equal(steps.length, 9)
  for (const { name, costs } of steps) t.equal(costs[0]!.length, 2, name)
  t.equal(stepsTable(steps).split('\n').length, 11)
})

test('the ratios of the load are those of the same second', async (t) => {
  const at = (...rates: number[]): Measured[] => rates.map((rate) => ({ rate, p50: 1000, p99: 2000, busy: 1, perCpu: rate * 2 }))
  const rows = dpopLoadTable({ [BEARER]: at(1000, 100), [SIGNATURE]: at(500, 50), DPoP: at(400, 40) }).split('\n')
  t.equal(new Set(rows.map((row) => row.split('|').length)).size, 1)
  t.same(rows.at(-1)!.split('|').map((cell) => cell.trim()).slice(1, -1), ['DPoP', '220', '40–400', '1.00', '2.00', '100 %', '440', '0.40', '0.40', '0.40–0.40', '0.80', '0.80', '0.80–0.80'])
})

test('forged proofs are shown with the honest requests beside them', async (t) => {
  const took = (...times: number[]) => times.map((took) => ({ status: 200, took }))
  const flood = (rate: number): Measured[] => [{ rate, p50: 1, p99: 1, busy: 1, perCpu: rate }]
  const row = forgedProofsTable({ 'no proof': { alone: took(1, 2), beside: took(3, 4), flood: flood(20_000), floodBeside: flood(10_000) } }).split('\n').at(-1)!
  t.same(row.split('|').map((cell) => cell.trim()).slice(1, -1), ['no proof', '20,000', '50', '10,000', '2.0', '4.0', '2.0', '4.0'])
})

/** An instance of the API; without a Redis it remembers proofs by itself. */
async function instance (t: Test, realm: TestRealm, redis?: RedisServer): Promise<number> {
  const app = Fastify()
  t.teardown(() => app.close())
  const store = redis && redisReplayStore({ client: connection(t, redis) })
  await app.register(keycloak, { ...realm.options, dpop: { replay: { store } } })
  app.get('/profile', { config: { permission: 'read-profile' } }, async () => 'profile')
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

function connection (t: Test, { options }: RedisServer): Redis {
  const client = new Redis(options)
  t.teardown(() => client.disconnect())
  return client
}

function boundClient (realm: TestRealm): BoundClient {
  const dpop = realm.dpop()
  return new BoundClient(realm.token({ roles: ['read-profile'], dpop }), dpop)
}
