import { BackgroundRetry } from '../util/background-retry.js'
import type { Revocation, RevocationStore } from '../../types/revocation.js'
import { hasPassed, monotonicSeconds } from '../util/clock.js'

/** How many revocations wait for the store. */
const MAX = 1000

/** The store is tried again twice a second. */
const RETRY = { first: 500, most: 500, jitter: 0.25 }

export interface PublishQueueOptions {
  store: RevocationStore
  /** Seconds for which a revocation counts. */
  lifetime: number
  /** Need others still be told of it? */
  holds: (revocation: Revocation) => boolean
}

interface Waiting {
  readonly revocation: Revocation
  /** Seconds of the monotonic clock. */
  readonly since: number
}

/**
 * Revocations that the store could not take, tried again until it does. Where they are too many, one not-before for
 * everybody takes their place: nobody is forgotten.
 */
export class PublishQueue {
  readonly #options: PublishQueueOptions
  #waiting: Waiting[] = []
  readonly #sends = new BackgroundRetry(() => this.#send(), RETRY)

  constructor (options: PublishQueueOptions) {
    this.#options = options
  }

  add (revocation: Revocation): void {
    this.#waiting.push({ revocation, since: monotonicSeconds() })
    if (this.#waiting.length > MAX) this.#join()
    this.#sends.attemptSoon()
  }

  close (): void {
    this.#waiting = []
    this.#sends.close()
  }

  /** One after the other: what a client of a store queues while it is cut off does not pile up. */
  async #send (): Promise<void> {
    while (this.#waiting.length > 0) {
      const [first] = this.#waiting
      if (this.#counts(first!)) await this.#options.store.publish(first!.revocation)
      this.#waiting = this.#waiting.filter((each) => each !== first)
    }
  }

  #join (): void {
    const realm = this.#waiting.filter((each) => each.revocation.kind === 'realm' && this.#counts(each)).slice(-1)
    const others = this.#waiting.map(({ revocation }) => revocation).filter(({ kind }) => kind !== 'realm')
    const at = Math.max(0, ...others.map((each) => each.kind === 'everybody' ? each.at : each.at + 1))
    this.#waiting = [...realm, { revocation: { kind: 'everybody', at }, since: monotonicSeconds() }]
  }

  /** A realm's not-before may be any date, or none, and counts from when it was pushed. */
  #counts ({ revocation, since }: Waiting): boolean {
    const { lifetime, holds } = this.#options
    const { kind, at, call } = revocation
    return holds(revocation) && !hasPassed((kind === 'realm' ? call!.until : at) + lifetime, since + lifetime)
  }
}
