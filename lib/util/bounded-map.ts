/**
 * A map of at most `max` entries: where there is one too many, the oldest goes. An entry that is set again is the newest.
 *
 * Own code instead of lru-cache: that one moves an entry at each look-up, which no user of this map wants, and would be a
 * fifth dependency. Bounds that depend on more than a number have their own code: bytes of tokens (token/token-cache.ts),
 * bytes of groups of strangers (revocation/memory-budget.ts), names that many share (keys/wait-queue.ts), and entries
 * that several issuers share a bound for (revocation/shared-limit.ts).
 */
export class BoundedMap<Key, Value> extends Map<Key, Value> {
  readonly #max: number

  constructor (max: number) {
    super()
    this.#max = max
  }

  override set (key: Key, value: Value): this {
    this.delete(key)
    super.set(key, value)
    if (this.size > this.#max) this.delete(this.keys().next().value!)
    return this
  }
}
