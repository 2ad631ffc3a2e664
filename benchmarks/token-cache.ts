// npm run bench:cache: policies for the token that a full cache drops, under a skewed load. All policies see the same headers, find an
// entry by a number of 32 bits made of the signature, compare the whole header, and keep a token from its second time on.
import { randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { Doorkeeper } from '../lib/token/doorkeeper.js'
import { copyOf, TokenCache } from '../lib/token/token-cache.js'
import { medianOf, table, whole } from './figures.js'

interface Entry {
  readonly credentials: string
  readonly until: number
  readonly bytes: number
  isUsed: boolean
}

interface Policy {
  find: (header: string) => Entry | undefined
  keep: (entry: Entry) => void
}

interface Costs {
  hitRate: number
  /** In the requests after the frequent tokens became rare, and rare ones frequent. */
  changed: number
  /** Nanoseconds. */
  hit: number
  keep: number
  /** Bytes of the heap for each entry, without the entry itself. */
  bytes: number
}

const TOKENS = 100_000
const REQUESTS = 500_000
/** Requests after the change of the frequent tokens. */
const CHANGED = 100_000
const RUNS = 3
/** The frequency of a token is 1 / rank ** SKEW. */
const SKEW = 1
const LENGTH = 1400

const POLICIES: Readonly<Record<string, (max: number) => Policy>> = {
  'TokenCache of lib/': (max) => {
    const cache = new TokenCache<Entry>({ max, maxBytes: Infinity })
    return { find: (header) => cache.findBy(header), keep: (entry) => cache.keep(entry) }
  },
  'first in, first out': (max) => mapPolicy(max, () => {}, (entries) => {
    entries.delete(entries.keys().next().value!)
  }),
  'second chance (CLOCK)': (max) => mapPolicy(max, mark, secondChance),
  SIEVE: sieve,
  'least recently used': (max) => mapPolicy(max, (entry, slot, entries) => {
    entries.delete(slot)
    entries.set(slot, entry)
  }, (entries) => { entries.delete(entries.keys().next().value!) }),
  'lru-cache': (max) => {
    const cache = new LRUCache<number, Entry>({ max })
    return { find: (header) => sameHeader(cache.get(slotOf(header)), header), keep: (entry) => { cache.set(slotOf(entry.credentials), entry) } }
  }
}

const headers = Array.from({ length: TOKENS }, () => copyOf(`Bearer ${'x'.repeat(LENGTH - 12)}${randomBytes(9).toString('base64url')}`))
const requests = zipf()
for (const max of [1000, 10_000]) {
  const names = Object.keys(POLICIES)
  const runs = names.map((): Costs[] => [])
  for (let run = 0; run < RUNS; run++) {
    for (const [at, create] of Object.values(POLICIES).entries()) runs[at]!.push(measure(create, max, requests))
  }
  console.log(`\n${whole(TOKENS)} tokens, Zipf ${SKEW}, a cache of ${whole(max)}:\n`)
  console.log(table(['policy', 'hit rate', 'after a change', 'ns a hit', 'ns a keep', 'bytes an entry'], names.map((name, at) => {
    const median = (key: keyof Costs): number => medianOf(runs[at]!.map((costs) => costs[key]))
    const share = (key: keyof Costs): string => `${(100 * median(key)).toFixed(1)} %`
    return [name, share('hitRate'), share('changed'), whole(median('hit')), whole(median('keep')), whole(median('bytes'))]
  })))
}
process.exit()

function measure (create: (max: number) => Policy, max: number, requests: Int32Array): Costs {
  const policy = create(max)
  const doorkeeper = new Doorkeeper(max)
  const shareOfHits = (tokens: Int32Array, first: number): number => {
    let hits = 0
    for (const token of tokens) {
      const header = headers[(token + first) % TOKENS]!
      if (policy.find(header) !== undefined) hits++
      else if (doorkeeper.seenBefore(slotOf(header))) policy.keep(entryOf(header))
    }
    return hits / tokens.length
  }
  shareOfHits(requests, 0)
  const hitRate = shareOfHits(requests, 0)
  const hit = nanosecondsOfHit(policy, requests)
  const changed = shareOfHits(requests.subarray(0, CHANGED), TOKENS / 2)
  return { hitRate, changed, hit, keep: nanosecondsOfKeep(policy), bytes: bytesOf(create, max) }
}

/** Of copies of kept headers, in the order of the load. */
function nanosecondsOfHit (policy: Policy, requests: Int32Array): number {
  const kept = Array.from(requests.subarray(0, 20_000), (token) => headers[token]!).filter((header) => policy.find(header) !== undefined)
  const copies = kept.slice(0, 4000).map(copyOf)
  const started = performance.now()
  for (let times = 0; times < 50; times++) for (const header of copies) if (policy.find(header) === undefined) throw new Error('a kept token was not found')
  return (performance.now() - started) * 1e6 / copies.length / 50
}

/** Of tokens that are not kept, each of which takes the place of another. */
function nanosecondsOfKeep (policy: Policy): number {
  const entries = headers.filter((header) => policy.find(header) === undefined).map(entryOf)
  const started = performance.now()
  for (const entry of entries) policy.keep(entry)
  return (performance.now() - started) * 1e6 / entries.length
}

function bytesOf (create: (max: number) => Policy, max: number): number {
  const entries = headers.slice(0, max).map(entryOf)
  globalThis.gc!()
  const before = process.memoryUsage()
  const policy = create(max)
  for (const entry of entries) policy.keep(entry)
  globalThis.gc!()
  const after = process.memoryUsage()
  if (policy.find(headers[0]!) === undefined) throw new Error('a full cache lacks its first token')
  return (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / max
}

function mapPolicy (max: number, use: (entry: Entry, slot: number, entries: Map<number, Entry>) => void, drop: (entries: Map<number, Entry>) => void): Policy {
  const entries = new Map<number, Entry>()
  return {
    find (header) {
      const slot = slotOf(header)
      const entry = sameHeader(entries.get(slot), header)
      if (entry !== undefined) use(entry, slot, entries)
      return entry
    },
    keep (entry) {
      if (entries.size === max) drop(entries)
      entries.set(slotOf(entry.credentials), entry)
    }
  }
}

function mark (entry: Entry): void {
  if (!entry.isUsed) entry.isUsed = true
}

/** Puts an entry that was used behind the newest instead of dropping it. */
function secondChance (entries: Map<number, Entry>): void {
  for (const [slot, entry] of entries) {
    entries.delete(slot)
    if (!entry.isUsed) return
    entry.isUsed = false
    entries.set(slot, entry)
  }
}

/** Leaves an entry that was used in its place, and goes on from there the next time (Zhang et al., NSDI 2024). */
function sieve (max: number): Policy {
  let hand: MapIterator<Entry> | undefined
  let newest: Entry | undefined
  const policy = mapPolicy(max, mark, (entries) => {
    for (;;) {
      hand ??= entries.values()
      const { value: entry } = hand.next()
      if (entry === undefined || entry === newest) hand = undefined
      if (entry === undefined) continue
      if (!entry.isUsed) {
        entries.delete(slotOf(entry.credentials))
        return
      }
      entry.isUsed = false
    }
  })
  return { find: policy.find, keep: (entry) => { policy.keep(entry); newest = entry } }
}

function entryOf (credentials: string): Entry {
  return { credentials, until: Infinity, bytes: LENGTH, isUsed: false }
}

function sameHeader (entry: Entry | undefined, header: string): Entry | undefined {
  return entry !== undefined && entry.credentials === header ? entry : undefined
}

/** As in lib/token/token-cache.ts. */
function slotOf (text: string): number {
  let slot = 0
  for (let at = text.length - 9; at < text.length - 1; at++) slot = (Math.imul(slot, 31) + text.charCodeAt(at)) | 0
  return slot
}

function zipf (): Int32Array {
  const sums = new Float64Array(TOKENS)
  let sum = 0
  for (let rank = 0; rank < TOKENS; rank++) sums[rank] = sum += 1 / (rank + 1) ** SKEW
  return Int32Array.from({ length: REQUESTS }, () => {
    const target = Math.random() * sum
    let [low, high] = [0, TOKENS - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! < target) low = middle + 1
      else high = middle
    }
    return low
  })
}
