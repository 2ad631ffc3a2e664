/** A map that forgets its oldest entry when a new one would be too many. */
export class Bounded<V> extends Map<string, V> {
  readonly #max: number

  constructor (max = 1000) {
    super()
    this.#max = max
  }

  override set (key: string, value: V): this {
    if (this.size >= this.#max) this.delete(this.keys().next().value!)
    return super.set(key, value)
  }
}
