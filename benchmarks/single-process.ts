// The parts that need no load, each measured by a script in a process of its own: single steps, and the growth of their costs.
import { claimsOf } from './claims.js'
import { entryOf } from './contenders.js'
import { spreadOf, table, whole } from './figures.js'
import { CORE, here, resultOf, root } from './processes.js'
import type { Part } from './report.js'
import { serverNode } from './server-node.js'

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
export async function stepsOf (builds: readonly string[], node = serverNode()): Promise<Step[]> {
  return await stepScript<Step[]>('micro', builds, node)
}

/** A new token on a Node: its signature alone, fast-jwt alone, and the whole of `keycloak.verify()`. */
export async function newTokenSteps (node: string): Promise<Step[]> {
  return await stepScript<Step[]>('newToken', [root], node)
}

/** The hook for a plain Bearer token, and for one with a capability of capabilities.mjs. */
export async function capabilityStepsOf (capability: string): Promise<Step[]> {
  return await stepScript<Step[]>('oneCapability', [root], serverNode(), { capability })
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

async function stepScript<T> (kind: 'micro' | 'growth' | 'proofs' | 'newToken' | 'oneCapability', builds: readonly string[], node = serverNode(), more = {}): Promise<T> {
  const claims = claimsOf({ issuer: '', exp: 0 })
  return await resultOf<T>(CORE.server, node, [here('steps.mjs'), JSON.stringify({ kind, builds: builds.map(entryOf), claims, ...more })], 300)
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
