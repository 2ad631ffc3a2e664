import { monotonicMilliseconds } from '../util/clock.js'
import type { SignatureCheck } from './signature-check.js'

/** A signature that waits for a thread. */
interface Waiting {
  check: SignatureCheck
  text: string
  signature: Buffer
  settle: (isGood: boolean) => void
}

/**
 * The most signatures in the pool at once, some 3 kB each. They wait there behind whatever else the process does in it (files, names
 * of hosts, password hashes). With a bound of 32, half of 64 connections did not find room, and the pool gained little.
 */
const MAX_PENDING = 256

/** Milliseconds without an answer of the pool, after which it counts as busy with other work. */
const PATIENCE = 50

/**
 * Checks signatures in libuv's thread pool, so that they use other cores than the one of JavaScript. No signature waits long for
 * a thread: while other work occupies them all, those that wait are checked at once, and so are later ones until a thread answers.
 */
export class SignaturePool {
  readonly #waiting = new Set<Waiting>()
  /** Those that the pool has not answered, whether somebody waits for them or not. */
  #pending = 0
  #answeredAt = 0
  #isBusy = false
  #watch: NodeJS.Timeout | undefined

  /** May one more signature be checked here? Otherwise its caller checks it at once, by itself. */
  get hasRoom (): boolean {
    return !this.#isBusy && this.#pending < MAX_PENDING
  }

  /** @param text only of ASCII characters */
  isGood (check: SignatureCheck, text: string, signature: Buffer): Promise<boolean> {
    return new Promise((resolve) => {
      const waiting = { check, text, signature, settle: resolve }
      check.inPool(text, signature, (isGood) => this.#onAnswer(waiting, isGood))
      this.#waiting.add(waiting)
      this.#pending++
      this.#watch ??= this.#watchFrom(monotonicMilliseconds())
    })
  }

  #onAnswer (waiting: Waiting, isGood: boolean): void {
    this.#pending--
    this.#answeredAt = monotonicMilliseconds()
    this.#isBusy = false
    this.#waiting.delete(waiting)
    waiting.settle(isGood)
  }

  #watchFrom (now: number): NodeJS.Timeout {
    this.#answeredAt = now
    // Answers that have come while the process was busy are taken first.
    return setInterval(() => setImmediate(() => this.#look()), PATIENCE).unref()
  }

  #look (): void {
    if (monotonicMilliseconds() - this.#answeredAt >= PATIENCE && this.#waiting.size > 0) this.#checkAtOnce()
    if (this.#waiting.size > 0) return
    clearInterval(this.#watch)
    this.#watch = undefined
  }

  /** The pool answers them, too, later, when nobody waits any more. */
  #checkAtOnce (): void {
    this.#isBusy = true
    for (const { check, text, signature, settle } of this.#waiting) settle(check.isGood(text, signature))
    this.#waiting.clear()
  }
}
