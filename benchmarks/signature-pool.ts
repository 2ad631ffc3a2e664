// npm run bench:pool: signatures of new tokens in libuv's thread pool (the option verifyInThreadPool), beside those that are verified at
// once: requests per second on one core and on all, honest requests beside a flood of forged tokens, and beside password hashes.
import { parseArgs } from 'node:util'
import { type Answer, Client, percentile } from './api.js'
import { measure, startIssuer, startServer, type Contender, type Measured, type Server } from './contenders.js'
import { medianOf, ratios, table, whole } from './figures.js'
import { load } from './load.js'
import { end, prepare } from './processes.js'
import { openRealm, refusedRequests, requestsOf, tokenOf } from './realm.js'
import { NODE_OPTION, runServersOn, serverNode, versionOf } from './server-node.js'

/** The default options, but for a cache in which no token stays. */
const NEW_TOKENS = 'cache of 1,000'

/** Contenders that are measured in turn; all ratios are to the first. */
const LOADED: readonly Contender[] = [
  { name: 'verified at once', module: 'ours', mode: NEW_TOKENS, tokens: 100_000 },
  { name: 'in the pool', module: 'ours', mode: 'thread pool', tokens: 100_000 },
  { name: 'jose', module: 'jose', tokens: 100_000 },
  { name: 'crypto.verify alone', module: 'verify', tokens: 100_000 }
]

const LOADS = [
  { title: 'one core, 64 connections', connections: 64, everyCore: false },
  { title: 'all cores, 64 connections', connections: 64, everyCore: true },
  { title: 'all cores, one connection', connections: 1, everyCore: true }
]

/** Connections of the flood, and honest requests per second beside it. */
const FLOOD = { connections: 32, honest: 200 }

const { values } = parseArgs({ options: { ...NODE_OPTION, seconds: { type: 'string', default: '5' } } })
const SECONDS = Number(values.seconds)
runServersOn(values.node)
prepare()
const realm = await openRealm()
const fresh = await requestsOf(realm, 100_000)
const { forged } = await refusedRequests(realm)
const honest = await Promise.all(Array.from({ length: SECONDS * FLOOD.honest }, (_, at) => tokenOf(realm, at)))
const issuer = await startIssuer(realm)
console.log(`Node ${versionOf(serverNode())}, ${SECONDS} seconds each.`)
for (const kind of LOADS) console.log(`\n${kind.title}:\n\n${await loadTable(kind)}`)
console.log(`\nHonest requests with new tokens, ${FLOOD.honest} a second, all cores:\n\n${await honestTable()}`)
await end(issuer)
process.exit()

async function loadTable ({ connections, everyCore }: typeof LOADS[number]): Promise<string> {
  const servers = await Promise.all(LOADED.map((contender) => start(contender, everyCore)))
  const samples = servers.map((): Measured[] => [])
  for (let second = 0; second < SECONDS; second++) {
    const lanes = [...servers.keys()]
    for (const lane of second % 2 === 0 ? lanes : lanes.toReversed()) samples[lane]!.push(await measure(servers[lane]!, fresh, 1, false, connections))
  }
  for (const { end } of servers) await end()
  return table(['signatures', 'requests/s', 'ratio', 'µs of processor', 'ratio', 'p50 ms', 'p99 ms'], samples.map((own, lane) => {
    const median = (key: keyof Measured): number => medianOf(own.map((each) => each[key]))
    const ratio = (key: 'rate' | 'perCpu'): string => medianOf(ratios(own.map((each) => each[key]), samples[0]!.map((each) => each[key]))).toFixed(2)
    return [LOADED[lane]!.name, whole(median('rate')), ratio('rate'), whole(1e6 / median('perCpu')), ratio('perCpu'), (median('p50') / 1000).toFixed(2), (median('p99') / 1000).toFixed(2)]
  }))
}

async function honestTable (): Promise<string> {
  const rows: string[][] = []
  for (const [title, atOnce, inPool, flooded] of [
    ['alone', NEW_TOKENS, 'thread pool', false],
    ['beside forged tokens', NEW_TOKENS, 'thread pool', true],
    ['beside password hashes in the pool', 'busy pool', 'thread pool, busy', false]
  ] as const) {
    for (const mode of [atOnce, inPool]) rows.push([title, mode.startsWith('thread') ? 'in the pool' : 'at once', ...await honestTimes(mode, flooded)])
  }
  return table(['', 'signatures', 'p50 ms', 'p99 ms', 'forged a second'], rows)
}

async function honestTimes (mode: string, flooded: boolean): Promise<string[]> {
  const server = await start({ name: mode, module: 'ours', mode, tokens: 100_000 }, true)
  const client = new Client(`http://127.0.0.1:${server.port}`)
  const [answers, flood] = await Promise.all([
    client.pace(honest, SECONDS, FLOOD.honest),
    flooded ? load(server.port, forged, SECONDS, FLOOD.connections) : undefined
  ])
  await server.end()
  const wrong = answers.filter(({ status }) => status !== 200).length
  if (wrong > 0 || flood?.refused !== flood?.requests) throw server.failure(`refused ${wrong} honest requests, or took a forged token`)
  return [...times(answers), flood === undefined ? '' : whole(flood.refused / (flood.microseconds / 1e6))]
}

function times (answers: readonly Answer[]): string[] {
  return [0.5, 0.99].map((share) => percentile(answers, share).toFixed(1))
}

async function start (contender: Contender, everyCore: boolean): Promise<Server> {
  const server = await startServer({ ...contender, ...everyCore && { everyCore } }, realm)
  await load(server.port, fresh, 2)
  return server
}
