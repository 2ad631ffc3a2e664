// npm run bench:compare -- FOLDER: this build beside another one, a checkout with dist/ and node_modules/. Each case starts a base and
// both builds anew in each round, and measures them second by second in turn.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { add, comparisonTable, type Comparisons } from './comparison.js'
import { startIssuer, type Contender, type Measured } from './contenders.js'
import { medianOf, ratios } from './figures.js'
import { memoryOf, type Memory } from './memory.js'
import { end, prepare, root } from './processes.js'
import { openRealm, refusedRequests, requestsOf, type Refusal, type Requests } from './realm.js'
import { machine } from './report.js'
import { contextOf, inTurn, startRunner, type Context, type Runner } from './rounds.js'
import { NODE_OPTION, runServersOn } from './server-node.js'
import { stepsOf } from './single-process.js'
import { startOnce } from './starts.js'

type Build = 'old' | 'new'

interface Case {
  base: string
  mode?: string
  /** The mode of the new build, if it is another one than that of the old build. */
  newMode?: string
  /** Distinct tokens, or the kind of refused requests. */
  requests: Contender['tokens'] | Refusal
}

const CASES: Readonly<Record<string, Case>> = {
  hit: { base: 'bare', requests: 1 },
  'three issuers': { base: 'bare', newMode: 'three issuers', requests: 1 },
  '1000 tokens': { base: 'bare', requests: 1000 },
  miss: { base: 'verify', mode: 'cache of 1,000', requests: 100_000 },
  expired: { base: 'bare', requests: 'expired' },
  forged: { base: 'bare', requests: 'forged' },
  garbage: { base: 'bare', requests: 'garbage' },
  'no header': { base: 'bare', requests: 'no header' },
  introspection: { base: 'bare-call', mode: 'introspection', requests: 1 },
  cacheTtl: { base: 'bare', mode: 'cacheTtl', requests: 1 }
}

const PARTS = {
  steps: { title: 'Steps in one process, µs of CPU time', compare: compareSteps },
  start: { title: 'Import to listening, and to the answer of the first request, ms', compare: compareStarts },
  memory: { title: 'Memory with a full cache, MB', compare: compareMemory },
  load: { title: 'Load, requests/s over those of the base, by the clock and by CPU time', compare: compareLoad }
}

const { values, positionals: [folder] } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '2' },
    'warm-up': { type: 'string', default: '1' },
    tokens: { type: 'string', default: '10000' },
    ...NODE_OPTION,
    parts: { type: 'string', default: Object.keys(PARTS).join(',') },
    cases: { type: 'string', default: Object.keys(CASES).join(',') }
  }
})
if (folder === undefined || !existsSync(resolve(folder, 'dist/esm/index.js'))) throw new Error('bench:compare needs the folder of another build, a checkout with dist/')
const parts = named(PARTS, values.parts)
const cases = named(CASES, values.cases)
const builds: Readonly<Record<Build, string>> = { old: resolve(folder), new: root }
const rounds = Number(values.rounds)
const tokens = Number(values.tokens)
const plan = { rounds, seconds: Number(values.seconds), warmUp: Number(values['warm-up']), minutes: Infinity }
const api: Contender = { name: 'ours', module: 'ours', tokens: 1 }

prepare()
runServersOn(values.node)
const realm = await openRealm()
console.log(`${machine()}\n\nThe old build is ${folder}. ${rounds} rounds; load for ${plan.seconds} s of each in a round.`)
const tables: string[] = []
for (const { title, compare } of parts.values()) tables.push(`${title}:\n\n${comparisonTable(await compare())}`)
console.log(`\n${tables.join('\n\n')}`)
process.exit()

async function compareSteps (): Promise<Comparisons> {
  const results: Comparisons = new Map()
  for (let round = 0; round < rounds; round++) {
    const order = orderOf(round)
    for (const { name, costs } of await stepsOf(order.map((build) => builds[build]))) {
      const [ours, theirs] = [costs[order.indexOf('new')], costs[order.indexOf('old')]]
      if (ours === undefined || theirs === undefined) continue
      add(results, name, medianOf(theirs) / 1000, medianOf(ours) / 1000, medianOf(ratios(ours, theirs)))
    }
    console.log(`steps: round ${round + 1} of ${rounds}`)
  }
  return results
}

