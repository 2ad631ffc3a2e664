import type { ReplayStore } from '../../types/dpop.js'
import { hasPassed, monotonicSeconds, wallSeconds } from '../util/clock.js'

/** Keys that can be forgotten together, in seconds of both clocks. */
interface Slot {
  readonly keys: string[]
  /** By the wall clock, which counts for a proof. */
  until: number
}

/**
 * Proofs that were used at one instance. A key is forgotten when its time is over by both clocks, and never before: a wall
 * clock that is set back would let a proof in again.
 */
export class ReplayMemory implements ReplayStore {
  readonly #max: number
  readonly #keys = new Set<string>()
  /** By the second of the monotonic clock in which the keys end. */
  readonly #slots = new Map<number, Slot>()
  #sweptAt = 0

  constructor (max: number) {
    this.#max = max
  }

  get size (): number {
    return this.#keys.size
  }

  /** Is there no room for one more? Keys whose time is over make room. */
  get isFull (): boolean {
    this.#forgetEnded()
    return this.#keys.size >= this.#max
  }

  add (key: string, milliseconds: number): boolean {
    if (this.#keys.has(key)) return false
    this.#keys.add(key)
    const end = Math.ceil(monotonicSeconds() + milliseconds / 1000)
    const until = wallSeconds() + milliseconds / 1000
    const slot = this.#slots.get(end)
    if (slot === undefined) {
      this.#slots.set(end, { keys: [key], until })
    } else {
      slot.keys.push(key)
      slot.until = Math.max(slot.until, until)
    }
    return true
  }

  /** At most once a second, because slots are of a second each. */
  #forgetEnded (): void {
    const now = Math.floor(monotonicSeconds())
    if (now === this.#sweptAt) return
    this.#sweptAt = now
    for (const [end, { keys, until }] of this.#slots) {
      if (!hasPassed(until, end)) continue
      this.#slots.delete(end)
      for (const key of keys) this.#keys.delete(key)
    }
  }
}
