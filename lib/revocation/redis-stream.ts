/** An entry of the stream: its id, and names and values in turn. */
export type Entry = [id: string, members: string[]]

/** The members of an entry: a revocation, and the milliseconds for which it is kept. */
const REVOCATION = 'revocation'
const KEPT = 'kept'

/** Milliseconds that entries are kept longer than they count, for clocks that differ. */
const MARGIN = 600_000

/** The longest that entries are kept: ten years, in milliseconds. */
const MAX_KEPT = 315_360_000_000

/**
 * Adds entries to the stream KEYS[1], and keeps it for the longest time that any API which uses it has asked for: one whose
 * tokens live for minutes must not make another forget what that needs for a day. KEYS[2] holds this time, for good. ARGV: the
 * milliseconds that the caller needs, and its revocations, which may be none. Atomic, and by the clock of Redis, since that of
 * an instance may be wrong.
 */
export const ADD = `
local own = tonumber(ARGV[1])
local kept = tonumber(redis.call('GET', KEYS[2]) or '') or 0
if not (kept >= own and kept <= ${MAX_KEPT}) then
  kept = own
  redis.call('SET', KEYS[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
if #ARGV > 1 then
  local now = redis.call('TIME')[1] * 1000
  local oldest = string.format('%.0f', math.max(0, now - kept))
  for at = 2, #ARGV do
    redis.call('XADD', KEYS[1], 'MINID', '~', oldest, '*', '${REVOCATION}', ARGV[at], '${KEPT}', string.format('%.0f', kept))
  end
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', kept))
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
