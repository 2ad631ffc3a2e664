/** Ends a wait: with true when it was long enough, with false when it was given up. */
type End = (waited: boolean) => void

/**
 * A bounded number of waits for the same moment. When there are too many, a wait that shares its name with
 * others takes the place of the one who has been waiting alone the longest: after a rotation of keys many tokens name the
 * new key, while a flood of made-up key ids names each of them once.
 */
export class WaitQueue {
  readonly #max: number
  readonly #alone = new Map<string | undefined, End>()
  readonly #together = new Map<string | undefined, End[]>()
  #size = 0

  constructor (max: number) {
    this.#max = max
  }

  /** @returns whether the moment has come: false when there is no room, or none any more */
  async wait (name: string | undefined): Promise<boolean> {
    if (this.#size >= this.#max && !this.#makeRoom(name)) return false
    this.#size++
    return new Promise((resolve) => this.#add(name, resolve))
  }

  /** The moment has come. */
  release (): void {
    const all = [...this.#alone.values(), ...[...this.#together.values()].flat()]
    this.#alone.clear()
    this.#together.clear()
    this.#size = 0
    for (const end of all) end(true)
  }

  #add (name: string | undefined, end: End): void {
    const other = this.#alone.get(name)
    if (other !== undefined) {
      this.#alone.delete(name)
      this.#together.set(name, [other, end])
    } else if (this.#together.get(name)?.push(end) === undefined) {
      this.#alone.set(name, end)
    }
  }

  /** The one who makes room is another than the one who would be alone no more. */
  #makeRoom (name: string | undefined): boolean {
    for (const [other, end] of this.#alone) {
      if (other === name) continue
      this.#alone.delete(other)
      this.#size--
      end(false)
      return true
    }
    return false
  }
}
