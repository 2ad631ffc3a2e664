import { monotonicMilliseconds } from '../util/clock.js'

/** Least milliseconds between two lines whose reasons differ. */
const ANY = 1000

/**
 * Limits how often a line is written to the log: failures that come and go, or that strangers can cause, must not flood it.
 *
 * There is one RateLimit for each line. RateLimitedLog is for causes of many lines, and counts those that it leaves out.
 */
export class RateLimit {
  readonly #same: number
  /** On the monotonic clock. */
  #lastAt = -Infinity
  #lastReason: string | undefined

  /** @param same least milliseconds between two lines of one reason */
  constructor (same = 10_000) {
    this.#same = same
  }

  /** May a line be written now? If so, it counts as written. */
  allows (reason?: string): boolean {
    const now = monotonicMilliseconds()
    if (now - this.#lastAt < (reason === this.#lastReason ? this.#same : ANY)) return false
    this.#lastAt = now
    this.#lastReason = reason
    return true
  }
}
