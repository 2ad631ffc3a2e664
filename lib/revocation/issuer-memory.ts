import type { IssuerRevocations } from './issuer-revocations.js'

/** Issuers without a realm that are looked at whenever a realm comes or goes. Those with nothing to remember any more are dropped. */
const SWEEP = 2

/**
 * The logouts of all issuers. Those of an issuer whose realm was dropped stay as long as they count. When there are too many such
 * issuers, the one whose realm was dropped first becomes a not-before date for all issuers that are not known here: their tokens have
 * to be refreshed, and no logout is forgotten.
 */
export class IssuerMemory {
  readonly #issuers = new Map<string, IssuerRevocations>()
  /** Issuers without a realm, the one that was dropped first comes first. */
  readonly #idle = new Map<string, IssuerRevocations>()
  /** Goes through them. */
  #hand = this.#idle.values()
  readonly #max: number
  readonly #onFull: () => void
  /** Seconds since 1970. */
  #notBefore = 0

  /**
   * @param max issuers without a realm
   * @param onFull called when an issuer becomes a date
   */
  constructor (max: number, onFull: () => void) {
    this.#max = max
    this.#onFull = onFull
  }

  /** Not-before of the tokens of issuers that are not known here, in seconds since 1970. */
  get notBefore (): number {
    return this.#notBefore
  }

  get (issuer: string): IssuerRevocations | undefined {
    return this.#issuers.get(issuer)
  }

  all (): Iterable<IssuerRevocations> {
    return this.#issuers.values()
  }

  use (revocations: IssuerRevocations): void {
    this.#issuers.set(revocations.issuer, revocations)
    this.#idle.delete(revocations.issuer)
    this.#sweep()
  }

  /** The issuer has no realm any more, and no push is under way. */
  idle (revocations: IssuerRevocations): void {
    if (revocations.isEmpty) return this.#drop(revocations)
    this.#idle.set(revocations.issuer, revocations)
    this.#sweep()
    if (this.#idle.size > this.#max) this.#fold()
  }

  /** In turn, because the end of a logout is not worth a timer. */
  #sweep (): void {
    for (let times = 0; times < SWEEP; times++) {
      const { value, done } = this.#hand.next()
      if (done === true) this.#hand = this.#idle.values()
      else if (value.isEmpty) this.#drop(value)
    }
  }

  #fold (): void {
    const [oldest] = this.#idle.values()
    this.#notBefore = Math.max(this.#notBefore, oldest!.list.latest)
    this.#drop(oldest!)
    this.#onFull()
  }

  #drop (revocations: IssuerRevocations): void {
    this.#issuers.delete(revocations.issuer)
    this.#idle.delete(revocations.issuer)
    revocations.forget()
  }
}
