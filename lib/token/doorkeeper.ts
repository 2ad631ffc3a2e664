/** Slots of the first table; it doubles with what comes. */
const FIRST = 256

/**
 * Which numbers came lately: the last so many of them at least, and twice as many at most. Two tables in turn, since the
 * older one can be dropped as a whole, and of bare numbers, since what a Set allocates for each is more than the question
 * is worth.
 */
export class Doorkeeper {
  readonly #max: number
  #size = 0
  #slots = new Int32Array(FIRST)
  #before = this.#slots

  /** @param max numbers that are remembered for certain */
  constructor (max: number) {
    this.#max = max
  }

  /** Was this 32-bit number here lately? From now on it was. Of 0, which is what an empty slot holds, it is always said. */
  seenBefore (number: number): boolean {
    const at = slotOf(this.#slots, number)
    if (this.#slots[at] === number || this.#before[slotOf(this.#before, number)] === number) return true
    this.#slots[at] = number
    this.#size++
    if (this.#size >= this.#max) this.#turnOver()
    else if (2 * this.#size > this.#slots.length) this.#grow()
    return false
  }

  #turnOver (): void {
    this.#before = this.#slots
    this.#slots = new Int32Array(this.#before.length)
    this.#size = 0
  }

  #grow (): void {
    const slots = new Int32Array(2 * this.#slots.length)
    for (const number of this.#slots) {
      if (number !== 0) slots[slotOf(slots, number)] = number
    }
    this.#slots = slots
  }
}

/** Where a number is, or else the empty slot where it would be: there is one, since no table is more than half full. */
function slotOf (slots: Int32Array, number: number): number {
  const last = slots.length - 1
  let at = number & last
  while (slots[at] !== 0 && slots[at] !== number) at = (at + 1) & last
  return at
}
