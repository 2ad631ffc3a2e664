import { outsideRequests } from '../util/outside-requests.js'
import type { KeptToken } from './kept-token.js'

/** The bounds of the tokens that are kept. */
export interface KeptTokensBounds {
  /** The most tokens. */
  max: number
  maxBytes: number
}

/** The memory of an entry beside its texts, in bytes, an estimate. */
const OVERHEAD = 256

/** The time between two searches for tokens that are over, in milliseconds. */
const SWEEP_INTERVAL = 30_000

/**
 * Tokens by what was asked for. When there are too many, or they take too much, the one goes that was not used for longest.
 * TokenCache does not fit: it finds a token by itself, and one of these is found by another text.
 */
export class KeptTokens {
  readonly #bounds: KeptTokensBounds
  readonly #entries = new Map<string, KeptToken>()
  #bytes = 0
  #sweeping: NodeJS.Timeout | undefined
  #closed = false

  constructor (bounds: KeptTokensBounds) {
    this.#bounds = bounds
  }

  find (key: string): KeptToken | undefined {
    const kept = this.#entries.get(key)
    if (kept === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, kept)
    return kept
  }

  keep (key: string, kept: KeptToken): void {
    this.forget(key, this.#entries.get(key))
    if (this.#closed || bytesOf(key, kept) > this.#bounds.maxBytes) return
    this.#entries.set(key, kept)
    this.#bytes += bytesOf(key, kept)
    while (this.#entries.size > this.#bounds.max || this.#bytes > this.#bounds.maxBytes) this.forget(...this.#entries.entries().next().value!)
    this.#sweeping ??= outsideRequests(() => setInterval(() => this.#sweep(), SWEEP_INTERVAL).unref())
  }

  /** Forget a token, unless another one took its place. */
  forget (key: string, kept: KeptToken | undefined): void {
    if (kept === undefined || this.#entries.get(key) !== kept) return
    this.#entries.delete(key)
    this.#bytes -= bytesOf(key, kept)
  }

  /** Drops all tokens, and keeps no more. */
  close (): void {
    this.#closed = true
    this.#entries.clear()
    this.#bytes = 0
    clearInterval(this.#sweeping)
  }

  /** Drops what is over, so that nobody who reads the memory of the process finds old tokens there. */
  #sweep (): void {
    for (const [key, kept] of this.#entries) {
      if (kept.age === 'over') this.forget(key, kept)
    }
    if (this.#entries.size > 0) return
    clearInterval(this.#sweeping)
    this.#sweeping = undefined
  }
}

function bytesOf (key: string, { token }: KeptToken): number {
  return 2 * (key.length + token.length) + OVERHEAD
}
