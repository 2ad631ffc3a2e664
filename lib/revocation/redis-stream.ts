import type { Revocation } from '../../types/revocation.js'
import { answerOf, type RedisClient } from './redis-client.js'

/** An entry of the stream: its id, and names and values in turn. */
export type Entry = [id: string, members: string[]]

/** The id before all ids. */
export const BEGINNING = '0-0'

/** Entries that are read or written at once. */
export const BATCH = 1000

/** The members of an entry: a revocation, and the milliseconds for which it is kept. */
const REVOCATION = 'revocation'
const KEPT = 'kept'

/** Milliseconds for which entries are kept longer than they count, because clocks differ. */
const MARGIN = 600_000

/** The longest time for which entries are kept: ten years, in milliseconds. */
const MAX_KEPT = 315_360_000_000

/** Milliseconds for which one instance alone may give back entries that Redis lost. */
const RESTORE_TIME = 10_000

// Scripts, so that no other instance comes between their commands; of one key each, because a cluster allows no more.

/**
 * The longest time that any API of the stream has asked for, which KEYS[1] holds for good: an API whose tokens live for minutes
 * must not drop entries that another API needs for a day. ARGV: the milliseconds that the caller needs. Answers the longest, and
 * 1 if it is new.
 */
const LONGEST = `
local own = tonumber(ARGV[1])
local longest = tonumber(redis.call('GET', KEYS[1]) or '') or 0
if longest >= own and longest <= ${MAX_KEPT} then
  return { string.format('%.0f', longest), 0 }
end
redis.call('SET', KEYS[1], ARGV[1])
return { ARGV[1], 1 }`

/**
 * Adds entries to the stream KEYS[1]. ARGV: the milliseconds for which the stream is kept, and revocations, which may be none. The
 * script goes by the clock of Redis, because that of an instance may be wrong. A stream that is to be kept longer stays so.
 */
const ADD = `
local oldest = string.format('%.0f', math.max(0, redis.call('TIME')[1] * 1000 - ARGV[1]))
for at = 2, #ARGV do
  redis.call('XADD', KEYS[1], 'MINID', '~', oldest, '*', '${REVOCATION}', ARGV[at], '${KEPT}', ARGV[1])
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end`

/** The commands on one stream of revocations. Added entries trim old ones, and the last ones expire with the stream. */
export class RedisStream {
  readonly key: string
  /** Milliseconds for which this API needs an entry. */
  readonly #kept: number

  /** @param lifetime seconds for which a revocation counts */
  constructor (key: string, lifetime: number) {
    this.key = key
    this.#kept = Math.min(Math.ceil(lifetime * 1000) + MARGIN, MAX_KEPT)
  }

  /** Without a timeout: the caller has one. */
  async add (client: RedisClient, revocations: readonly Revocation[]): Promise<void> {
    const [kept, isNew] = await client.call('eval', LONGEST, 1, `${this.key}:lifetime`, this.#kept) as [string, number]
    if (revocations.length === 0 && isNew === 0) return
    await client.call('eval', ADD, 1, this.key, kept, ...revocations.map((each) => JSON.stringify(each)))
  }

  /**
   * Have the stream kept for as long as this API needs it. An instance that may only read, such as one of a replica, goes
   * without: the others keep the stream for as long as they need it.
   */
  async askToKeep (client: RedisClient): Promise<void> {
    await answerOf(this.add(client, [])).catch(() => {})
  }

  /** Does its writer keep an entry for less time than this API needs? */
  isKeptTooBriefly (kept: number): boolean {
    return kept < this.#kept
  }

  /** @param from an id, or `(` and an id to begin after it */
  async range (client: RedisClient, from: string, count = BATCH): Promise<Entry[]> {
    return await answerOf(client.call('xrange', this.key, from, '+', 'COUNT', count)) as Entry[]
  }

  /** @returns false while another instance gives back entries that Redis lost */
  async lockRestore (client: RedisClient): Promise<boolean> {
    return await answerOf(client.call('set', this.#restoreLock, 1, 'NX', 'PX', RESTORE_TIME)) !== null
  }

  async unlockRestore (client: RedisClient): Promise<void> {
    await answerOf(client.call('del', this.#restoreLock))
  }

  get #restoreLock (): string {
    return `${this.key}:restoring`
  }
}

/** The revocation of an entry, unchecked, and the milliseconds for which its writer keeps it. `undefined` stands for no JSON. */
export function readEntry (members: readonly string[]): { revocation: unknown, kept: number } {
  return { revocation: parse(valueOf(members, REVOCATION)), kept: Number(valueOf(members, KEPT)) || 0 }
}

function valueOf (members: readonly string[], name: string): string | undefined {
  const at = members.indexOf(name)
  return at === -1 ? undefined : members[at + 1]
}

function parse (text: string | undefined): unknown {
  try {
    return JSON.parse(text!)
  } catch {
    return undefined
  }
}
