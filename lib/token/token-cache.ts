import { Doorkeeper } from './doorkeeper.js'
import { wallSeconds } from '../util/clock.js'

/** What a memory needs to know of what it keeps. */
export interface CacheEntry {
  /** `Bearer`, a space and the token: the header of nearly every client, which so can be compared as it came. */
  readonly credentials: string
  /** When it is of no use any more, in seconds since 1970. */
  readonly until: number
  /** What it takes, rounded up. */
  readonly bytes: number
  /** False when it is kept; the cache sets it when the entry is found, and clears it when the entry is spared. */
  isUsed: boolean
}

/** Bounds of a memory. */
export interface CacheBounds {
  max: number
  maxBytes: number
}

/** What a kept text takes, in multiples of its length: itself, what was read of it and the places it is found at, rounded up. */
export const BYTES_PER_CHARACTER = 6

/** Bytes that the smallest token would take, about: more than fit are not worth being remembered. */
const LEAST = 1024

/** Of the characters of a signature but the last, which holds a few bits alone: 48 bits make a number of 32. */
const LOOKED_AT = { from: -9, to: -1 }

/** How nearly every client spells it, and the one space that it puts behind. */
const SCHEME = 'Bearer '

/** How often what has ended is looked for, in milliseconds. */
const SWEEP_EVERY = 30_000

/**
 * What is known of some tokens. A full cache drops the oldest entry that was not used since it was last looked at (SIEVE, Zhang
 * et al., NSDI 2024): the hand goes from entry to entry, spares those that were used and drops the first other one. A hot token
 * stays, a hit costs one comparison more, and fewer tokens are verified again than with the least recently used one dropped
 * (figures in docs/performance.md). A find is of that very token: each character of it is
 * compared. Some of its signature's only lead there, since hashing all of them would cost ten times as much; two tokens
 * that share those cannot both be kept, and nobody who cannot sign tokens can make one that is kept. What it holds is no
 * more than what somebody kept: whether that still counts is for the one who asks to judge.
 */
export class TokenCache<Entry extends CacheEntry> {
  readonly #max: number
  readonly #maxBytes: number
  readonly #entries = new Map<number, Entry>()
  readonly #seen: Doorkeeper
  /** Where the search for the next entry to drop goes on; a Map's iterator follows what is added and deleted. */
  #hand: MapIterator<Entry> | undefined
  #newest: Entry | undefined
  #bytes = 0
  #sweeping: NodeJS.Timeout | undefined

  constructor ({ max, maxBytes }: CacheBounds) {
    this.#max = max
    this.#maxBytes = maxBytes
    this.#seen = new Doorkeeper(Math.min(max, Math.ceil(maxBytes / LEAST)))
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

  /** By an Authorization header. One that says the same in other words is not found. */
  findBy (header: string): Entry | undefined {
    const entry = this.#entries.get(slotOf(header))
    return entry !== undefined && entry.credentials === header ? used(entry) : undefined
  }

  keep (entry: Entry): void {
    const place = slotOf(entry.credentials)
    this.#drop(place)
    // The hand is given up while there is room, because an iterator keeps the former table of its Map alive.
    if (this.#hasRoomFor(entry)) this.#hand = undefined
    else this.#makeRoomFor(entry)
    if (entry.bytes > this.#maxBytes) return
    this.#entries.set(place, entry)
    this.#newest = entry
    this.#bytes += entry.bytes
    this.#sweeping ??= setInterval(() => this.#sweep(), SWEEP_EVERY).unref()
  }

  /**
   * Was this token here before, a little while ago? What comes once is not worth keeping: where thousands of tokens come
   * one after the other, keeping and dropping each would cost more than verifying some of them twice. By the place it would
   * have, so that a number is all that is kept of it; a mistake keeps a token too early.
   */
  hasSeen (token: string): boolean {
    return this.#seen.seenBefore(slotOf(token))
  }

  forget ({ credentials }: Entry): void {
    this.#drop(slotOf(credentials))
  }

  /** Forget all. */
  close (): void {
    this.#entries.clear()
    this.#hand = undefined
    this.#newest = undefined
    this.#bytes = 0
    clearInterval(this.#sweeping)
  }

  /** A token that has ended is of no use to us, and would be to whoever reads the memory of the process. */
  #sweep (): void {
    const now = wallSeconds()
    this.#hand = undefined
    for (const [place, { until }] of this.#entries) {
      if (until <= now) this.#drop(place)
    }
    if (this.#entries.size > 0) return
    clearInterval(this.#sweeping)
    this.#sweeping = undefined
  }

  #hasRoomFor ({ bytes }: Entry): boolean {
    return this.#entries.size < this.#max && this.#bytes + bytes <= this.#maxBytes
  }

  /** The hand clears the mark of each entry that it spares, and begins with the oldest again behind the newest. */
  #makeRoomFor (entry: Entry): void {
    while (this.#entries.size > 0 && !this.#hasRoomFor(entry)) {
      this.#hand ??= this.#entries.values()
      const next = this.#hand.next().value
      if (next === undefined || next === this.#newest) this.#hand = undefined
      if (next?.isUsed === true) next.isUsed = false
      else if (next !== undefined) this.#drop(slotOf(next.credentials))
    }
  }

  #drop (place: number): void {
    const entry = this.#entries.get(place)
    if (entry === undefined) return
    this.#entries.delete(place)
    this.#bytes -= entry.bytes
  }
}

/** Marks an entry, and writes only once, so that hot entries are read alone. */
function used<Entry extends CacheEntry> (entry: Entry): Entry {
  if (!entry.isUsed) entry.isUsed = true
  return entry
}

/**
 * The credentials that a verified token makes (RFC 6750 section 2.1).
 * @param token of ASCII alone, as a verified one is
 */
export function credentialsOf (token: string): string {
  return copyOf(SCHEME + token)
}

/** A copy of ASCII characters: a slice would keep all of a header alive, and is slower to compare. */
export function copyOf (text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

/** A whole number of 32 bits, which a Map finds faster than a string. By the end of a token, with or without what is before it. */
function slotOf (text: string): number {
  let place = 0
  for (let at = text.length + LOOKED_AT.from; at < text.length + LOOKED_AT.to; at++) {
    place = (Math.imul(place, 31) + text.charCodeAt(at)) | 0
  }
  return place
}
