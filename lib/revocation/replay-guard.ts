import { BoundedMap } from '../util/bounded-map.js'
import { hasPassed, monotonicSeconds, wallSeconds } from '../util/clock.js'

/** When a call ends, by the wall clock and by the monotonic one, in seconds. */
interface End {
  readonly date: number
  readonly monotonic: number
}

/**
 * Calls that have been carried out, each until it ends by itself: a second one of the same id is a replay. Bounded;
 * where there is no room the oldest is forgotten, since carrying a logout out again does no harm.
 */
export class ReplayGuard {
  readonly #ends: BoundedMap<string, End>

  constructor (max: number) {
    this.#ends = new BoundedMap(max)
  }

  /**
   * @param until seconds since 1970
   * @returns false for an id that was taken before
   */
  take (id: string, until: number): boolean {
    const known = this.#ends.get(id)
    if (known !== undefined && !hasPassed(known.date, known.monotonic)) return false
    this.#ends.delete(id)
    const left = until - wallSeconds()
    if (left > 0) this.#ends.set(id, { date: until, monotonic: monotonicSeconds() + left })
    return true
  }

  /** It was not carried out after all. */
  release (id: string): void {
    this.#ends.delete(id)
  }
}
