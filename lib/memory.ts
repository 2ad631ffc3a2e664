import type { AccessTokenClaims } from '../types/user.js'
import type { Header } from './jws.js'
import type { Key } from './key-set.js'

/** A token that was verified, and by which key. */
export interface Verified {
  token: string
  header: Header
  key: Key
  claims: AccessTokenClaims
}

/** The last characters of a signature: 43 of base64url hold 256 bits, and no two signatures share them by chance. */
const TAIL = 43

/** What a kept token takes, in multiples of its length: itself, its claims and the places they are found at, rounded up. */
const WEIGHT = 6

/**
 * Verified tokens, the oldest dropped for the newest. It only remembers what was verified: whoever asks compares the
 * key and the dates anew. A find is as safe as a verification because the whole token is compared, not its tail.
 */
export class Memory {
  readonly #max: number
  readonly #maxBytes: number
  readonly #entries = new Map<string, Verified>()
  #bytes = 0

  constructor ({ max, maxBytes }: { max: number, maxBytes: number }) {
    this.#max = max
    this.#maxBytes = maxBytes
  }

  find (token: string): Verified | undefined {
    const entry = this.#entries.get(token.slice(-TAIL))
    return entry !== undefined && entry.token === token ? entry : undefined
  }

  keep (entry: Verified): void {
    this.#drop(entry.token.slice(-TAIL))
    this.#entries.set(entry.token.slice(-TAIL), entry)
    this.#bytes += weightOf(entry)
    while (this.#entries.size > this.#max || this.#bytes > this.#maxBytes) this.#drop(this.#entries.keys().next().value!)
  }

  forget (token: string): void {
    this.#drop(token.slice(-TAIL))
  }

  #drop (tail: string): void {
    const entry = this.#entries.get(tail)
    if (entry === undefined) return
    this.#entries.delete(tail)
    this.#bytes -= weightOf(entry)
  }
}

function weightOf ({ token }: Verified): number {
  return token.length * WEIGHT
}
