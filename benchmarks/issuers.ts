// npm run bench:issuers -- [realms] [made-up issuers]: the memory of a realm whose keys are fetched, in a list and by a function, and the
// cost of tokens whose `iss` nobody knows: calls of the function, memory, and the effect on honest tokens. Each API is a process of its own.
import { fork } from 'node:child_process'
import { generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Fastify, { type FastifyInstance } from 'fastify'
import keycloak, { type KeycloakError } from '../index.js'
import { tally } from './api.js'
import { claimsOf } from './claims.js'
import { ascending, medianOf, table } from './figures.js'

type Form = 'list' | 'function'

interface Task {
  form: Form
  /** One for each realm of the API. */
  tokens: readonly string[]
  issuers: readonly string[]
  /** The number of made-up issuers; 0 measures the memory alone. */
  hostile: number
}

/** Bytes after a garbage collection. */
interface Memory {
  heap: number
  resident: number
}

interface Flood {
  answers: string
  calls: number
  seconds: number
  before: Memory
  after: Memory
  /** Milliseconds of honest tokens beside it. */
  honest: { p50: number, p99: number }
}

const ROUNDS = 5

if (process.send === undefined) await measure(...process.argv.slice(2).map(Number))
else process.once('message', async (task: Task) => { process.send!(task.hostile === 0 ? await memoryOf(task) : await floodOf(task), () => process.exit()) })

async function measure (realms = 100, hostile = 10_000): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const keys = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' }] })
  const server = createServer((_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(keys)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuers = Array.from({ length: realms }, (_, at) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/realms/tenant-${at}`)
  const tokens = issuers.map((issuer) => tokenOf(issuer, (input) => sign('sha256', Buffer.from(input), privateKey)))
  const task = (form: Form, count: number, hostile = 0): Task => ({ form, tokens: tokens.slice(0, count), issuers: issuers.slice(0, count), hostile })
  const rows: string[][] = []
  for (const form of ['list', 'function'] as const) {
    const differences: Memory[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const [one, many] = [await answerOf<Memory>(task(form, 1)), await answerOf<Memory>(task(form, realms))]
      differences.push({ heap: (many.heap - one.heap) / (realms - 1), resident: (many.resident - one.resident) / (realms - 1) })
    }
    rows.push([form, kB(medianOf(differences.map(({ heap }) => heap))), kB(medianOf(differences.map(({ resident }) => resident)))])
  }
  console.log(`The memory of each of ${realms} realms with its keys, kB:\n\n${table(['issuers', 'heap', 'resident'], rows)}\n`)
  for (const form of ['list', 'function'] as const) {
    const { answers, calls, seconds, before, after, honest } = await answerOf<Flood>(task(form, 3, hostile))
    console.log(`${hostile} made-up issuers at once, issuers a ${form}: ${answers}; ${calls} calls of the function in ${seconds.toFixed(1)} s; ` +
      `heap ${mb(before.heap)} MB before, ${mb(after.heap)} MB after; honest tokens beside them: p50 ${honest.p50.toFixed(2)} ms, p99 ${honest.p99.toFixed(2)} ms`)
  }
  server.close()
  server.closeAllConnections()
}

async function answerOf<T> (task: Task): Promise<T> {
  const child = fork(fileURLToPath(import.meta.url), [], { execArgv: [...process.execArgv, '--expose-gc'] })
  child.send(task)
  const ended = once(child, 'exit')
  const [answer] = await Promise.race([once(child, 'message'), ended.then(([code]) => { throw new Error(`the API ended with ${code}`) })]) as [T]
  await ended
  return answer
}

/** An API of some issuers, and the number of calls of its function. */
async function apiOf ({ form, issuers }: Task): Promise<{ app: FastifyInstance, calls: () => number }> {
  let calls = 0
  const app = Fastify()
  const find = async (iss: string) => {
    calls++
    return issuers.includes(iss) ? { issuer: iss } : null
  }
  const several = form === 'list' ? issuers.map((issuer) => ({ issuer })) : find
  await app.register(keycloak, { issuers: several, clientId: 'api', audience: 'api', startCheck: false })
  return { app, calls: () => calls }
}

async function memoryOf (task: Task): Promise<Memory> {
  const { app } = await apiOf(task)
  for (const token of task.tokens) await app.keycloak.verify(token)
  return await used()
}

async function floodOf (task: Task): Promise<Flood> {
  const { app, calls } = await apiOf(task)
  for (let times = 0; times < 1000; times++) await app.keycloak.verify(task.tokens[0]!)
  const strangers = Array.from({ length: task.hostile }, (_, at) => tokenOf(`https://sso.example.com/realms/made-up-${at}`, () => Buffer.alloc(256, 1)))
  const [before, callsBefore, started] = [await used(), calls(), performance.now()]
  const flood = Promise.all(strangers.map((token) => app.keycloak.verify(token).then(() => 'accepted', ({ statusCode, reasonCode }: KeycloakError) => `${statusCode} ${reasonCode}`)))
  const state = { isOver: false }
  const ended = flood.finally(() => { state.isOver = true })
  const honest: number[] = []
  do {
    const sent = performance.now()
    await app.keycloak.verify(task.tokens[0]!)
    honest.push(performance.now() - sent)
    await sleep(1)
  } while (!state.isOver)
  const answers = tally(await ended)
  const seconds = (performance.now() - started) / 1000
  const sorted = ascending(honest)
  const percentile = (share: number): number => sorted[Math.floor(sorted.length * share)]!
  return { answers, calls: calls() - callsBefore, seconds, before, after: await used(), honest: { p50: percentile(0.5), p99: percentile(0.99) } }
}

async function used (): Promise<Memory> {
  // What was released in this turn of the event loop is collected in a later one.
  for (let times = 0; times < 3; times++) {
    await sleep(100)
    globalThis.gc!()
  }
  const { heapUsed, rss } = process.memoryUsage()
  return { heap: heapUsed, resident: rss }
}

function tokenOf (issuer: string, signature: (input: string) => Buffer): string {
  const claims = claimsOf({ issuer, exp: Math.floor(Date.now() / 1000) + 86_400 })
  const input = [{ alg: 'RS256', typ: 'JWT', kid: 'bench' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${input}.${signature(input).toString('base64url')}`
}

function kB (bytes: number): string {
  return (bytes / 1000).toFixed(0)
}

function mb (bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}
