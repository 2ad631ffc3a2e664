import { monotonicMilliseconds } from './clock.js'
import { outsideRequests } from './outside-requests.js'

/** The delays between failed attempts. */
export interface RetryDelays {
  /** Milliseconds after the first failure; doubled by each further one. */
  first: number
  /** Milliseconds; no delay is longer. */
  most: number
  /** Share of a delay that is left to chance, so that many instances do not ask at once: 0.25 makes 750 to 1000 ms of 1000. */
  jitter: number
  /** Does this failure lengthen the next delay? A delay after another failure is `first`. `undefined`: each failure does. */
  lengthens: ((error: unknown) => boolean) | undefined
}

/**
 * An attempt that is made again in the background until it succeeds, one at a time. Its timer keeps no process alive.
 *
 * Own code instead of p-retry or async-retry: those end after a number of tries, know no attempt that others join, and
 * would be a fifth dependency.
 */
export class BackgroundRetry<Result = unknown> {
  readonly #attempt: () => Promise<Result>
  readonly #delays: RetryDelays
  readonly #onOver: () => void
  #underWay: Promise<Result> | undefined
  #timer: NodeJS.Timeout | undefined
  /** Milliseconds of the monotonic clock. */
  #dueAt = -Infinity
  /** Milliseconds that the next failure waits, jitter aside. */
  #delay: number
  #failing = false
  /** Was an attempt asked for while one was under way, which may have begun too early to count? */
  #onceMore = false
  #closed = false

  /** @param onOver is called after each attempt, when nobody can join it any more */
  constructor (attempt: () => Promise<Result>, delays: RetryDelays, onOver = (): void => {}) {
    this.#attempt = attempt
    this.#delays = delays
    this.#onOver = onOver
    this.#delay = delays.first
  }

  get underWay (): Promise<Result> | undefined {
    return this.#underWay
  }

  /** Did the last attempt fail? */
  get failing (): boolean {
    return this.#failing
  }

  /** Does a failed attempt wait for the next one? */
  get waits (): boolean {
    return this.#failing && monotonicMilliseconds() < this.#dueAt
  }

  /** Attempt now, or join the attempt that is under way. It rejects as the attempt does; the next one follows by itself. */
  attemptNow (): Promise<Result> {
    this.#underWay ??= this.#run()
    return this.#underWay
  }

  /** Attempt after the first delay, unless an attempt is due before. */
  attemptSoon (): void {
    if (this.#underWay !== undefined) this.#onceMore = true
    else if (this.#timer === undefined) this.attemptIn(this.#jittered(this.#delays.first))
  }

  /** Attempt after so many milliseconds instead of when it was due. */
  attemptIn (milliseconds: number): void {
    clearTimeout(this.#timer)
    this.#dueAt = monotonicMilliseconds() + milliseconds
    if (this.#closed) return
    this.#timer = outsideRequests(() => setTimeout(() => { this.attemptNow().catch(() => {}) }, milliseconds).unref())
  }

  /** No more attempts of its own accord. */
  close (): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  async #run (): Promise<Result> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#dueAt = -Infinity
    this.#onceMore = false
    try {
      const result = await this.#attempt()
      this.#failing = false
      this.#delay = this.#delays.first
      this.#end()
      return result
    } catch (error) {
      this.#failing = true
      this.attemptIn(this.#delayAfter(error))
      this.#end()
      throw error
    }
  }

  #end (): void {
    this.#underWay = undefined
    if (this.#onceMore) this.attemptSoon()
    this.#onOver()
  }

  #delayAfter (error: unknown): number {
    const { first, most, lengthens } = this.#delays
    if (lengthens?.(error) === false) return this.#jittered(first)
    const delay = this.#delay
    this.#delay = Math.min(2 * delay, most)
    return this.#jittered(delay)
  }

  #jittered (milliseconds: number): number {
    return milliseconds * (1 - this.#delays.jitter * Math.random())
  }
}
