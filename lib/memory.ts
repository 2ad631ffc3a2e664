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

/**
 * Verified tokens, the oldest dropped for the newest. It only remembers what was verified: whoever asks compares the
 * key and the dates anew. A find is as safe as a verification because the whole token is compared, not its tail.
 */
export class Memory {
  readonly #max: number
  readonly #entries = new Map<string, Verified>()

  constructor (max: number) {
    this.#max = max
  }

  find (token: string): Verified | undefined {
    const entry = this.#entries.get(token.slice(-TAIL))
    return entry !== undefined && entry.token === token ? entry : undefined
  }

  keep (entry: Verified): void {
    this.forget(entry.token)
    this.#entries.set(entry.token.slice(-TAIL), entry)
    if (this.#entries.size > this.#max) this.#entries.delete(this.#entries.keys().next().value!)
  }

  forget (token: string): void {
    this.#entries.delete(token.slice(-TAIL))
  }
}
