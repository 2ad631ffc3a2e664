import { wallSeconds } from '../util/clock.js'
import { Doorkeeper } from './doorkeeper.js'

/** The members of an entry that the cache needs. */
export interface CacheEntry {
  /** `Bearer`, a space and the token: nearly every client writes this header, so it can be compared unchanged. */
  readonly credentials: string
  /** The time from which the entry has expired, in seconds since 1970. */
  readonly until: number
  /** The memory that the entry takes, an estimate rounded up. */
  readonly bytes: number
  /** False when it is kept; the cache sets it when the entry is found, and clears it when the entry is spared. */
  isUsed: boolean
}

/** The bounds of the cache. */
export interface CacheBounds {
  /** The most entries. */
  max: number
  maxBytes: number
}

/** The memory that an entry takes for each character of its token: the text, its claims and its slots, rounded up. */
export const BYTES_PER_CHARACTER = 6

/** The bytes of the smallest entry, an estimate. The doorkeeper need not remember more tokens than fit into the cache. */
const MIN_ENTRY_BYTES = 1024

/**
 * The characters at the end of a signature that give the slot. The last character is left out, because it holds only a few
 * bits. The 48 bits of the others make a number of 32 bits.
 */
const SLOT_CHARACTERS = { from: -9, to: -1 }

/** The scheme as nearly every client writes it, with one space. */
const SCHEME = 'Bearer '

/** The time between two searches for expired entries, in milliseconds. */
const SWEEP_INTERVAL = 30_000

/**
 * A cache of entries by token. A full cache drops the oldest entry that was not used since the hand last passed it (SIEVE,
 * Zhang et al., NSDI 2024): the hand goes from entry to entry, spares used entries and drops the first unused one. A hot token
 * stays, a hit costs one comparison more, and fewer tokens are verified again than with a cache that drops the least recently
 * used one (figures in docs/performance.md).
 *
 * An entry is found only by its whole token, which is compared character by character. The slot is made of a few characters
 * of the signature, because a hash of all characters would cost ten times as much. Two tokens with the same slot cannot both
 * be kept, but nobody who cannot sign tokens can make a token that is kept. The cache does not decide whether an entry is
 * still valid: its caller does.
 */
export class TokenCache<Entry extends CacheEntry> {
  readonly #max: number
  readonly #maxBytes: number
  readonly #entries = new Map<number, Entry>()
  readonly #seen: Doorkeeper
  /** The position of the search for the next entry to drop. An iterator of a Map follows additions and deletions. */
  #hand: MapIterator<Entry> | undefined
  #newest: Entry | undefined
  #bytes = 0
  #sweeping: NodeJS.Timeout | undefined
  #isClosed = false

  constructor ({ max, maxBytes }: CacheBounds) {
    this.#max = max
    this.#maxBytes = maxBytes
    this.#seen = new Doorkeeper(Math.min(max, Math.ceil(maxBytes / MIN_ENTRY_BYTES)))
  }

  get size (): number {
    return this.#entries.size
  }

  get bytes (): number {
    return this.#bytes
  }

  find (token: string): Entry | undefined {
    const entry = this.#entries.get(slotOf(token))
    return entry !== undefined && entry.credentials.slice(SCHEME.length) === token ? used(entry) : undefined
  }

  /** Finds an entry by an Authorization header. An equivalent header in another spelling, such as `bearer`, is not found. */
  findBy (header: string): Entry | undefined {
    const entry = this.#entries.get(slotOf(header))
    return entry !== undefined && entry.credentials === header ? used(entry) : undefined
  }

  keep (entry: Entry): void {
    if (this.#isClosed) return
    const slot = slotOf(entry.credentials)
    this.#drop(slot)
    // The hand is given up while there is room, because an iterator keeps the former table of its Map alive.
    if (this.#hasRoomFor(entry)) this.#hand = undefined
    else this.#makeRoomFor(entry)
    if (entry.bytes > this.#maxBytes) return
    this.#entries.set(slot, entry)
    this.#newest = entry
    this.#bytes += entry.bytes
    this.#sweeping ??= setInterval(() => this.#sweep(), SWEEP_INTERVAL).unref()
  }

  /**
   * Is this token worth an entry? Each one is while the cache is less than half full. Then it has to have come before, a short
   * time ago: if thousands of tokens come once, one after the other, an entry for each would cost more than a second
   * verification of some, and would push out others. Only the slot of a token is remembered, so a token may be kept too early
   * if another has the same slot.
   */
  isWorthKeeping (token: string): boolean {
    return (2 * this.#entries.size < this.#max && 2 * this.#bytes < this.#maxBytes) || this.#seen.seenBefore(slotOf(token))
  }

  forget ({ credentials }: Entry): void {
    this.#drop(slotOf(credentials))
  }

  /** Drop the entries that are gone. */
  forgetAll (isGone: (entry: Entry) => boolean): void {
    this.#hand = undefined
    for (const [slot, entry] of this.#entries) {
      if (isGone(entry)) this.#drop(slot)
    }
  }

  /** Drop all entries, and keep no more: a token may still be verified. */
  close (): void {
    this.#isClosed = true
    this.#entries.clear()
    this.#hand = undefined
    this.#newest = undefined
    this.#bytes = 0
    clearInterval(this.#sweeping)
  }

  /** Drop expired entries, so that nobody who reads the memory of the process finds old tokens there. */
  #sweep (): void {
    const now = wallSeconds()
    this.forgetAll(({ until }) => until <= now)
    if (this.#entries.size > 0) return
    clearInterval(this.#sweeping)
    this.#sweeping = undefined
  }

  #hasRoomFor ({ bytes }: Entry): boolean {
    return this.#entries.size < this.#max && this.#bytes + bytes <= this.#maxBytes
  }

  /** The hand clears the mark of each entry that it spares. After the newest entry it begins again with the oldest. */
  #makeRoomFor (entry: Entry): void {
    while (this.#entries.size > 0 && !this.#hasRoomFor(entry)) {
      this.#hand ??= this.#entries.values()
      const next = this.#hand.next().value
      if (next === undefined || next === this.#newest) this.#hand = undefined
      if (next?.isUsed === true) next.isUsed = false
      else if (next !== undefined) this.#drop(slotOf(next.credentials))
    }
  }

  #drop (slot: number): void {
    const entry = this.#entries.get(slot)
    if (entry === undefined) return
    this.#entries.delete(slot)
    this.#bytes -= entry.bytes
  }
}

/** Marks an entry as used. It writes only if the mark is not set, so that hot entries are only read. */
function used<Entry extends CacheEntry> (entry: Entry): Entry {
  if (!entry.isUsed) entry.isUsed = true
  return entry
}

/**
 * The credentials of a verified token (RFC 6750 section 2.1).
 * @param token only of ASCII characters, which a verified token always is
 */
export function credentialsOf (token: string): string {
  return copyOf(SCHEME + token)
}

/** A copy of an ASCII text, because a slice would keep the whole header in memory, and is slower to compare. */
export function copyOf (text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

/** The slot of a token, or of a header that ends with it: an integer of 32 bits, which a Map finds faster than a string. */
function slotOf (text: string): number {
  let slot = 0
  for (let at = text.length + SLOT_CHARACTERS.from; at < text.length + SLOT_CHARACTERS.to; at++) {
    slot = (Math.imul(slot, 31) + text.charCodeAt(at)) | 0
  }
  return slot
}
