import { hasPassed, monotonicSeconds, wallSeconds } from '../util/clock.js'
import type { LimitedEntries, SharedLimit } from './shared-limit.js'

/** The end of a push by both clocks, in seconds. */
interface End {
  readonly wall: number
  readonly monotonic: number
}

/**
 * Ids of the pushes of one issuer that were carried out, until they end: a second push of the same id is a replay. When the limit is
 * reached the oldest id is forgotten, because to carry a logout out again does no harm.
 */
export class ReplayGuard implements LimitedEntries {
  readonly #limit: SharedLimit
  readonly #ends = new Map<string, End>()

  constructor (limit: SharedLimit) {
    this.#limit = limit
    limit.add(this)
  }

  get size (): number {
    return this.#ends.size
  }

  /**
   * @param until seconds since 1970
   * @returns false when the id was taken before
   */
  take (id: string, until: number): boolean {
    const end = this.#ends.get(id)
    if (end !== undefined && !hasPassed(end.wall, end.monotonic)) return false
    this.#ends.delete(id)
    const left = until - wallSeconds()
    if (left > 0) this.#ends.set(id, { wall: until, monotonic: monotonicSeconds() + left })
    this.#limit.enforce()
    return true
  }

  /** Forget an id whose push was not carried out after all. */
  release (id: string): void {
    this.#ends.delete(id)
  }

  dropOldest (): void {
    this.#ends.delete(this.#ends.keys().next().value!)
  }
}
