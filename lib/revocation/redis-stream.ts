/** An entry of the stream: its id, and names and values in turn. */
export type Entry = [id: string, members: string[]]

/** The members of an entry: a revocation, and the milliseconds for which it is kept. */
const REVOCATION = 'revocation'
const KEPT = 'kept'

/** Milliseconds that entries are kept longer than they count, for clocks that differ. */
const MARGIN = 600_000

/** The longest that entries are kept: ten years, in milliseconds. */
const MAX_KEPT = 315_360_000_000

// Scripts, so that no other instance can come between; of one key each, which is what a cluster allows.

/**
 * The longest time that any API of the stream has asked for, which KEYS[1] holds for good: one whose tokens live for minutes
 * must not make another forget what that needs for a day. ARGV: the milliseconds that the caller needs. Answers the longest, and
 * whether that is new.
 */
export const LONGEST = `
local own = tonumber(ARGV[1])
local longest = tonumber(redis.call('GET', KEYS[1]) or '') or 0
if longest >= own and longest <= ${MAX_KEPT} then
  return { string.format('%.0f', longest), 0 }
end
redis.call('SET', KEYS[1], ARGV[1])
return { ARGV[1], 1 }`

/**
 * Adds entries to the stream KEYS[1]. ARGV: the milliseconds for which it is kept, and revocations, which may be none. Goes by
 * the clock of Redis, since that of an instance may be wrong. A stream that is to be kept longer stays so.
 */
export const ADD = `
local oldest = string.format('%.0f', math.max(0, redis.call('TIME')[1] * 1000 - ARGV[1]))
for at = 2, #ARGV do
  redis.call('XADD', KEYS[1], 'MINID', '~', oldest, '*', '${REVOCATION}', ARGV[at], '${KEPT}', ARGV[1])
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end`

/** Milliseconds for which entries are to be kept that count for so many seconds. */
export function millisecondsFor (lifetime: number): number {
  return Math.min(Math.ceil(lifetime * 1000) + MARGIN, MAX_KEPT)
}

/** A revocation of whatever form, `undefined` for none, and for how many milliseconds it is kept as far as its writer knew. */
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
