// npm run bench:dpop: the cost of DPoP proofs, and of those that are forged or replayed. See docs/performance.md.
import { once } from 'node:events'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { DpopClient } from '../lib/testing/dpop-client.js'
import { freePort } from '../test/support/redis.js'
import { startIssuer, startServer, type Server } from './contenders.js'
import { dpopLoadTable, measureDpopLoad } from './dpop-load.js'
import { forgedProofsTable, measureForgedProofs } from './forged-proofs.js'
import { parallelReplays, replaysLine } from './parallel-replays.js'
import { CORE, end, pinned, prepare, startProgram } from './processes.js'
import { BoundClient } from './proofs.js'
import { openRealm } from './realm.js'
import { machine } from './report.js'
import { NODE_OPTION, runServersOn } from './server-node.js'
import { measureProofSteps } from './single-process.js'

const INSTANCES = 3

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '6' }, ...NODE_OPTION }
})
const [rounds, seconds] = [values.rounds, values.seconds].map(Number) as [number, number]

/** In the order of their measurement. */
const PARTS: Readonly<Record<string, () => Promise<string>>> = {
  steps: async () => (await measureProofSteps()).text,
  load: async () => dpopLoadTable(await measureDpopLoad(realm, client, redis.port, { rounds, seconds })),
  forged: async () => forgedProofsTable(await measureForgedProofs(realm, client, thief, { rounds, seconds: 2 })),
  replays: async () => replaysLine(await replays(200, 10), INSTANCES)
}
const parts = positionals.length > 0 ? positionals : Object.keys(PARTS)
const unknown = parts.find((name) => !Object.hasOwn(PARTS, name))
if (unknown !== undefined) throw new Error(`there is no part "${unknown}"; there are ${Object.keys(PARTS).join(', ')}`)

// Each part ends by itself; this ends a run that hangs all the same.
setTimeout(() => { throw new Error('the benchmarks did not come to an end') }, 60 * 60_000).unref()
prepare()
runServersOn(values.node)
console.log(`${machine()}${pinned ? '' : ' (taskset or a second core is missing)'} Load average ${loadavg()[0]!.toFixed(0)}.`)
const realm = await openRealm()
const client = await BoundClient.of(realm, new DpopClient())
const thief = new BoundClient(client.token, new DpopClient())
const issuer = await startIssuer(realm)
const redis = await startRedis()
for (const name of parts) console.log(`\n== ${name}\n\n${await PARTS[name]!()}`)
await redis.end()
await end(issuer)
process.exit()

async function replays (proofs: number, tries: number) {
  const servers: Server[] = []
  for (let at = 0; at < INSTANCES; at++) servers.push(await startServer({ name: `instance ${at}`, module: 'ours', mode: 'dpop, Redis', tokens: 1, redis: redis.port }, realm))
  const counted = await parallelReplays(client, servers.map(({ port }) => port), proofs, tries)
  for (const server of servers) await server.end()
  return counted
}

/** A Redis in memory, on the core of the load. */
async function startRedis () {
  const port = await freePort()
  const child = startProgram(CORE.others, 'redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--maxmemory-policy', 'noeviction'])
  const failed = once(child, 'exit').then(() => { throw new Error('redis-server ended; the benchmark needs it: `apt install redis-server`') })
  const connection = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null })
  connection.on('error', () => {})
  await Promise.race([connection.ping(), failed])
  failed.catch(() => {})
  connection.disconnect()
  return { port, end: () => end(child) }
}
