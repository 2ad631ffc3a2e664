/** Slots of the first table. A table doubles when it is half full. */
const FIRST_SIZE = 256

/**
 * Remembers the numbers that came last: at least the last `max` of them, and at most twice as many (the doorkeeper of
 * TinyLFU). It has two tables, because the older one can be dropped as a whole. They are tables of bare numbers, because a
 * Set would allocate memory for each number.
 */
export class Doorkeeper {
  readonly #max: number
  #size = 0
  #slots = new Int32Array(FIRST_SIZE)
  #before = this.#slots

  /** @param max the number of numbers that are certainly remembered */
  constructor (max: number) {
    this.#max = max
  }

  /** Has this 32-bit number come before? It is remembered from now on. For 0, the value of an empty slot, the answer is always true. */
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

/** The slot of a number, or the empty slot for it. There is an empty slot, because no table is more than half full. */
function slotOf (slots: Int32Array, number: number): number {
  const last = slots.length - 1
  let at = number & last
  while (slots[at] !== 0 && slots[at] !== number) at = (at + 1) & last
  return at
}
