import { WaitQueue } from './wait-queue.js'

/** The longest that a look-up waits for the next refresh, in milliseconds. */
const LONGEST_WAIT = 1000

/** Look-ups that wait at once: anybody can send a token with a key id of their own. */
const MAX_WAITING = 1000

/** Refreshes within one cooldown that may find their key without counting: a set that differs with each answer is not asked for without end. */
const MAX_FOUND = 10

/**
 * Decides when unknown key ids may force a refresh of the key set. A refresh that does not find its key begins a cooldown; a
 * look-up that comes shortly before the end of the cooldown waits for the end, if its key id looks like those of the realm
 * and has not just been refused.
 */
export class Cooldown {
  /** Milliseconds. */
  readonly #length: number
  readonly #waiting = new WaitQueue(MAX_WAITING)
  /** Key ids that were refused in this cooldown: no more than have waited in it. */
  readonly #refused = new Set<string | undefined>()
  #timer: NodeJS.Timeout | undefined
  #endsAt = -Infinity
  /** Is the one more allowed that a look-up may have in this cooldown because it joined an older fetch? */
  #oneMore = false
  #found = { since: -Infinity, times: 0 }

  constructor (length: number) {
    this.#length = length
  }

  /**
   * Is a refresh allowed: now (true), not now (false), or is there something to wait for?
   * @param resembles does the key id look like those of the realm?
   * @param joined did the look-up wait for a fetch that began before it?
   * @param now milliseconds of the monotonic clock
   * @returns a promise resolves when it is worth looking again, or to false
   */
  admit (kid: string | undefined, resembles: boolean, joined: boolean, now: number): boolean | Promise<boolean> {
    const left = this.#endsAt - now
    if (left <= 0) return true
    if (this.#refused.has(kid)) return false
    if (left > LONGEST_WAIT) return joined && this.#takeOneMore()
    if (!resembles) return false
    this.#timer ??= setTimeout(() => this.release(), left)
    return this.#waiting.wait(kid)
  }

  /** A refresh has been answered, and either found the key it was made for or did not. */
  count (requestedAt: number, found: boolean): void {
    // The one more neither lengthens a cooldown nor allows another.
    if (requestedAt < this.#endsAt || (found && this.#isSeldom(requestedAt))) return
    this.#endsAt = requestedAt + this.#length
    this.#oneMore = true
    this.#refused.clear()
  }

  /** A key set that is as new as can be does not have it. */
  refuse (kid: string | undefined, now: number): void {
    if (now < this.#endsAt) this.#refused.add(kid)
  }

  /** Let go all that wait: the cooldown is over, there is a new key set, or the API closes. */
  release (): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#waiting.release()
  }

  #takeOneMore (): boolean {
    const allowed = this.#oneMore
    this.#oneMore = false
    return allowed
  }

  #isSeldom (now: number): boolean {
    if (now - this.#found.since >= this.#length) this.#found = { since: now, times: 0 }
    return this.#found.times++ < MAX_FOUND
  }
}
