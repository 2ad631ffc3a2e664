// Rounds of all contenders. Each round starts every contender anew, because one process may settle 10 % above or below the next.
// A contender is measured second by second in turn with its base, because a machine may do twice as much in one minute as in the next.
import { setTimeout as sleep } from 'node:timers/promises'
import { check, measure, startIssuer, startServer, type Contender, type Measured, type Probes, type Server } from './contenders.js'
import { medianOf, ratios } from './figures.js'
import { load } from './load.js'
import { end } from './processes.js'
import { badTokens, requestsOf, tokenOf, type Realm, type Requests } from './realm.js'

export interface Plan {
  rounds: number
  /** Measured seconds of each contender in each round. */
  seconds: number
  /** Seconds. */
  warmUp: number
  /** No round begins after so many minutes. */
  minutes: number
}

/** A base, and the contenders that are measured in turn with it. */
export interface Group {
  base: Contender
  others: readonly Contender[]
  /** The base has a base of its own, whose group reports its figures. */
  reportedElsewhere: boolean
}

/** The samples of a contender in one round, one for each second. */
export interface Samples {
  own: readonly Measured[]
  /** Those of its base, each of the second before or after. */
  baseline?: readonly Measured[]
}

/** The samples of each contender, round by round. */
export type Results = ReadonlyMap<string, readonly Samples[]>

/** What a server is checked and warmed up with. */
export interface Context {
  realm: Realm
  probes: Probes
  plan: Plan
}

/** A contender that is ready to be measured. */
export interface Runner {
  /** Measures one more second. */
  second: () => Promise<Measured>
  end: () => Promise<void>
}

/** A server rests when it uses less than this share of its core. */
const REST = { milliseconds: 50, share: 0.2, tries: 200 }

/** A contender with contenders on it runs with them; one that is nobody's base and has none runs alone. */
export function groupsOf (contenders: readonly Contender[]): Group[] {
  return contenders.map((base) => ({
    base,
    others: contenders.filter((other) => other.base === base.name),
    reportedElsewhere: contenders.some(({ name }) => name === base.base)
  })).filter(({ others, reportedElsewhere }) => others.length > 0 || !reportedElsewhere)
}

export async function runRounds (contenders: readonly Contender[], realm: Realm, plan: Plan): Promise<Results> {
  const results = new Map<string, Samples[]>(contenders.map(({ name }) => [name, []]))
  const requests = new Map<number, Requests>()
  for (const { tokens } of contenders) requests.set(tokens, await requestsOf(realm, tokens))
  const context = await contextOf(realm, plan)
  const groups = groupsOf(contenders)
  const issuer = await startIssuer(realm)
  const started = performance.now()
  try {
    for (let round = 0; round < plan.rounds; round++) {
      if (round > 0 && performance.now() - started > plan.minutes * 60_000) {
        console.log(`Stopped after ${round} rounds: ${plan.minutes} minutes are over.`)
        break
      }
      // Forwards and backwards in turn, so that a machine that becomes slower favours no contender.
      for (const group of round % 2 === 0 ? groups : backwards(groups)) {
        for (const [name, samples] of await runGroup(group, requests, context)) {
          results.get(name)!.push(samples)
          console.log(`round ${round + 1} of ${plan.rounds}: ${name} ${samples.own.map(({ rate }) => Math.round(rate)).join(', ')} requests/s`)
        }
      }
    }
  } finally {
    await end(issuer)
  }
  return results
}

export async function contextOf (realm: Realm, plan: Plan): Promise<Context> {
  return { realm, plan, probes: { good: await tokenOf(realm, 0), bad: await badTokens(realm) } }
}

/** Measures second by second, forwards and backwards. */
export async function inTurn (seconds: number, runners: readonly Runner[]): Promise<Measured[][]> {
  const measured = runners.map((): Measured[] => [])
  const lanes = [...runners.keys()]
  for (let second = 0; second < seconds; second++) {
    for (const lane of second % 2 === 0 ? lanes : lanes.toReversed()) measured[lane]!.push(await runners[lane]!.second())
  }
  return measured
}

/** Starts a contender, checks it and warms it up. */
export async function startRunner (contender: Contender, requests: Requests, { realm, probes, plan }: Context, isRefused = false): Promise<Runner> {
  const server = await startServer(contender, realm)
  try {
    await check(contender, server, probes, realm.username)
    if (plan.warmUp > 0) await load(server.port, requests, plan.warmUp)
    await untilAtRest(server)
  } catch (error) {
    await server.end()
    throw error
  }
  return runnerOf(server, () => requests, isRefused)
}

/** @param next the requests of the next second */
export function runnerOf (server: Server, next: () => Requests, isRefused = false): Runner {
  return {
    end: server.end,
    second: async () => {
      const measured = await measure(server, next(), 1, isRefused)
      await untilAtRest(server)
      return measured
    }
  }
}

/** The ratio of two contenders that are measured in turn, or with the same base. */
export function ratioOf (contenders: readonly Contender[], results: Results, of: string, to: string): number {
  const one = roundRatios(results.get(of)!, 'rate')
  const isBase = contenders.some(({ name, base }) => name === of && base === to)
  return medianOf(isBase ? one : ratios(one, roundRatios(results.get(to)!, 'rate')))
}

/** The ratio of a contender to its base in each round, by requests per second or by requests per second of processor time. */
export function roundRatios (rounds: readonly Samples[], key: 'rate' | 'perCpu'): number[] {
  return rounds.flatMap(({ own, baseline }) => {
    return baseline === undefined ? [] : [medianOf(ratios(own.map((each) => each[key]), baseline.map((each) => each[key])))]
  })
}

async function runGroup ({ base, others, reportedElsewhere }: Group, requests: ReadonlyMap<number, Requests>, context: Context): Promise<Map<string, Samples>> {
  const samples = new Map<string, Samples>()
  const ofBase: Measured[] = []
  const { seconds } = context.plan
  const start = (contender: Contender): Promise<Runner> => startRunner(contender, requests.get(contender.tokens)!, context)
  const runner = await start(base)
  try {
    if (others.length === 0) ofBase.push(...(await inTurn(seconds, [runner])).flat())
    for (const other of others) {
      const otherRunner = await start(other)
      const [baseline, own] = await inTurn(seconds, [runner, otherRunner]).finally(otherRunner.end) as [Measured[], Measured[]]
      ofBase.push(...baseline)
      samples.set(other.name, { own, baseline })
    }
  } finally {
    await runner.end()
  }
  if (!reportedElsewhere) samples.set(base.name, { own: ofBase })
  return samples
}

function backwards (groups: readonly Group[]): Group[] {
  return groups.toReversed().map((group) => ({ ...group, others: group.others.toReversed() }))
}

/** Waits for requests that the load has given up: they must not run while another server is measured. */
export async function untilAtRest (server: Server): Promise<void> {
  let { cpu: before } = await server.usage()
  for (let times = 0; times < REST.tries; times++) {
    await sleep(REST.milliseconds)
    const { cpu } = await server.usage()
    const busy = (cpu.user + cpu.system - before.user - before.system) / 1000
    if (busy < REST.share * REST.milliseconds) return
    before = cpu
  }
  throw server.failure('did not come to rest')
}
