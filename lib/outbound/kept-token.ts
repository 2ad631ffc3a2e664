import { monotonicSeconds, monotonicMilliseconds, wallSeconds } from '../util/clock.js'

/** A moment of both clocks, in seconds. */
export interface Moment {
  readonly wall: number
  readonly monotonic: number
}

/**
 * The age of a kept token:
 * - `fresh`: it is given
 * - `due`: it is given, and the next one is asked for meanwhile
 * - `late`: its end is so near that the next one is waited for, unless Keycloak cannot give one
 * - `over`: it has ended, or will before it arrives
 */
export type TokenAge = 'fresh' | 'due' | 'late' | 'over'

/** Seconds before its end from which a token is not given any more, as long as there is another one. */
const MARGIN = 30

/** Seconds before its end from which it is given in no case. */
const LAST_MARGIN = 5

/** Tokens that live for a minute or less keep these shares of their lives instead. */
const SHARES = { margin: 0.5, lastMargin: 1 / 12 }

/** The share of its life before the margin in which the next one is asked for. */
const AHEAD = 0.1

/** Milliseconds after a failure for which the next token is not asked for. */
const PAUSE = 1000

export function momentOfNow (): Moment {
  return { wall: wallSeconds(), monotonic: monotonicSeconds() }
}

/** A token for other services with its times. */
export class KeptToken {
  readonly token: string
  readonly #asked: Moment
  readonly #lifetime: number
  #nextAt = -Infinity
  #hasFailed = false

  /**
   * @param asked the moment before Keycloak was asked, from which on its life counts
   * @param lifetime seconds
   */
  constructor (token: string, asked: Moment, lifetime: number) {
    this.token = token
    this.#asked = asked
    this.#lifetime = lifetime
  }

  get age (): TokenAge {
    const left = this.#lifetime - this.seconds
    const margin = Math.min(MARGIN, SHARES.margin * this.#lifetime)
    if (left > margin + AHEAD * this.#lifetime) return 'fresh'
    if (left > margin) return 'due'
    return left > Math.min(LAST_MARGIN, SHARES.lastMargin * this.#lifetime) ? 'late' : 'over'
  }

  /** Seconds since it was asked for. The wall clock may be set back, and the other one stands still while the machine sleeps. */
  get seconds (): number {
    const { wall, monotonic } = momentOfNow()
    return Math.max(wall - this.#asked.wall, monotonic - this.#asked.monotonic)
  }

  /** May the next one be asked for in the background? */
  get mayRenew (): boolean {
    return monotonicMilliseconds() >= this.#nextAt
  }

  /** Could the next one not be had? */
  get hasFailed (): boolean {
    return this.#hasFailed
  }

  /** The next one could not be had. */
  failed (): void {
    this.#hasFailed = true
    this.#nextAt = monotonicMilliseconds() + PAUSE
  }
}
