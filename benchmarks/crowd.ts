// npm run bench:crowd: what one user with very many open requests does to the others while each request is introspected.
// The API runs in a process of its own; Keycloak answers everything in a quarter of a second, however much it is asked.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createTestRealm } from '../lib/testing/index.js'
import type { Health } from '../types/instance.js'
import { table, whole } from './tables.js'

const SECONDS = 6
const KEYCLOAK_TAKES = 250
const HONEST = 26
/** How often each of the others asks, in milliseconds. */
const EVERY = 500

/** Requests that the user has open, and by how many tokens. */
const CASES = [[0, 1], [700, 1], [1000, 1], [1000, 50], [1000, 1000]] as const

const realm = await createTestRealm({ tokenLifespan: 3600 })
realm.respond('introspect', (_request, response) => { setTimeout(() => response.end('{"active":true}'), KEYCLOAK_TAKES) })
const honest = tokens(HONEST, (at) => `user-${at}`)

const rows = []
for (const [open, count] of CASES) rows.push(await measure(open, tokens(count, () => 'greedy')))
console.log(table(['open requests', 'tokens', 'honest requests', 'of them 200', 'p50 ms', 'p99 ms', 'calls a second', 'breaker', 'health ok'], rows))
await realm.close()
process.exit()

async function measure (open: number, greedy: readonly string[]): Promise<string[]> {
  const api = fork(fileURLToPath(new URL('../test/soak/api.ts', import.meta.url)), [JSON.stringify({ ...realm.options, verifyTokensWithKeycloak: true })], {
    execArgv: process.execArgv,
    env: { ...process.env, NODE_ENV: 'test' }
  })
  const [{ url }] = await once(api, 'message') as [{ url: string }]
  const agent = new Agent({ keepAlive: true })
  for (const token of honest) await ask(url, token, agent)

  const before = realm.requests.introspect
  const end = performance.now() + SECONDS * 1000
  const sockets = Array.from({ length: open }, (_, at) => keepOpen(url, greedy[at % greedy.length]!))
  await wait(100)
  const answers = (await Promise.all(honest.map((token, at) => pace(url, token, agent, at, end)))).flat()
  const health = await healthOf(api)
  const calls = (realm.requests.introspect - before) / SECONDS
  for (const socket of sockets) socket.destroy()
  api.kill()
  agent.destroy()
  const times = answers.map(({ took }) => took).sort((one, other) => one - other)
  const at = (share: number): string => whole(times[Math.floor(times.length * share)]!)
  const good = answers.filter(({ status }) => status === 200).length
  return [whole(open), whole(greedy.length), whole(answers.length), whole(good), at(0.5), at(0.99), whole(calls), health.introspection!.breaker, String(health.introspection!.ok)]
}

function tokens (count: number, username: (at: number) => string): string[] {
  return Array.from({ length: count }, (_, at) => realm.token({ username: username(at), roles: ['read-profile'] }))
}

/** A request that is made anew whenever it is answered; by hand, so that the load takes less of the machine than the API. */
function keepOpen (url: string, token: string): Socket {
  const { hostname, port } = new URL(url)
  const request = Buffer.from(`GET /profile HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  const socket = connect(Number(port), hostname, () => socket.write(request))
  socket.on('data', (answer) => {
    if (answer.toString('latin1', 0, 12) === 'HTTP/1.1 200') socket.write(request)
    else setTimeout(() => socket.write(request), 100)
  })
  return socket.on('error', () => {})
}

/** One of the others: at a steady pace, whether answers come or not. */
async function pace (url: string, token: string, agent: Agent, number: number, end: number): Promise<Array<{ status: number, took: number }>> {
  await wait(EVERY * number / HONEST)
  const pending = []
  while (performance.now() < end) {
    pending.push(ask(url, token, agent))
    await wait(EVERY)
  }
  return Promise.all(pending)
}

async function healthOf (api: ChildProcess): Promise<Health> {
  api.send('usage')
  const [{ health }] = await once(api, 'message') as [{ health: Health }]
  return health
}

function ask (url: string, token: string, agent: Agent): Promise<{ status: number, took: number }> {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    httpRequest(`${url}/profile`, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume().on('end', () => resolve({ status: response.statusCode!, took: performance.now() - started }))
    }).on('error', reject).end()
  })
}
