/**
 * Tells a call under way that nobody waits for it any more. An AbortController would cost more than all the rest of what a
 * call needs, above all when it aborts what is long over.
 */
export class Departure {
  #left = false
  #callOff: (() => void) | undefined

  /** Nobody waits any more. */
  leave (): void {
    this.#left = true
    this.#callOff?.()
  }

  /** What to do then; at once where it is so already. */
  onLeave (callOff: () => void): void {
    if (this.#left) callOff()
    else this.#callOff = callOff
  }
}
