// The core rows of the throughput on each Node from npm, second by second in turn, and the processor time of a new token in one process.
import { CONTENDERS, startIssuer, type Contender, type Measured } from './contenders.js'
import { medianOf, range, ratios, spreadOf, table, whole } from './figures.js'
import { end } from './processes.js'
import { requestsOf, type Realm } from './realm.js'
import type { Part } from './report.js'
import { contextOf, inTurn, startRunner, type Context, type Plan, type Runner } from './rounds.js'
import { nodeNamed, NODES, versionOf } from './server-node.js'
import { newTokenSteps } from './single-process.js'

type NodeName = typeof NODES[number]

/** Contenders that run at the same time, on all Nodes. */
const GROUPS = [['bare', 'ours'], ['bare-1000', 'ours-1000'], ['verify-100k', 'ours-100k', 'jose-100k']] as const

type Name = typeof GROUPS[number][number]

/** Ratios of two contenders on the same Node. */
const RATIOS: ReadonlyArray<readonly [title: string, of: Name, to: Name]> = [
  ['one hot token, of bare', 'ours', 'bare'],
  ['1,000 tokens in turn, of bare', 'ours-1000', 'bare-1000'],
  ['new tokens, of a route that does only `crypto.verify`', 'ours-100k', 'verify-100k'],
  ['new tokens, of jose', 'ours-100k', 'jose-100k']
]

const RATES: ReadonlyArray<readonly [title: string, of: Name]> = [
  ['bare, requests/s', 'bare'], ['one hot token, requests/s', 'ours'], ['new tokens, requests/s', 'ours-100k']
]

/** The samples of each contender on each Node, round by round. */
export type NodeSamples = Readonly<Record<NodeName, Readonly<Record<Name, ReadonlyArray<readonly Measured[]>>>>>

/** Nanoseconds of the steps of a new token on each Node, round by round. */
type NodeSteps = ReadonlyMap<string, Readonly<Record<NodeName, readonly number[]>>>

/** Rounds beyond these would take minutes, and the Nodes differ by more than the rounds. */
const MOST_ROUNDS = 3

export async function measureNodes (realm: Realm, plan: Plan): Promise<Part> {
  const rounds = Math.min(plan.rounds, MOST_ROUNDS)
  const steps = await measureNewTokens(rounds)
  const samples = await measureLoad(realm, { ...plan, rounds })
  const versions = NODES.map((name) => versionOf(nodeNamed(name)))
  return { values: {}, nodes: versions.join(', '), text: `Rounds: ${rounds}, of ${plan.seconds} s each.\n\n${nodesTable(versions, samples, steps)}` }
}

export function nodesTable (versions: readonly string[], samples: NodeSamples, steps: NodeSteps): string {
  const ofRounds = (node: NodeName, of: Name, to: Name, key: 'rate' | 'perCpu'): number[] => samples[node][of].map((own, round) => {
    return medianOf(ratios(own.map((each) => each[key]), samples[node][to][round]!.map((each) => each[key])))
  })
  return table(['', ...versions.map((version) => `Node ${version}`)], [
    ...RATIOS.flatMap(([title, of, to]) => [
      [title, ...NODES.map((node) => withRange(ofRounds(node, of, to, 'rate')))],
      ['the same by processor time', ...NODES.map((node) => withRange(ofRounds(node, of, to, 'perCpu')))]
    ]),
    ...RATES.map(([title, of]) => [title, ...NODES.map((node) => whole(medianOf(samples[node][of].flatMap((round) => round.map(({ rate }) => rate)))))]),
    ...Array.from(steps, ([name, costs]) => [`${name}, µs of processor time in one process`, ...NODES.map((node) => (medianOf(costs[node]) / 1000).toFixed(1))])
  ])
}

async function measureNewTokens (rounds: number): Promise<NodeSteps> {
  const steps = new Map<string, Record<NodeName, number[]>>()
  for (let round = 0; round < rounds; round++) {
    for (const node of orderOf(round)) {
      for (const { name, costs } of await newTokenSteps(nodeNamed(node))) {
        if (!steps.has(name)) steps.set(name, forEachNode(() => []))
        steps.get(name)![node].push(medianOf(costs[0]!))
      }
    }
  }
  return steps
}

async function measureLoad (realm: Realm, plan: Plan): Promise<NodeSamples> {
  const samples = forEachNode(() => Object.fromEntries(GROUPS.flat().map((name) => [name, [] as Measured[][]])) as Record<Name, Measured[][]>)
  const context = await contextOf(realm, plan)
  const issuer = await startIssuer(realm)
  try {
    for (let round = 0; round < plan.rounds; round++) {
      for (const names of GROUPS) {
        await measureGroup(names, orderOf(round), context, (node, name, measured) => samples[node][name].push(measured))
        console.log(`round ${round + 1} of ${plan.rounds}: ${names.flatMap((name) => NODES.map((node) => `${name} on ${node} ${whole(medianOf(samples[node][name].at(-1)!.map(({ rate }) => rate)))}`)).join(', ')} requests/s`)
      }
    }
  } finally {
    await end(issuer)
  }
  return samples
}

async function measureGroup (names: readonly Name[], nodes: readonly NodeName[], context: Context, add: (node: NodeName, name: Name, measured: Measured[]) => void): Promise<void> {
  const lanes = nodes.flatMap((node) => names.map((name) => ({ node, name })))
  const runners: Runner[] = []
  try {
    for (const { node, name } of lanes) {
      const contender: Contender = { ...CONTENDERS.find((each) => each.name === name)!, node: nodeNamed(node) }
      runners.push(await startRunner(contender, await requestsOf(context.realm, contender.tokens), context))
    }
    for (const [at, measured] of (await inTurn(context.plan.seconds, runners)).entries()) add(lanes[at]!.node, lanes[at]!.name, measured)
  } finally {
    for (const { end } of runners) await end()
  }
}

/** The Nodes take turns in being the first. */
function orderOf (round: number): readonly NodeName[] {
  return round % 2 === 0 ? NODES : NODES.toReversed()
}

function forEachNode<T> (create: () => T): Record<NodeName, T> {
  return Object.fromEntries(NODES.map((node) => [node, create()])) as Record<NodeName, T>
}

function withRange (values: readonly number[]): string {
  const two = (value: number): string => value.toFixed(2)
  const spread = spreadOf(values)
  return `${two(spread.median)} (${range(spread, two)})`
}
