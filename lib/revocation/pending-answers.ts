import { Deadline } from '../util/deadline.js'

/** Milliseconds that a request may wait. Keycloak gives up after 5000, and the network takes its part. */
const MAX_WAIT = 4000

/** Requests that may wait at once. Each takes some 12 kB until it is answered; its push takes some 4 kB from then on. */
const MAX_WAITING = 2000

/** Requests that wait until their push is decided. When there are too many, the oldest is answered early. */
export class PendingAnswers {
  /** Each ends one wait. */
  readonly #waits = new Set<() => void>()

  /**
   * @param done settles when the push is decided; the push goes on whatever is answered
   * @param late makes the error of a request that may not wait any longer
   */
  wait (done: Promise<void>, late: () => Error): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        end()
        reject(late())
      }
      const deadline = new Deadline(MAX_WAIT)
      deadline.onPassed(giveUp)
      const end = (): void => {
        deadline.clear()
        this.#waits.delete(giveUp)
      }
      this.#waits.add(giveUp)
      done.finally(end).then(resolve, reject)
      if (this.#waits.size > MAX_WAITING) this.#waits.values().next().value!()
    })
  }
}
