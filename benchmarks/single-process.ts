// The parts that need no load, each measured by a script in a process of its own: starts, single steps, and the growth of their costs.
import { claimsOf } from './claims.js'
import { entryOf } from './contenders.js'
import { range, spreadOf, table, whole, type Spread } from './figures.js'
import { CORE, here, resultOf, root } from './processes.js'
import type { Part } from './report.js'

/** Milliseconds. */
export interface Start {
  clock: number
  cpu: number
}

/** Nanoseconds of a step by build and block. */
export interface Step {
  name: string
  costs: number[][]
}

/** Processor microseconds. */
interface Costs {
  size: number
  bytes: number
  hit: number
  miss: number
  check?: number
  cold?: number
}

const STARTS = { bare: ['bare'], ours: ['esm', root], 'ours-cjs': ['cjs', root] }
const DEPENDENCIES = ['fastify-plugin', 'fast-jwt', 'get-jwks', 'undici', 'zod']

/** How long a start takes, and how much of it is the import of each dependency. */
export async function measureStarts (starts: number): Promise<Part> {
  const kinds = Object.entries({ ...STARTS, ...Object.fromEntries(DEPENDENCIES.map((name) => [name, ['import', name]])) })
  const results = new Map<string, Start[]>(kinds.map(([name]) => [name, []]))
  for (let round = 0; round < starts; round++) {
    for (const [name, parameters] of kinds) results.get(name)!.push(await startOnce(parameters))
  }
  const bare = results.get('bare')!
  const over = (kind: string, key: keyof Start) => spreadOf(results.get(kind)!.map((each, round) => each[key] - bare[round]![key]))
  const clockOf = (name: string) => spreadOf(results.get(name)!.map(({ clock }) => clock))
  const text = [
    `${starts} starts of each, in turn, each in a new process.`,
    table(['start', 'ms', 'min–max', 'ms more than bare', 'min–max', 'of CPU time'], Object.keys(STARTS).map((kind) => [
      kind, ...milliseconds(clockOf(kind)), ...(kind === 'bare' ? ['', '', ''] : [...milliseconds(over(kind, 'clock')), whole(over(kind, 'cpu').median)])
    ])),
    'The import of each dependency alone, after Fastify. Code that two of them share counts in both:',
    table(['import', 'ms', 'min–max'], DEPENDENCIES.map((name) => [name, ...milliseconds(clockOf(name))]))
  ].join('\n\n')
  return { text, values: { start: over('ours', 'clock').median } }
}

/** Parameters: those of start.mjs. */
export async function startOnce (parameters: readonly string[], node = process.execPath): Promise<Start> {
  return await resultOf<Start>(CORE.server, node, [here('start.mjs'), ...parameters], 30)
}

export async function measureSteps (): Promise<Part> {
  return { values: {}, text: stepsTable(await stepsOf([root])) }
}

/** The steps of requests with a DPoP proof, and of routes that demand a login. */
export async function measureProofSteps (): Promise<Part> {
  return { values: {}, text: stepsTable(await stepScript<Step[]>('proofs', [root])) }
}

export function stepsTable (steps: readonly Step[]): string {
  return table(['step', 'median µs', 'min µs', 'max µs'], steps.map(({ name, costs: [costs] }) => {
    const spread = spreadOf(costs!)
    return [name, ...[spread.median, spread.min, spread.max].map((nanoseconds) => (nanoseconds / 1000).toFixed(2))]
  }))
}

/** The costs of single steps of several builds, in turn in one new process. */
export async function stepsOf (builds: readonly string[], node = process.execPath): Promise<Step[]> {
  return await stepScript<Step[]>('micro', builds, node)
}

/** The costs of a token must grow no faster than its roles, its length, and the keys of the realm. */
export async function measureGrowth (): Promise<Part> {
  const { roles, lengths, keys } = await stepScript<Record<'roles' | 'lengths' | 'keys', Costs[]>>('growth', [root])
  return {
    values: {},
    text: [
      'CPU microseconds of a token that is in the cache (hit), and of one that is verified (miss); × is the multiple of the first line.',
      growthTable('roles of the client', roles, ['hit', 'miss', 'check']),
      'Check: `request.hasPermission(role)`, the mean of the last role and one that is not there.',
      growthTable('characters of the token', lengths, ['hit', 'miss']),
      growthTable('keys of the realm', keys, ['hit', 'miss', 'cold']),
      'Cold: the first token of a new API, the fetch and the import of the key set included.'
    ].join('\n\n')
  }
}

async function stepScript<T> (kind: 'micro' | 'growth' | 'proofs', builds: readonly string[], node = process.execPath): Promise<T> {
  const claims = claimsOf({ issuer: '', exp: 0 })
  return await resultOf<T>(CORE.server, node, [here('steps.mjs'), JSON.stringify({ kind, builds: builds.map(entryOf), claims })], 300)
}

function growthTable (title: string, costs: readonly Costs[], columns: ReadonlyArray<'hit' | 'miss' | 'check' | 'cold'>): string {
  const [first] = costs
  const times = (value: number, base: number): string => (value / base).toFixed(1)
  const head = [title, '×', 'bytes', '×', ...columns.flatMap((column) => [`${column} µs`, '×'])]
  return table(head, costs.map((each) => [
    whole(each.size), times(each.size, first!.size), whole(each.bytes), times(each.bytes, first!.bytes),
    ...columns.flatMap((column) => [each[column]!.toFixed(2), times(each[column]!, first![column]!)])
  ]))
}

function milliseconds (spread: Spread): string[] {
  return [whole(spread.median), range(spread, whole)]
}
