// How often a number came lately, for admission by TinyLFU (Einziger et al., 2017).

/** One for each row of counters. */
const SEEDS = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f]

/** The largest value of a counter. */
const MOST = 15

/** A count-min sketch of 4 bits for each counter, which are halved after ten times as many requests as there are entries. */
export class FrequencySketch {
  #counters
  #mask
  #left
  #period

  constructor (max) {
    const size = 2 ** Math.ceil(Math.log2(2 * max))
    this.#counters = new Uint8Array(SEEDS.length * size / 2)
    this.#mask = size - 1
    this.#left = this.#period = 10 * max
  }

  add (slot) {
    for (let row = 0; row < SEEDS.length; row++) {
      const at = this.#at(slot, row)
      const shift = (at & 1) << 2
      if (((this.#counters[at >> 1] >> shift) & MOST) < MOST) this.#counters[at >> 1] += 1 << shift
    }
    if (--this.#left > 0) return
    for (let at = 0; at < this.#counters.length; at++) this.#counters[at] = (this.#counters[at] >> 1) & 0x77
    this.#left = this.#period >> 1
  }

  count (slot) {
    let least = MOST
    for (let row = 0; row < SEEDS.length; row++) {
      const at = this.#at(slot, row)
      least = Math.min(least, (this.#counters[at >> 1] >> ((at & 1) << 2)) & MOST)
    }
    return least
  }

  #at (slot, row) {
    const mixed = Math.imul(slot ^ (slot >>> 15), SEEDS[row])
    return row * (this.#mask + 1) + ((mixed ^ (mixed >>> 13)) & this.#mask)
  }
}
