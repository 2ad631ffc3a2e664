/** Tells when somebody waits no more: a reply to a client, which closes when it is sent or the client is gone. */
export interface Waiting {
  once (event: 'close', listener: () => void): unknown
}

/**
 * Tells a call under way that nobody waits for it any more. An AbortController would cost more than all the rest of what a
 * call needs, above all when it aborts what is long over.
 */
export class Departure {
  /** Does the call wait for its turn, so that nothing of it is written yet? */
  queued = false
  #waiting = 0
  #left: string | undefined
  #callOff: ((why: string) => void) | undefined

  /** Somebody waits for the call, until `waiting` closes; without it, until the end. */
  join (waiting: Waiting | undefined): void {
    this.#waiting++
    waiting?.once('close', () => {
      if (--this.#waiting === 0) this.leave('nobody waits for the answer any more')
    })
  }

  /** Is it called off? Then nobody can join it. */
  get left (): boolean {
    return this.#left !== undefined
  }

  /** The call is called off. */
  leave (why: string): void {
    this.#left = why
    this.#callOff?.(why)
  }

  /** What to do then; at once where it is so already. */
  onLeave (callOff: (why: string) => void): void {
    if (this.#left !== undefined) callOff(this.#left)
    else this.#callOff = callOff
  }
}
