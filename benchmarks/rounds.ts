// Rounds of all contenders. In each of them each is started anew, since one process may settle 10 % above or below the
// next, and is measured second by second in turn with its base, since a machine may do twice as much in one minute as in
// the next.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender } from './contenders.js'
import { examine, measure, startIssuer, startServer, type Measured, type Questions, type Server } from './contender.js'
import { type Heat, heatsOf } from './heats.js'
import { load } from './load.js'
import type { Outing, Results } from './outings.js'
import { end } from './processes.js'
import { badTokens, type Realm, requestsOf, type Requests, tokenOf } from './realm.js'

export interface Plan {
  rounds: number
  /** Measured, per contender and round. */
  seconds: number
  warmUp: number
  /** No round is begun after so many minutes. */
  minutes: number
}

/** What each heat needs. */
interface Course {
  realm: Realm
  questions: Questions
  requests: ReadonlyMap<number, Requests>
  plan: Plan
}

/** A server is at rest when it takes less than this of its core. */
const REST = { milliseconds: 50, share: 0.2, tries: 200 }

export async function runRounds (contenders: readonly Contender[], realm: Realm, plan: Plan): Promise<Results> {
  const results = new Map<string, Outing[]>(contenders.map(({ name }) => [name, []]))
  const requests = new Map<number, Requests>()
  for (const { tokens } of contenders) requests.set(tokens, await requestsOf(realm, tokens))
  const course = { realm, questions: { good: await tokenOf(realm, 0), bad: await badTokens(realm) }, requests, plan }
  const heats = heatsOf(contenders)
  const issuer = await startIssuer(realm)
  const started = performance.now()
  try {
    for (let round = 0; round < plan.rounds; round++) {
      if (round > 0 && performance.now() - started > plan.minutes * 60_000) {
        console.log(`Stopped after ${round} rounds: ${plan.minutes} minutes are over.`)
        break
      }
      // Forwards and backwards in turn, so that a machine that gets slower favours nobody.
      for (const heat of round % 2 === 0 ? heats : backwards(heats)) {
        for (const [name, outing] of await run(heat, course)) {
          results.get(name)!.push(outing)
          console.log(`round ${round + 1} of ${plan.rounds}: ${name} ${outing.own.map(({ rate }) => Math.round(rate)).join(', ')} requests/s`)
        }
      }
    }
  } finally {
    await end(issuer)
  }
  return results
}

function backwards (heats: readonly Heat[]): Heat[] {
  return heats.toReversed().map((heat) => ({ ...heat, others: heat.others.toReversed() }))
}

async function run ({ base, others, runsElsewhere }: Heat, course: Course): Promise<Map<string, Outing>> {
  const outings = new Map<string, Outing>()
  const besides: Measured[] = []
  await withServer(base, course, async (measureBase) => {
    if (others.length === 0) besides.push(...(await inTurn(course.plan.seconds, [measureBase])).flat())
    for (const other of others) {
      await withServer(other, course, async (measureOther) => {
        const [beside, own] = await inTurn(course.plan.seconds, [measureBase, measureOther]) as [Measured[], Measured[]]
        besides.push(...beside)
        outings.set(other.name, { own, beside })
      })
    }
  })
  if (!runsElsewhere) outings.set(base.name, { own: besides })
  return outings
}

/** Second by second, forwards and backwards. */
async function inTurn (seconds: number, runners: ReadonlyArray<() => Promise<Measured>>): Promise<Measured[][]> {
  const measured = runners.map((): Measured[] => [])
  const lanes = [...runners.keys()]
  for (let second = 0; second < seconds; second++) {
    for (const lane of second % 2 === 0 ? lanes : lanes.toReversed()) measured[lane]!.push(await runners[lane]!())
  }
  return measured
}

async function withServer (contender: Contender, { realm, questions, requests, plan }: Course, use: (second: () => Promise<Measured>) => Promise<void>): Promise<void> {
  const server = await startServer(contender, realm)
  try {
    await examine(contender, server, questions, realm.username)
    const sent = requests.get(contender.tokens)!
    if (plan.warmUp > 0) await load(server.port, sent, plan.warmUp)
    await rest(server)
    await use(async () => {
      const measured = await measure(server, sent, 1)
      await rest(server)
      return measured
    })
  } finally {
    await server.end()
  }
}

/** What is left of requests that nobody waits for any more must not run while another one is measured. */
async function rest (server: Server): Promise<void> {
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
