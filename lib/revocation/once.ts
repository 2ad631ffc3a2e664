import { seconds } from '../seconds.js'

/**
 * Calls that have been carried out, each until it ends by itself: a second one of the same id is a replay. Bounded;
 * where there is no room the oldest is forgotten, since carrying a logout out again does no harm.
 */
export class Once {
  readonly #max: number
  readonly #until = new Map<string, number>()

  constructor (max: number) {
    this.#max = max
  }

  /**
   * @param until seconds since 1970
   * @returns false for an id that was taken before
   */
  take (id: string, until: number): boolean {
    const known = this.#until.get(id)
    if (known !== undefined && seconds() < known) return false
    this.#until.delete(id)
    if (seconds() < until) this.#until.set(id, until)
    if (this.#until.size > this.#max) this.#until.delete(this.#until.keys().next().value!)
    return true
  }

  /** It was not carried out after all. */
  release (id: string): void {
    this.#until.delete(id)
  }
}
