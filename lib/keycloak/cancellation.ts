import { monotonicMilliseconds } from '../util/clock.js'
import type { PlainReasonCode } from '../reasons/reason.js'

/** Tells when somebody waits no more: a reply to a client, which closes when it is sent or the client is gone. */
export interface Waiting {
  onGone (listener: () => void): void
}

/**
 * Tells a call under way that nobody waits for it any more. An AbortController would cost more than all the rest of what a
 * call needs, above all when it aborts what is long over.
 */
export class Cancellation {
  /** While the call waits for its turn, so that nothing of it is written yet: since when, on the monotonic clock. */
  queuedSince: number | undefined
  #waiting = 0
  #reason: PlainReasonCode | undefined
  #listener: ((why: PlainReasonCode) => void) | undefined

  /** Somebody waits for the call, until `waiting` closes; without it, until the end. */
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
   * Can somebody join it who has so many milliseconds? Not when it is called off, nor when it has waited for its turn for
   * more than half of that.
   */
  canBeJoined (timeout: number): boolean {
    if (this.#reason !== undefined) return false
    return this.queuedSince === undefined || monotonicMilliseconds() - this.queuedSince < timeout / 2
  }

  /** The call is called off. */
  cancel (why: PlainReasonCode): void {
    this.#reason = why
    this.#listener?.(why)
  }

  /** What to do then; at once where it is so already. */
  onCancel (listener: (why: PlainReasonCode) => void): void {
    if (this.#reason !== undefined) listener(this.#reason)
    else this.#listener = listener
  }
}
