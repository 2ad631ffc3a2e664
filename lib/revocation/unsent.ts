import type { Revocation, RevocationStore } from '../../types/revocation.js'
import { seconds } from '../seconds.js'

/** How many revocations wait for the store. */
const MAX = 1000

/** Milliseconds between two tries. */
const TRY_AGAIN = 500

/**
 * Revocations that the store could not take, tried again until it does. Where they are too many, one not-before for
 * everybody takes their place: nobody is forgotten.
 */
export class Unsent {
  readonly #store: RevocationStore
  readonly #lifetime: number
  #waiting: Revocation[] = []
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor (store: RevocationStore, lifetime: number) {
    this.#store = store
    this.#lifetime = lifetime
  }

  add (revocation: Revocation): void {
    this.#waiting.push(revocation)
    if (this.#waiting.length > MAX) this.#join()
    this.#later()
  }

  close (): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #later (): void {
    if (this.#closed || this.#timer !== undefined) return
    this.#timer = setTimeout(() => this.#send(), TRY_AGAIN).unref()
  }

  /** One after the other: what a client of a store queues while it is cut off does not pile up. */
  async #send (): Promise<void> {
    while (this.#waiting.length > 0 && !this.#closed) {
      const [first] = this.#waiting
      try {
        if (!this.#hasEnded(first!)) await this.#store.publish(first!)
      } catch {
        break
      }
      this.#waiting = this.#waiting.filter((each) => each !== first)
    }
    this.#timer = undefined
    if (this.#waiting.length > 0) this.#later()
  }

  #join (): void {
    const realm = this.#waiting.filter(({ kind }) => kind === 'realm').slice(-1)
    const others = this.#waiting.filter(({ kind }) => kind !== 'realm')
    const at = Math.max(0, ...others.map((each) => each.kind === 'everybody' ? each.at : each.at + 1))
    this.#waiting = [...realm, { kind: 'everybody', at }]
  }

  /** A realm's not-before may be any date, or none, and counts from when it was pushed. */
  #hasEnded ({ kind, at, call }: Revocation): boolean {
    return (kind === 'realm' ? call!.until : at) + this.#lifetime <= seconds()
  }
}
