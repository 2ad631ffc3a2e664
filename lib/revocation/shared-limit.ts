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
  readonly #issuers: LimitedEntries[] = []

  constructor (max: number) {
    this.#max = max
  }

  add (entries: LimitedEntries): void {
    this.#issuers.push(entries)
  }

  /** To be called after an entry was added. */
  enforce (): void {
    while (this.#size > this.#max) this.#largest.dropOldest()
  }

  get #size (): number {
    return this.#issuers.reduce((sum, { size }) => sum + size, 0)
  }

  get #largest (): LimitedEntries {
    return this.#issuers.reduce((largest, each) => each.size > largest.size ? each : largest)
  }
}
