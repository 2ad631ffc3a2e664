/**
 * The monotonic clock, for what is asked with every request: to read a clock costs a tenth of what a hit of the cache
 * does, and the wall clock has to be read for the dates of a token anyway.
 */
export class Clock {
  #wall = NaN
  #monotonic = 0

  /**
   * Milliseconds as `performance.now()` counts them, read once in each millisecond of the wall clock, so less than one
   * behind.
   * @param wall `Date.now()`
   */
  monotonic (wall: number): number {
    if (wall !== this.#wall) {
      this.#wall = wall
      this.#monotonic = performance.now()
    }
    return this.#monotonic
  }
}
