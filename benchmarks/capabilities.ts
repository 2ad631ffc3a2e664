// The cost of each capability of capabilities.mjs for a hot request: in one process by the plugin's hook alone, and by requests per second
// of a server, second by second in turn with that of a plain Bearer token.
import { DpopClient } from '../lib/testing/dpop-client.js'
import { CAPABILITIES, capabilityClaims, DPOP, PLAIN } from './capabilities.mjs'
import { startIssuer, type Contender, type Measured } from './contenders.js'
import { BEARER, IN_MEMORY, measureDpopLoad } from './dpop-load.js'
import { medianOf, range, ratios, spreadOf, table, whole } from './figures.js'
import { end } from './processes.js'
import { BoundClient, fileOf } from './proofs.js'
import { requestWith, tokenOf, type Realm, type Requests } from './realm.js'
import type { Part } from './report.js'
import { contextOf, inTurn, startRunner, type Context, type Plan } from './rounds.js'
import { capabilityStepsOf } from './single-process.js'

/** The costs of a capability, round by round. */
export interface CapabilityCosts {
  /** Nanoseconds of the hook for a plain Bearer token, and with the capability, in the same process. */
  hooks: Array<readonly [plain: number, own: number]>
  /** The samples of both servers, of the same seconds. */
  load: Array<readonly [plain: readonly Measured[], own: readonly Measured[]]>
}

export type AllCosts = ReadonlyMap<string, CapabilityCosts>

/** Processes for the hook of each capability: V8 compiles it a little differently in each. */
const PROCESSES = 3

/** More rounds would take a quarter of an hour. */
const MOST_ROUNDS = 2

const NAMES = Object.keys(CAPABILITIES).filter((name) => name !== PLAIN)

export async function measureCapabilities (realm: Realm, plan: Plan): Promise<Part> {
  const rounds = Math.min(plan.rounds, MOST_ROUNDS)
  const costs = new Map([...NAMES, DPOP].map((name): [string, CapabilityCosts] => [name, { hooks: [], load: [] }]))
  for (let times = 0; times < PROCESSES; times++) {
    for (const [name, { hooks }] of costs) {
      const [, plain, own] = (await capabilityStepsOf(name)).map(({ costs: [costs] }) => medianOf(costs!))
      hooks.push([plain!, own!])
    }
    console.log(`hooks: process ${times + 1} of ${PROCESSES}`)
  }
  await measureLoad(costs, realm, { ...plan, rounds })
  return { values: {}, text: `Rounds: ${rounds}, of ${plan.seconds} s each; the hook in ${PROCESSES} processes.\n\n${capabilitiesTable(costs)}` }
}

export function capabilitiesTable (all: AllCosts): string {
  const rows = Array.from(all, ([name, { hooks, load }]) => {
    const more = spreadOf(hooks.map(([plain, own]) => own - plain))
    const by = (key: 'rate' | 'perCpu') => {
      const ofRounds = spreadOf(load.map(([plain, own]) => medianOf(ratios(own.map((each) => each[key]), plain.map((each) => each[key])))))
      return [ofRounds.median.toFixed(2), range(ofRounds, (value) => value.toFixed(2))]
    }
    return [name, whole(medianOf(hooks.map(([, own]) => own))), whole(more.median), range(more, whole), ...by('rate'), ...by('perCpu')]
  })
  const plain = medianOf(Array.from(all.values(), ({ hooks }) => hooks.map(([plain]) => plain)).flat())
  const head = ['capability', 'hook, ns', 'more than plain', 'min–max', 'requests/s, of plain', 'min–max', 'by CPU', 'min–max']
  return table(head, [[PLAIN, whole(plain), ...head.slice(2).map(() => '')], ...rows])
}

async function measureLoad (costs: AllCosts, realm: Realm, plan: Plan): Promise<void> {
  const token = await tokenOf(realm, 0, capabilityClaims())
  const requests = fileOf(realm, 'capabilities', [requestWith(`Bearer ${token}`)])
  const { probes: { bad }, ...context } = await contextOf(realm, plan)
  const issuer = await startIssuer(realm)
  try {
    for (let round = 0; round < plan.rounds; round++) {
      await measureRound(costs, round % 2 === 0 ? NAMES : NAMES.toReversed(), requests, { ...context, probes: { good: token, bad } })
      console.log(`round ${round + 1} of ${plan.rounds}`)
    }
    const samples = await measureDpopLoad(realm, await BoundClient.of(realm, new DpopClient()), undefined, { ...plan, only: [BEARER, IN_MEMORY] })
    const ofRound = (name: string, round: number) => samples[name]!.slice(round * plan.seconds, (round + 1) * plan.seconds)
    for (let round = 0; round < plan.rounds; round++) costs.get(DPOP)!.load.push([ofRound(BEARER, round), ofRound(IN_MEMORY, round)])
  } finally {
    await end(issuer)
  }
}

async function measureRound (costs: AllCosts, names: readonly string[], requests: Requests, context: Context): Promise<void> {
  const start = (name: string) => startRunner({ name, module: 'capability', mode: name, tokens: 1 } satisfies Contender, requests, context)
  const plain = await start(PLAIN)
  try {
    for (const name of names) {
      const runner = await start(name)
      const [base, own] = await inTurn(context.plan.seconds, [plain, runner]).finally(runner.end) as [Measured[], Measured[]]
      costs.get(name)!.load.push([base, own])
    }
  } finally {
    await plain.end()
  }
}
