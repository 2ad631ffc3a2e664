import { monotonicMilliseconds } from '../util/clock.js'

/** A number of calls that is used up, and grows again with time. */
export class TenantBudget {
  readonly #most: number
  readonly #perMillisecond: number
  #left: number
  #countedAt = monotonicMilliseconds()

  constructor (most: number, perSecond: number) {
    this.#most = most
    this.#perMillisecond = perSecond / 1000
    this.#left = most
  }

  /** Milliseconds until there is a call. */
  get wait (): number {
    return Math.max(0, (1 - this.#left) / this.#perMillisecond)
  }

  /** @returns whether there was a call left */
  take (): boolean {
    const now = monotonicMilliseconds()
    this.#left = Math.min(this.#most, this.#left + (now - this.#countedAt) * this.#perMillisecond)
    this.#countedAt = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }

  /** A call that was worth it does not count. */
  giveBack (): void {
    this.#left = Math.min(this.#most, this.#left + 1)
  }
}