async function compareStarts (): Promise<Comparisons> {
  const results: Comparisons = new Map()
  const issuer = await startIssuer(realm)
  try {
    for (let round = 0; round < 4 * rounds; round++) {
      for (const kind of ['esm', 'cjs'] as const) {
        const [old, ours] = await both(round, (build) => startOnce({ kind, build: builds[build] }, realm))
        for (const [key, way] of [['clock', 'by the clock'], ['cpu', 'CPU time']] as const) {
          add(results, `${kind}, ${way}`, old[key], ours[key])
          add(results, `${kind}, first answer, ${way}`, old.answered[key], ours.answered[key])
        }
      }
    }
  } finally {
    await end(issuer)
  }
  return results
}

async function compareMemory (): Promise<Comparisons> {
  const results: Comparisons = new Map()
  const issuer = await startIssuer(realm)
  try {
    for (let round = 0; round < Math.min(rounds, 5); round++) {
      const [old, ours] = await both<Memory>(round, (build) => memoryOf({ ...api, build: builds[build] }, realm, tokens))
      add(results, 'resident', old.resident, ours.resident)
      add(results, 'heap', old.heap, ours.heap)
    }
  } finally {
    await end(issuer)
  }
  return results
}

async function compareLoad (): Promise<Comparisons> {
  const results: Comparisons = new Map()
  const context = await contextOf(realm, plan)
  const refused = await refusedRequests(realm)
  const issuer = await startIssuer(realm)
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [name, each] of cases) {
        const sent = typeof each.requests === 'string' ? refused[each.requests] : await requestsOf(realm, each.requests)
        const measured = await measureCase(each, sent, context, round)
        for (const [key, way] of [['rate', 'by the clock'], ['perCpu', 'CPU time']] as const) {
          const [base, old, ours] = measured.map((samples) => samples.map((sample) => sample[key])) as [number[], number[], number[]]
          add(results, `${name}, ${way}`, medianOf(ratios(old, base)), medianOf(ratios(ours, base)), medianOf(ratios(ours, old)), true)
        }
        console.log(`load: round ${round + 1} of ${rounds}, ${name}: ${measured.map((samples) => Math.round(medianOf(samples.map(({ rate }) => rate)))).join(', ')} requests/s`)
      }
    }
  } finally {
    await end(issuer)
  }
  return results
}

/** The samples of the base, the old and the new build, second by second in turn. */
async function measureCase ({ base, mode, newMode = mode, requests }: Case, sent: Requests, context: Context, round: number): Promise<Measured[][]> {
  const isRefused = typeof requests === 'string'
  const runners = new Map<string, Runner>()
  try {
    // A base answers 200 to every request.
    runners.set('base', await startRunner({ name: base, module: base, tokens: 1, open: true }, sent, context))
    for (const build of orderOf(round)) runners.set(build, await startRunner({ ...api, name: build, mode: build === 'new' ? newMode : mode, build: builds[build] }, sent, context, isRefused))
    return await inTurn(plan.seconds, ['base', 'old', 'new'].map((name) => runners.get(name)!))
  } finally {
    for (const { end } of runners.values()) await end()
  }
}

/** The builds take turns in being the first. */
function orderOf (round: number): Build[] {
  return round % 2 === 0 ? ['old', 'new'] : ['new', 'old']
}

async function both<T> (round: number, measure: (build: Build) => Promise<T>): Promise<[old: T, ours: T]> {
  const results = {} as Record<Build, T>
  for (const build of orderOf(round)) results[build] = await measure(build)
  return [results.old, results.new]
}

/** @throws {Error} if there is no such part or case */
function named<T> (all: Readonly<Record<string, T>>, names: string): Map<string, T> {
  return new Map(names.split(',').map((name) => {
    if (all[name] === undefined) throw new Error(`there is no "${name}"; there are ${Object.keys(all).join(', ')}`)
    return [name, all[name]]
  }))
}
