import { monotonicMilliseconds } from '../util/clock.js'

/** Least milliseconds between two lines whose reasons differ. */
const ANY = 1000

/**
 * How often a line may be written to the log: what comes and goes, or what strangers can cause, must not flood it.
 *
 * One of these for each line. RateLimitedLog is for causes that write many lines and count those that are left out.
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
