// npm run bench:forged: the forged tokens and pushes that one core turns away per second, the processor time of each, and their effect on
// honest requests. The processor time is the least of several rounds, each with all kinds in turn. Honest requests arrive at a steady
// pace, first alone and then beside as many forged ones as the API can take. At the end, 1,000 unsigned pushes of 30 kB arrive at once,
// first with Keycloak reachable and then without.
import { Agent } from 'node:http'
import { createTestRealm, type TokenSpec } from '../lib/testing/index.js'
import { Api, percentile, tally, type Answer, type Forgery } from './api.js'

const [SECONDS = 8] = process.argv.slice(2).map(Number)
const ROUNDS = 10
const FORGERS = 32
/** A push with an unknown kid is answered when the keys have been fetched anew, up to half a second later. */
const WAITING_FORGERS = 4000
const FORM = 'application/x-www-form-urlencoded'
const KIDS = 20_000

const realm = await createTestRealm({ tokenLifespan: 3600 })
const options = { ...realm.options, backchannelLogout: { path: '/backchannel-logout', clients: ['web'] }, adminUrl: { path: '/keycloak' } }
const honest = Array.from({ length: 50 }, (_, at) => realm.token({ username: `user-${at}`, roles: ['read-profile'] }))
const api = await Api.start(options)
await api.flood(tokens(honest), SECONDS / 2, 8) // warm up
const kids = (spec: TokenSpec, size = 0) => Array.from({ length: KIDS }, (_, at) => padded({ kid: `kid-${at}`, ...spec }, size))
const kinds: Record<string, readonly Forgery[]> = {
  'tokens of a known kid and a bad signature': tokens(distinct(realm.token({ forged: true }))),
  'pushes of a known kid and a bad signature': pushes(distinct(realm.token({ forged: true, kind: 'logout' }))),
  'tokens of 12 kB, a known kid and a bad signature': tokens(distinct(padded({ forged: true }, 12_000))),
  'pushes of 12 kB, a known kid and a bad signature': pushes(distinct(padded({ forged: true, kind: 'logout' }, 12_000))),
  'pushes of 32 kB, a known kid and a bad signature': pushes(distinct(padded({ forged: true, kind: 'logout' }, 32_000))),
  'tokens of unknown kids': tokens(kids({})),
  'pushes of unknown kids': pushes(kids({ kind: 'logout' })),
  'tokens of an algorithm that is not allowed': tokens([realm.token({ header: { alg: 'none' } })]),
  'pushes of an algorithm that is not allowed': pushes([realm.token({ kind: 'logout', header: { alg: 'none' } })]),
  'tokens that are garbage': tokens(['x.y.z']),
  'pushes that are garbage': pushes(['x.y.z']),
  'pushes whose form has 30,000 fields': [{ path: '/backchannel-logout', type: FORM, body: 'a&'.repeat(30_000) }]
}
const costs = await costsOf()
console.log(`honest requests alone: ${honestTimes(await api.pace(honest, SECONDS))}`)
for (const [kind, forgeries] of Object.entries(kinds)) {
  const [{ perSecond, statuses }, beside] = await Promise.all([api.flood(forgeries, SECONDS, sendersOf(kind)), api.pace(honest, SECONDS)])
  console.log(`${kind}: ${costs.get(kind)!.toFixed(0)} µs of processor time each, ${perSecond} turned away a second (${statuses}); honest beside them: ${honestTimes(beside)}`)
}
api.end()
await atOnce('reachable')
await atOnce('unreachable')
await realm.close()

/** The processor time of one request in microseconds, by kind. */
async function costsOf (): Promise<Map<string, number>> {
  const least = new Map<string, number>()
  for (let round = 0; round < ROUNDS; round++) {
    for (const [kind, forgeries] of Object.entries(kinds)) {
      const { cost } = await api.flood(forgeries, 0.4, sendersOf(kind))
      least.set(kind, Math.min(cost, least.get(kind) ?? Infinity))
    }
  }
  return least
}

function sendersOf (kind: string): number {
  return kind === 'pushes of unknown kids' ? WAITING_FORGERS : FORGERS
}

/** A thousand unsigned pushes at once, and a logout signed by a new key behind them. */
async function atOnce (keycloak: 'reachable' | 'unreachable'): Promise<void> {
  const api = await Api.start(options, 256)
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity })
  await api.pace(honest, 1)
  const { memory: before } = await api.usage()
  const beside = api.pace(honest, 10)
  if (keycloak === 'unreachable') await realm.down()
  else realm.rotateKeys()
  const push = { action: 'LOGOUT', resource: 'api', expiration: Date.now() / 1000 + 3600, notBefore: 0, keycloakSessionIds: Array.from({ length: 3300 }, (_, at) => String(at)) }
  const unsigned = Array.from({ length: 1000 }, (_, at) => `${realm.sign({ ...push, id: String(at) }, { kid: `kid-${at}` }).split('.').slice(0, 2).join('.')}.AAAA`)
  const answers = unsigned.map((body) => api.ask({ path: '/keycloak/k_logout', type: 'text/plain', body }, agent).catch(() => ({ status: 0, took: 0 })))
  const real = api.ask(pushes([realm.token({ kind: 'logout' })])[0]!, agent).catch(() => ({ status: 0, took: 0 }))
  await new Promise((resolve) => { setTimeout(resolve, 2500) })
  const memory = api.ended ? NaN : (await api.usage()).memory
  const statuses = tally((await Promise.all(answers)).map(({ status }) => status))
  const { status, took } = await real
  const times = await beside.then(honestTimes, (error: Error) => error.message)
  console.log(`1,000 unsigned pushes of ${(unsigned[0]!.length / 1000).toFixed(0)} kB at once, Keycloak ${keycloak}: ` +
    `heap ${mb(before)} MB before, ${mb(memory)} MB 2.5 s after; ${statuses}; ` +
    `a logout behind them ${status} after ${took.toFixed(0)} ms; honest: ${times}${api.ended ? '; THE PROCESS ENDED' : ''}`)
  agent.destroy()
  api.end()
  await realm.up()
}

function tokens (texts: readonly string[]): Forgery[] {
  return texts.map((token) => ({ token }))
}

function pushes (texts: readonly string[]): Forgery[] {
  return texts.map((text) => ({ path: '/backchannel-logout', type: FORM, body: `logout_token=${text}` }))
}

/** A token of at least `size` characters, whose payload is many small arrays. */
function padded (spec: TokenSpec, size: number): string {
  const short = realm.token(spec)
  const missing = Math.max(0, size - short.length)
  return missing === 0 ? short : realm.token({ ...spec, claims: { ids: Array.from({ length: missing / 52 }, (_, at) => [`00000000-0000-0000-0000-${String(at).padStart(9, '0')}`]) } })
}

/** Distinct tokens, because no cache may help. */
function distinct (token: string): string[] {
  const [header, payload, signature] = token.split('.') as [string, string, string]
  return Array.from({ length: 2000 }, (_, at) => `${header}.${payload}.${Buffer.from(String(at).padStart(6, '0')).toString('base64url')}${signature.slice(8)}`)
}

/** @throws {Error} if an honest request was not answered 200 */
function honestTimes (answers: readonly Answer[]): string {
  const wrong = answers.filter(({ status }) => status !== 200).length
  if (wrong > 0) throw new Error(`${wrong} honest requests were not answered 200`)
  return `p50 ${percentile(answers, 0.5).toFixed(1)} ms, p99 ${percentile(answers, 0.99).toFixed(1)} ms`
}

function mb (bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}
