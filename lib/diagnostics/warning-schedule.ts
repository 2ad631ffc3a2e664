import { BoundedMap } from '../util/bounded-map.js'
import { monotonicMilliseconds } from '../util/clock.js'

/** Least milliseconds between two warnings of one cause. */
const WARN_INTERVAL = 600_000

/** Least milliseconds between two checks of signatures for one cause, and for all causes that tokens without a signature can have. */
const CHECK_INTERVAL = 1000

/** The causes that are remembered: each is a reason of one realm. */
const MAX_CAUSES = 10_000

/** Decides when a refusal is worth a warning, which is written only after the signature of its token was checked. */
export class WarningSchedule {
  /** Milliseconds of the monotonic clock from which on a cause may be considered again. */
  readonly #nextAt = new BoundedMap<string, number>(MAX_CAUSES)
  #unprovenAt = -Infinity

  /**
   * May the signature of a token be checked now, for a warning of this cause? If so, the check counts as made.
   * @param isProven can only tokens with a good signature have this cause?
   */
  mayCheck (cause: string, isProven: boolean): boolean {
    const now = monotonicMilliseconds()
    if (now < (this.#nextAt.get(cause) ?? -Infinity)) return false
    if (!isProven) {
      if (now < this.#unprovenAt) return false
      this.#unprovenAt = now + CHECK_INTERVAL
    }
    this.#nextAt.set(cause, now + CHECK_INTERVAL)
    return true
  }

  /** May the warning be written, after a check that took its time? If so, it counts as written. */
  mayWarn (cause: string): boolean {
    const now = monotonicMilliseconds()
    if (this.#nextAt.get(cause)! > now + CHECK_INTERVAL) return false
    this.#nextAt.set(cause, now + WARN_INTERVAL)
    return true
  }
}
