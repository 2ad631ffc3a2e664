import type { Revocation, RevocationStore } from '../../types/revocation.js'
import { BackgroundRetry } from '../util/background-retry.js'
import { hasPassed, monotonicSeconds } from '../util/clock.js'

/** Limit of the revocations that wait for the store. */
const MAX = 1000

/** A quarter of each delay is left to chance, so that the instances do not all write at once when the store is back. */
const RETRY = { first: 500, most: 500, jitter: 0.25, lengthens: undefined }

export interface PublishQueueOptions {
  store: RevocationStore
  issuer: string
  /** Seconds for which a revocation counts. */
  lifetime: number
  /** A later push has taken the place of this one. */
  isReplaced: (revocation: Revocation) => boolean
  /** Keeps the owner in use until the returned function is called. */
  hold: () => () => void
}

interface Waiting {
  readonly revocation: Revocation
  /** Seconds of the monotonic clock. */
  readonly since: number
}

/**
 * Revocations that the store could not take, published again until it does. When there are too many, one not-before date for
 * everybody takes their place, so that none is forgotten.
 */
export class PublishQueue {
  readonly #options: PublishQueueOptions
  readonly #retry: BackgroundRetry
  #waiting: Waiting[] = []
  #release: (() => void) | undefined

  constructor (options: PublishQueueOptions) {
    this.#options = options
    this.#retry = new BackgroundRetry(() => this.#publishAll(), RETRY)
  }

  add (revocation: Revocation): void {
    this.#release ??= this.#options.hold()
    this.#waiting.push({ revocation, since: monotonicSeconds() })
    if (this.#waiting.length > MAX) this.#join()
    this.#retry.attemptSoon()
  }

  close (): void {
    this.#waiting = []
    this.#retry.close()
  }

  /** One after the other, because the client of a store may queue commands in memory while it is cut off. */
  async #publishAll (): Promise<void> {
    while (this.#waiting.length > 0) {
      const [first] = this.#waiting
      if (!this.#isObsolete(first!)) await this.#options.store.publish(first!.revocation, this.#options.issuer)
      this.#waiting = this.#waiting.filter((each) => each !== first)
    }
    this.#release?.()
    this.#release = undefined
  }

  #join (): void {
    const realm = this.#waiting.filter((each) => each.revocation.kind === 'realm' && !this.#isObsolete(each)).slice(-1)
    const others = this.#waiting.map(({ revocation }) => revocation).filter(({ kind }) => kind !== 'realm')
    const at = Math.max(0, ...others.map((each) => each.kind === 'everybody' ? each.at : each.at + 1))
    this.#waiting = [...realm, { revocation: { kind: 'everybody', at }, since: monotonicSeconds() }]
  }

  /** The not-before date of a realm may be any date, or none; its end is counted from the end of its push. */
  #isObsolete ({ revocation, since }: Waiting): boolean {
    const { lifetime, isReplaced } = this.#options
    const { kind, at, call } = revocation
    return isReplaced(revocation) || hasPassed((kind === 'realm' ? call!.until : at) + lifetime, since + lifetime)
  }
}
