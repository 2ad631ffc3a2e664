// npm run bench:forged: how many forged tokens one core turns away, and what that does to honest requests.
// The API runs in a process of its own; the load comes from this one. Honest requests arrive at a steady pace, first
// alone and then beside as many forged ones as the API can take.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { request as httpRequest, Agent } from 'node:http'
import { fileURLToPath } from 'node:url'
import { createTestRealm } from '../lib/testing/index.js'

const SECONDS = 8
const HONEST_PER_SECOND = 200
const FORGERS = 32

const realm = await createTestRealm({ tokenLifespan: 3600 })
const api = fork(fileURLToPath(new URL('../scripts/soak/api.ts', import.meta.url)), [JSON.stringify(realm.options)], {
  execArgv: process.execArgv,
  env: { ...process.env, NODE_ENV: 'test' }
})
const [{ url }] = await once(api, 'message') as [{ url: string }]

const honest = Array.from({ length: 50 }, (_, at) => realm.token({ username: `user-${at}`, roles: ['read-profile'] }))
const kinds = {
  'a known kid and a bad signature': distinct(realm.token({ forged: true }), 'signature'),
  'an unknown kid': Array.from({ length: 2000 }, (_, at) => realm.token({ kid: `kid-${at}` })),
  'an algorithm that is not allowed': [realm.token({ header: { alg: 'none' } })],
  garbage: ['x.y.z']
}

await load(honest, () => SECONDS * 250) // warm up
const alone = await pace(SECONDS)
console.log(`honest requests alone, ${HONEST_PER_SECOND} a second: ${show(alone)}`)
for (const [kind, tokens] of Object.entries(kinds)) {
  const [{ perSecond, statuses }, beside] = await Promise.all([flood(tokens, SECONDS), pace(SECONDS)])
  console.log(`${kind}: ${perSecond} turned away a second (${statuses}); honest beside them: ${show(beside)}`)
}
api.kill()
await realm.close()

/** Tokens that differ, so that none is remembered. */
function distinct (token: string, part: 'signature'): string[] {
  const [header, payload, signature] = token.split('.') as [string, string, string]
  return Array.from({ length: 2000 }, (_, at) => `${header}.${payload}.${part && Buffer.from(String(at).padStart(6, '0')).toString('base64url')}${signature.slice(8)}`)
}

async function load (tokens: string[], times: () => number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  for (let at = 0; at < times(); at++) await ask(tokens[at % tokens.length]!, agent)
  agent.destroy()
}

/** As many as there is room for, by several senders. */
async function flood (tokens: string[], seconds: number): Promise<{ perSecond: number, statuses: string }> {
  const agent = new Agent({ keepAlive: true, maxSockets: FORGERS })
  const end = performance.now() + seconds * 1000
  const statuses = new Map<number, number>()
  let at = 0
  await Promise.all(Array.from({ length: FORGERS }, async () => {
    while (performance.now() < end) {
      const { status } = await ask(tokens[at++ % tokens.length]!, agent)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }))
  agent.destroy()
  const total = [...statuses.values()].reduce((sum, each) => sum + each, 0)
  return { perSecond: Math.round(total / seconds), statuses: [...statuses].map(([status, times]) => `${times} × ${status}`).join(', ') }
}

/** At a steady pace, whether answers come or not: the time each took, in milliseconds. */
async function pace (seconds: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const pending: Array<Promise<{ status: number, took: number }>> = []
  const start = performance.now()
  for (let at = 0; at < seconds * HONEST_PER_SECOND; at++) {
    const due = start + at * 1000 / HONEST_PER_SECOND
    while (performance.now() < due) await new Promise((resolve) => { setTimeout(resolve, 1) })
    pending.push(ask(honest[at % honest.length]!, agent))
  }
  const answers = await Promise.all(pending)
  agent.destroy()
  const wrong = answers.filter(({ status }) => status !== 200).length
  if (wrong > 0) throw new Error(`${wrong} honest requests were not answered 200`)
  return answers.map(({ took }) => took).sort((one, other) => one - other)
}

function ask (token: string, agent: Agent): Promise<{ status: number, took: number }> {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    httpRequest(`${url}/profile`, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume().on('end', () => resolve({ status: response.statusCode!, took: performance.now() - started }))
    }).on('error', reject).end()
  })
}

function show (times: number[]): string {
  const at = (share: number) => times[Math.floor(times.length * share)]!.toFixed(1)
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`
}
