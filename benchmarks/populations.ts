// npm run bench:populations: many users with a token each, by Zipf's law or each equally often, and caches of several sizes beside a
// bare route. Before a cache is measured, each user has sent two requests, the most frequent ones last, and then all of them in the
// order of the mix.
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { check, startIssuer, startServer, type Contender, type Measured, type Server } from './contenders.js'
import { confidenceOf, medianOf, range, ratios, table, whole } from './figures.js'
import { load } from './load.js'
import { cacheFile, end, prepare } from './processes.js'
import { openRealm, requestsOf, type Requests } from './realm.js'
import { machine } from './report.js'
import { contextOf, inTurn, runnerOf, type Context, type Runner } from './rounds.js'
import { NODE_OPTION, runServersOn } from './server-node.js'
import { orderOf, type Mix } from './mixes.js'

/** A cache under a mix. */
interface Result {
  own: readonly Measured[]
  baseline: readonly Measured[]
  hitRate: number
  /** Megabytes beyond the bare server: resident right after the load, and after a garbage collection; of the heap. */
  resident: number
  collected: number
  heap: number
}

const MIXES: readonly Mix[] = ['Zipf', 'uniform']
const ORDER = 4_000_000
/** Requests between the first ones of two seconds: more than a second has. */
const STRIDE = 150_000
/** Requests of the mix before the first second. */
const WARM_UP = 200_000

const { values } = parseArgs({
  options: {
    mixes: { type: 'string', default: MIXES.join(',') },
    users: { type: 'string', default: '1000,10000,50000' },
    /** Modes of servers.mjs. */
    caches: { type: 'string', default: 'cache of 1,000;cache of 10,000;default' },
    seconds: { type: 'string', default: '6' },
    ...NODE_OPTION
  }
})
const seconds = Number(values.seconds)

prepare()
runServersOn(values.node)
const realm = await openRealm()
const context = await contextOf(realm, { rounds: 1, seconds, warmUp: 0, minutes: Infinity })
const issuer = await startIssuer(realm)
console.log(machine())
const rows: string[][] = []
for (const users of values.users.split(',').map(Number)) {
  for (const mix of MIXES.filter((mix) => values.mixes.split(',').includes(mix))) {
    const requests = { ...await requestsOf(realm, Math.max(users, 1001)), count: users, order: { file: orderFile(mix, users), from: 0 } }
    for (const mode of values.caches.split(';')) {
      rows.push([`${mix} ${whole(users)}`, mode, ...columnsOf(await measureCache(mode, requests, context))])
      console.log(rows.at(-1)!.join('  '))
    }
  }
}
await end(issuer)
console.log(`\n${table(['users', 'cache', 'hit rate', 'requests/s', 'of bare', '90 %', 'by CPU', 'MB over bare: resident', 'collected', 'heap'], rows)}`)
process.exit()

/** Each user twice, the most frequent one last, and then the mix. */
function orderFile (mix: Mix, users: number): string {
  const twice = Array.from({ length: users }, (_, at) => users - 1 - at).flatMap((user) => [user, user])
  const file = cacheFile(`${realm.port}/order.bin`)
  writeFileSync(file, new Uint8Array(Int32Array.from([...twice, ...orderOf(mix, users, ORDER)]).buffer))
  return file
}

async function measureCache (mode: string, requests: Requests, context: Context): Promise<Result> {
  const bare = await startServer(contender('bare'), realm)
  const ours = await startServer(contender('ours', mode), realm)
  try {
    await check(contender('ours', mode), ours, context.probes, realm.username)
    const next = await warmUp(ours, requests)
    await load(bare.port, next(), 2)
    const runners = [bare, ours].map((server): Runner => runnerOf(server, next))
    const [baseline, own] = await inTurn(context.plan.seconds, runners) as [Measured[], Measured[]]
    const memory = await memoryOver(bare, ours)
    await ours.usage('count')
    await load(ours.port, next(), 1)
    const { decisions: { all, cached } } = await ours.usage()
    return { own, baseline, hitRate: cached / all, ...memory }
  } finally {
    await Promise.all([bare.end(), ours.end()])
  }
}

/** @returns the requests of the next second, each time those behind the last ones */
async function warmUp ({ port }: Server, requests: Requests): Promise<() => Requests> {
  const { file } = requests.order!
  let from = 0
  while (from < 2 * requests.count + WARM_UP) from += (await load(port, { ...requests, order: { file, from } }, 2)).requests
  return () => {
    from += STRIDE
    if (from > ORDER) from = 2 * requests.count + from % STRIDE
    return { ...requests, order: { file, from } }
  }
}

async function memoryOver (bare: Server, ours: Server): Promise<Pick<Result, 'resident' | 'collected' | 'heap'>> {
  const usedBy = async ({ usage }: Server): Promise<number[]> => {
    const { memory: { rss: resident } } = await usage()
    await usage('collect')
    await sleep(500)
    const { memory: { rss: collected, heapUsed } } = await usage('collect')
    return [resident, collected, heapUsed]
  }
  const [before, after] = [await usedBy(bare), await usedBy(ours)]
  const [resident, collected, heap] = after.map((bytes, at) => (bytes - before[at]!) / 1e6) as [number, number, number]
  return { resident, collected, heap }
}

function columnsOf ({ own, baseline, hitRate, resident, collected, heap }: Result): string[] {
  const ratio = (key: 'rate' | 'perCpu'): number[] => ratios(own.map((each) => each[key]), baseline.map((each) => each[key]))
  const byClock = confidenceOf(ratio('rate'))
  return [
    `${(100 * hitRate).toFixed(1)} %`, whole(medianOf(own.map(({ rate }) => rate))), two(byClock.median), range(byClock, two), two(medianOf(ratio('perCpu'))),
    whole(resident), whole(collected), whole(heap)
  ]
}

function contender (module: 'bare' | 'ours', mode?: string): Contender {
  return { name: mode ?? module, module, mode, tokens: 1 }
}

function two (value: number): string {
  return value.toFixed(2)
}
