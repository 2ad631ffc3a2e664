// npm run bench:cache: policies for the token that a full cache drops, under six mixes of users. All policies see the same headers, and
// keep a token from its second time on.
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { Doorkeeper } from '../lib/token/doorkeeper.js'
import { type CacheEntry, copyOf, TokenCache } from '../lib/token/token-cache.js'
import { POLICIES, slotOf, type Policy } from './cache-policies.mjs'
import { medianOf, table, whole } from './figures.js'
import { orderOf, type Mix } from './mixes.js'

type Create = (max: number) => Policy

interface Costs {
  /** Nanoseconds. */
  hit: number
  keep: number
  /** Bytes of the heap for each entry, without the entry itself. */
  bytes: number
}

/** The largest numbers of tokens. */
const SIZES = [1000, 10_000, 50_000]
/** Users, and the largest number of tokens; a cache that holds the tokens of all users drops none. */
const MIXES: ReadonlyArray<readonly [Mix, users: number, max: number]> = (['Zipf', 'uniform'] as const).flatMap((mix) => (
  [[mix, 10_000, 1000], [mix, 50_000, 1000], [mix, 50_000, 10_000]] as const
))
const USERS = 50_000
const REQUESTS = 500_000
/** Requests after other users became the frequent ones. */
const CHANGED = 100_000
const RUNS = 3
const LENGTH = 1400

const { values: { runs: given } } = parseArgs({ options: { runs: { type: 'string', default: String(RUNS) } } })
const runs = Array.from({ length: Number(given) }, (_, at) => at)
const policies: Readonly<Record<string, Create>> = {
  'TokenCache of lib/': (max) => {
    const cache = new TokenCache<CacheEntry>({ max, maxBytes: Infinity })
    return { find: (header) => cache.findBy(header), keep: (entry) => cache.keep(entry) }
  },
  ...POLICIES
}
// Twice as many as there are users, for tokens that are not kept.
const headers = Array.from({ length: 2 * USERS }, () => copyOf(`Bearer ${'x'.repeat(LENGTH - 12)}${randomBytes(9).toString('base64url')}`))

console.log(`Hit rates, %: ${whole(REQUESTS)} requests after as many others; in brackets in the next ${whole(CHANGED)}, if other users become the frequent ones.\n`)
console.log(table(['policy', ...MIXES.map(([mix, users, max]) => `${mix} ${whole(users)}, cache ${whole(max)}`)], Object.entries(policies).map(([name, create]) => [
  name, ...MIXES.map(([mix, users, max]) => {
    const [kept, changed] = hitRates(create, max, orderOf(mix, users, 2 * REQUESTS + CHANGED), users)
    return mix === 'Zipf' ? `${percent(kept)} (${percent(changed)})` : percent(kept)
  })
])))
const costs = costsInTurn()
const columns = (key: keyof Costs, name: string): string[] => SIZES.map((max) => whole(medianOf(costs.get(`${name} ${max}`)!.map((each) => each[key]))))
console.log(`\nOf a cache of ${SIZES.map(whole).join(', ')} tokens, ${whole(USERS)} users by Zipf's law:\n`)
console.log(table(
  ['policy', ...SIZES.map((max) => `ns a hit, ${whole(max)}`), ...SIZES.map((max) => `ns a keep, ${whole(max)}`), 'bytes an entry'],
  Object.keys(policies).map((name) => [name, ...columns('hit', name), ...columns('keep', name), columns('bytes', name).at(-1)!])
))
process.exit()

function hitRates (create: Create, max: number, order: Int32Array, users: number): [kept: number, changed: number] {
  const policy = create(max)
  const doorkeeper = new Doorkeeper(max)
  const shareOfHits = (from: number, count: number, first: number): number => {
    let hits = 0
    for (const user of order.subarray(from, from + count)) {
      const header = headers[(user + first) % users]!
      if (policy.find(header) !== undefined) hits++
      else if (doorkeeper.seenBefore(slotOf(header))) policy.keep(entryOf(header))
    }
    return hits / count
  }
  shareOfHits(0, REQUESTS, 0)
  return [shareOfHits(REQUESTS, REQUESTS, 0), shareOfHits(2 * REQUESTS, CHANGED, users / 2)]
}

/** Of each policy and size, run by run. */
function costsInTurn (): Map<string, Costs[]> {
  const costs = new Map<string, Costs[]>()
  const order = orderOf('Zipf', USERS, REQUESTS)
  for (const run of runs) {
    const all = Object.entries(policies)
    for (const [name, create] of run % 2 === 0 ? all : all.toReversed()) {
      for (const max of SIZES) {
        const key = `${name} ${max}`
        costs.set(key, [...costs.get(key) ?? [], costsOf(create, max, order)])
      }
    }
  }
  return costs
}

function costsOf (create: Create, max: number, order: Int32Array): Costs {
  const policy = create(max)
  for (const header of headers.slice(0, max).toReversed()) policy.keep(entryOf(header))
  return { hit: nanosecondsOfHit(policy, order), keep: nanosecondsOfKeep(policy), bytes: bytesOf(create, max) }
}

/** Of copies of kept headers, in the order of the load. */
function nanosecondsOfHit (policy: Policy, order: Int32Array): number {
  const copies: string[] = []
  for (const user of order) {
    const header = headers[user]!
    if (policy.find(header) !== undefined) copies.push(copyOf(header))
    if (copies.length === 20_000) break
  }
  const started = performance.now()
  for (let times = 0; times < 10; times++) for (const header of copies) if (policy.find(header) === undefined) throw new Error('a kept token was not found')
  return (performance.now() - started) * 1e6 / copies.length / 10
}

/** Of tokens that are not kept, each of which takes the place of another. */
function nanosecondsOfKeep (policy: Policy): number {
  const entries = headers.slice(USERS).map(entryOf)
  const started = performance.now()
  for (const entry of entries) policy.keep(entry)
  return (performance.now() - started) * 1e6 / entries.length
}

function bytesOf (create: Create, max: number): number {
  const entries = headers.slice(0, max).map(entryOf)
  globalThis.gc!()
  globalThis.gc!()
  const before = process.memoryUsage()
  const policy = create(max)
  for (const entry of entries) policy.keep(entry)
  globalThis.gc!()
  const after = process.memoryUsage()
  if (policy.find(entries[0]!.credentials) === undefined) throw new Error('a full cache lacks its first token')
  return (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / max
}

function entryOf (credentials: string): CacheEntry {
  return { credentials, until: Infinity, bytes: LENGTH, isUsed: false }
}

function percent (share: number): string {
  return (100 * share).toFixed(1)
}
