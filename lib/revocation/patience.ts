import { Deadline } from '../util/deadline.js'

/** Milliseconds that Keycloak waits for an answer, less what the way takes: its own limit is 5000. */
const LONGEST = 4000

/** Requests that wait at once. Each takes some 12 kB until it is answered, and its call some 4 from then on. */
const MOST = 2000

/** Requests that wait for their call to be decided. Where they are too many, the oldest is answered before it is. */
export class Patience {
  /** Each ends a wait. */
  readonly #waits = new Set<() => void>()

  /**
   * @param done of the call, which goes on whatever is answered
   * @param late makes the error of an answer that cannot wait any longer
   */
  wait (done: Promise<void>, late: () => Error): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        leave()
        reject(late())
      }
      const deadline = new Deadline(LONGEST)
      deadline.onPassed(giveUp)
      const leave = (): void => {
        deadline.clear()
        this.#waits.delete(giveUp)
      }
      this.#waits.add(giveUp)
      done.finally(leave).then(resolve, reject)
      if (this.#waits.size > MOST) this.#waits.values().next().value!()
    })
  }
}
