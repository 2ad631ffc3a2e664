/** The entries of one issuer. */
export interface LimitedEntries {
  readonly size: number
  dropOldest: () => void
}

/**
 * One bound for the entries of several issuers, each of which has entries of its own: an id is unique within its issuer alone. When
 * the bound is exceeded, the issuer with the most entries drops its oldest. So an issuer that fills up takes nothing from one that
 * has less than its share.
 */
export class SharedLimit {
  readonly #max: number
  readonly #issuers = new Set<LimitedEntries>()
  /** Entries that can be added before the limit is reached at the earliest, so that not each of them counts all issuers. */
  #left: number

  constructor (max: number) {
    this.#max = max
    this.#left = max
  }

  /** @param entries none yet */
  add (entries: LimitedEntries): void {
    this.#issuers.add(entries)
  }

  delete (entries: LimitedEntries): void {
    this.#issuers.delete(entries)
  }

  /** To be called after each entry that was added. */
  enforce (): void {
    if (this.#left-- > 0) return
    while (this.#size > this.#max) this.#largest.dropOldest()
    this.#left = this.#max - this.#size
  }

  get #size (): number {
    let sum = 0
    for (const { size } of this.#issuers) sum += size
    return sum
  }

  get #largest (): LimitedEntries {
    return [...this.#issuers].reduce((largest, each) => each.size > largest.size ? each : largest)
  }
}
