// npm run bench:services: calls to another API with a kept token of the API itself, beside calls without; the exchange of a caller's
// token, kept and not; a decision of Authorization Services beside introspection; the time from Keycloak's return to the first new token.
// The other API and the realm are a process of their own, so that their work is not counted.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { Agent, request as undiciRequest, type Dispatcher } from 'undici'
import keycloak from '../index.js'
import { createTestRealm } from '../lib/testing/index.js'
import type { KeycloakOptions } from '../types/options.js'
import { medianOf, ratios, spreadOf, whole } from './figures.js'

const ROUNDS = 12
const ROUND_MS = 1000
const CONNECTIONS = 10
const CALLERS = 300
const OUTAGES = 10
const OUTAGE_MS = 2000
const INTERVAL_MS = 5

/** The process with the realm and the other API. */
interface Elsewhere {
  options: KeycloakOptions
  tokens: string[]
  url: string
}

type Question = () => Promise<unknown>

if (process.argv[2] === 'elsewhere') await serve()
else await measure()

async function serve (): Promise<void> {
  const realm = await createTestRealm()
  await realm.services({
    scopes: { 'orders:read': { audience: 'orders' }, ...Object.fromEntries(Array.from({ length: OUTAGES }, (_, at) => [outageScope(at), {}])) },
    resources: [{ name: 'invoice', scopes: ['read', 'write'], allow: () => true }]
  })
  const orders = Fastify()
  orders.get('/orders', async () => ({ orders: [] }))
  await orders.listen({ port: 0, host: '127.0.0.1' })
  process.on('message', (message) => { void (message === 'down' ? realm.down() : realm.up()).then(() => process.send!('done')) })
  const { issuer, clientId, clientSecret, audience } = realm.options
  const tokens = Array.from({ length: CALLERS }, (_, at) => realm.token({ username: `user-${at}` }))
  process.send!({ options: { issuer, clientId, clientSecret, audience }, tokens, url: `http://127.0.0.1:${(orders.server.address() as AddressInfo).port}` })
}

async function measure (): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ['elsewhere'], { execArgv: process.execArgv, env: { ...process.env, NODE_ENV: 'test' } })
  const [elsewhere] = await once(child, 'message') as [Elsewhere]
  const tell = async (word: string): Promise<void> => {
    child.send(word)
    await once(child, 'message')
  }
  const app = Fastify()
  await app.register(keycloak, { ...elsewhere.options, uma: true } as KeycloakOptions)
  // The requests stay open, because a call for one that is over is cancelled.
  const requests: FastifyRequest[] = []
  let release!: () => void
  const released = new Promise<void>((resolve) => { release = resolve })
  app.get('/', { config: { authenticated: true } }, async (request) => {
    requests.push(request)
    await released
  })
  const open = elsewhere.tokens.map((token) => app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } }))
  while (requests.length < CALLERS) await sleep(INTERVAL_MS)
  await calls(app, elsewhere.url)
  await exchanges(app, requests)
  await decisions(elsewhere, requests)
  await recovery(app, tell)
  release()
  await Promise.all(open)
  await app.close()
  child.kill()
}

async function calls (app: FastifyInstance, url: string): Promise<void> {
  const bare = new Agent({ connections: CONNECTIONS })
  const service = app.keycloak.dispatcher({ to: [url], as: 'service', scope: 'orders:read' }) as unknown as Dispatcher
  const ask = (dispatcher: Dispatcher): Question => async () => (await undiciRequest(`${url}/orders`, { dispatcher })).body.text()
  const [without, withToken] = await inTurn([ask(bare), ask(service)]) as [number[], number[]]
  console.log(`a call: bare undici ${whole(medianOf(without))} a second, with a kept token of the API ${whole(medianOf(withToken))}, ratio ${medianOf(ratios(withToken, without)).toFixed(2)}`)
  const scope = 'orders:read'
  const [kept] = await inTurn([() => app.keycloak.serviceToken({ scope })])
  console.log(`serviceToken() of a kept token: ${(1e6 / medianOf(kept!)).toFixed(2)} µs`)
  await bare.close()
}

async function exchanges (app: FastifyInstance, requests: readonly FastifyRequest[]): Promise<void> {
  const options = { audience: 'orders', scope: 'orders:read' }
  const cold: number[] = []
  for (const request of requests) cold.push(await timed(() => app.keycloak.exchange(request, options)))
  let at = 0
  const [kept] = await inTurn([() => app.keycloak.exchange(requests[at++ % requests.length]!, options)])
  console.log(`exchange: cold ${medianOf(cold).toFixed(2)} ms (one after the other), kept ${(1e6 / medianOf(kept!)).toFixed(2)} µs, ${CALLERS} callers`)
}

async function decisions ({ options, tokens }: Elsewhere, requests: readonly FastifyRequest[]): Promise<void> {
  const app = Fastify()
  await app.register(keycloak, { ...options, verifyTokensWithKeycloak: true } as KeycloakOptions)
  app.get('/', { config: { authenticated: true } }, async () => '')
  let at = 0
  const decision: Question = () => requests[at++ % requests.length]!.isAllowed({ uma: 'invoice#read' })
  const introspection: Question = () => app.inject({ url: '/', headers: { authorization: `Bearer ${tokens[at++ % tokens.length]!}` } })
  const [asked, introspected] = await inTurn([decision, introspection]) as [number[], number[]]
  console.log(`a decision of Authorization Services ${whole(medianOf(asked))} a second, a request with introspection ${whole(medianOf(introspected))}, ratio ${medianOf(ratios(asked, introspected)).toFixed(2)}`)
  await app.close()
}

async function recovery (app: FastifyInstance, tell: (word: string) => Promise<void>): Promise<void> {
  const took: number[] = []
  for (let outage = 0; outage < OUTAGES; outage++) {
    const succeeds = (): Promise<boolean> => app.keycloak.serviceToken({ scope: outageScope(outage) }).then(() => true, () => false)
    await tell('down')
    const end = performance.now() + OUTAGE_MS
    while (performance.now() < end) {
      if (await succeeds()) throw new Error('a token while Keycloak was away')
      await sleep(INTERVAL_MS)
    }
    await tell('up')
    const back = performance.now()
    while (!await succeeds()) await sleep(INTERVAL_MS)
    took.push(performance.now() - back)
  }
  const { median, max } = spreadOf(took)
  console.log(`recovery: a new token ${whole(median)} ms after Keycloak's return (median of ${OUTAGES} outages of ${OUTAGE_MS / 1000} s; worst ${whole(max)} ms)`)
}

/** A scope of its own for each outage, because a kept token would outlast it. */
function outageScope (outage: number): string {
  return `outage-${outage}`
}

/** The questions that are answered in a second, of each kind in turn, round by round. The first round warms up. */
async function inTurn (kinds: readonly Question[]): Promise<number[][]> {
  const rates = kinds.map((): number[] => [])
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [kind, ask] of kinds.entries()) {
      const rate = await rateOf(ask)
      if (round > 0) rates[kind]!.push(rate)
    }
  }
  return rates
}

async function rateOf (ask: Question): Promise<number> {
  const start = performance.now()
  let count = 0
  const lane = async (): Promise<void> => {
    while (performance.now() - start < ROUND_MS) {
      await ask()
      count++
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, lane))
  return count / (performance.now() - start) * 1000
}

async function timed (ask: Question): Promise<number> {
  const start = performance.now()
  await ask()
  return performance.now() - start
}
