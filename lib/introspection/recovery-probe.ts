import type { UnavailableError } from '../errors.js'

/**
 * How long until the next question, in milliseconds, spread downwards by a quarter. Whoever is away may be back at any
 * moment; an answer that refuses us is rather changed by somebody's hand, and is asked for ever less often.
 */
const AWAY = 2000
const REFUSED = { first: 2000, most: 30_000 }

/**
 * Asks in the background until what failed succeeds: an instance that is taken out of the load balancer for it gets no
 * request that would find out. It keeps no process alive.
 */
export class Revival {
  readonly #probe: () => Promise<unknown>
  #timer: NodeJS.Timeout | undefined
  #underWay = false
  #closed = false

  /** @param probe resolves when it is over, rejects with an UnavailableError while it is not */
  constructor (probe: () => Promise<unknown>) {
    this.#probe = probe
  }

  /** Something failed. */
  begin (): void {
    if (this.#underWay || this.#closed) return
    this.#underWay = true
    this.#askIn(AWAY, REFUSED.first)
  }

  close (): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #askIn (delay: number, refused: number): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => { void this.#ask(refused) }, delay * (0.75 + 0.25 * Math.random())).unref()
  }

  async #ask (refused: number): Promise<void> {
    try {
      await this.#probe()
      this.#underWay = false
    } catch (error) {
      const refusing = (error as UnavailableError).outage === 'answer'
      this.#askIn(refusing ? refused : AWAY, refusing ? Math.min(2 * refused, REFUSED.most) : refused)
    }
  }
}
