import type { FastifyBaseLogger } from 'fastify'
import { CallQueue, MAX_UNDER_WAY } from './call-queue.js'
import type { QueuedCall } from './queued-call.js'
import type { Closing } from './closing.js'
import type { Deadline } from '../util/deadline.js'
import type { Cancellation } from './cancellation.js'
import { unavailable, type UnavailableError } from '../errors.js'
import { RateLimit } from '../diagnostics/rate-limit.js'
import { monotonicMilliseconds } from '../util/clock.js'
import { reasonFor } from '../reasons/reason.js'

export interface CallLimiterOptions {
  /** Calls that wait or are under way. */
  maxPending: number
  /** Milliseconds. */
  timeout: number
  log: FastifyBaseLogger
  /** The warning when further calls are refused, because `maxPending` are pending. */
  fullLine: string
  /** The warning when a call has waited for its turn for too long. */
  waitLine: string
  closing: Closing
}

/** The turns of calls to one endpoint: to wait for one is this API's own business, and no outage of Keycloak's. */
export class CallLimiter {
  readonly #queue: CallQueue
  readonly #timeout: number
  readonly #closing: Closing
  readonly #warnOfWait: () => void

  constructor ({ maxPending, timeout, log, fullLine, waitLine, closing }: CallLimiterOptions) {
    this.#timeout = timeout
    this.#closing = closing
    this.#queue = new CallQueue(maxPending, nowAndThen(log, fullLine))
    this.#warnOfWait = nowAndThen(log, waitLine)
  }

  /** Calls that wait or are under way. */
  get pending (): number {
    return this.#queue.pending
  }

  /**
   * A call of a caller. If it has a `turn`, it has to wait for that.
   * @throws {KeycloakError} keycloak_unavailable when too many are pending
   */
  enter (caller: unknown, cancellation: Cancellation): QueuedCall {
    return this.#queue.enter(caller, cancellation)
  }

  /** The call is over. */
  leave (call: QueuedCall): void {
    this.#queue.leave(call)
  }

  /**
   * Wait until it is the call's turn.
   * @returns milliseconds that it took
   * @throws {KeycloakError} keycloak_unavailable
   */
  async wait (call: QueuedCall, turn: Promise<void>, deadline: Deadline): Promise<number> {
    const since = monotonicMilliseconds()
    const refuse = (error: UnavailableError): void => this.#queue.refuse(call, error)
    deadline.onPassed(() => {
      this.#warnOfWait()
      refuse(unavailable(reasonFor('connections_busy', { connections: MAX_UNDER_WAY, milliseconds: this.#timeout }), 'local'))
    })
    call.cancellation.onCancel((why) => refuse(unavailable(why, 'local')))
    call.cancellation.queuedSince = since
    this.#closing.add(refuse)
    try {
      await turn
    } finally {
      call.cancellation.queuedSince = undefined
      this.#closing.delete(refuse)
    }
    return monotonicMilliseconds() - since
  }
}

function nowAndThen (log: FastifyBaseLogger, line: string): () => void {
  const limit = new RateLimit()
  return () => {
    if (limit.allows()) log.warn(line)
  }
}
