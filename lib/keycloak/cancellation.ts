import { monotonicMilliseconds } from '../util/clock.js'
import type { PlainReasonCode } from '../reasons/reason.js'

/** A request that waits for a call. It tells when it is over: when its reply is sent, or its client is gone. */
export interface Waiting {
  onGone (listener: () => void): void
}

/**
 * Tells a call under way that nobody waits for it any more. An AbortController would cost more than all the rest of what a
 * call needs, above all when it aborts what is long over.
 */
export class Cancellation {
  /** While the call waits for a connection, so that nothing of it is written yet: the moment at which it began to wait, in milliseconds of the monotonic clock. */
  queuedSince: number | undefined
  #waiting = 0
  #reason: PlainReasonCode | undefined
  #listener: ((why: PlainReasonCode) => void) | undefined

  /** One more waits for the call, until `waiting` is over; without `waiting`, until the end of the call. */
  join (waiting: Waiting | undefined): void {
    this.#waiting++
    waiting?.onGone(() => {
      if (--this.#waiting === 0) this.cancel('caller_gone')
    })
  }

  get isQueued (): boolean {
    return this.queuedSince !== undefined
  }

  /**
   * Can a request with so many milliseconds join the call? Not if the call is cancelled, nor if it has waited for a
   * connection for more than half of that.
   */
  canBeJoined (timeout: number): boolean {
    if (this.#reason !== undefined) return false
    return this.queuedSince === undefined || monotonicMilliseconds() - this.queuedSince < timeout / 2
  }

  /** Cancel the call. */
  cancel (why: PlainReasonCode): void {
    this.#reason = why
    this.#listener?.(why)
  }

  /** Sets the listener, which is called at once if the call is cancelled already. */
  onCancel (listener: (why: PlainReasonCode) => void): void {
    if (this.#reason !== undefined) listener(this.#reason)
    else this.#listener = listener
  }
}
