import { monotonicMilliseconds } from './clock.js'

/**
 * The end of waiting for what comes from outside, by a socket or as a promise, over one step or several in turn.
 *
 * An event loop that stood still for longer finds the time over before it has read what arrived meanwhile, because Node runs
 * timers before it looks at sockets. So the end comes after one look at them, and after as long again as it was late: a
 * connection that was still being made gets back what it lost.
 */
export class Deadline {
  readonly milliseconds: number
  /** The moment at which it began, in milliseconds of the monotonic clock. */
  readonly began: number
  #timer: NodeJS.Timeout
  #immediate: NodeJS.Immediate | undefined
  #act: (() => void) | undefined
  #isPassed = false

  constructor (milliseconds: number) {
    this.milliseconds = milliseconds
    this.began = monotonicMilliseconds()
    this.#timer = setTimeout(() => {
      const late = monotonicMilliseconds() - this.began - milliseconds
      this.#immediate = setImmediate(() => {
        this.#timer = setTimeout(() => this.#pass(), Math.min(late, milliseconds))
      })
    }, milliseconds)
  }

  /** Sets the function that ends the step that begins now when the time is over: at once if an earlier step has used it up. */
  onPassed (act: () => void): void {
    this.#act = act
    if (this.#isPassed) act()
  }

  /** Everything came in time. */
  clear (): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
  }

  #pass (): void {
    this.#isPassed = true
    this.#act?.()
  }
}
