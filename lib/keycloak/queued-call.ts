import type { UnavailableError } from '../errors.js'
import type { LinkedList, Place } from '../util/linked-list.js'
import type { Cancellation } from './cancellation.js'

/** A user, for whom calls are made. */
export interface Caller {
  readonly key: unknown
  underWay: number
  readonly waiting: LinkedList<QueuedCall>
  /** Its place among those whose turn it is, while calls of it wait. */
  turn: Place<Caller> | undefined
  /** Its place among those of whom as many calls wait. */
  crowd: Place<Caller> | undefined
}

/** A call from when it is asked for until it is over. */
export class QueuedCall {
  readonly caller: Caller
  readonly cancellation: Cancellation
  state: 'waiting' | 'under way' | 'over' = 'waiting'
  /** Resolves when it is to be made, rejects when it is not; `undefined` if it is made at once. */
  turn: Promise<void> | undefined
  place: Place<QueuedCall> | undefined
  start!: () => void
  refuse!: (error: UnavailableError) => void

  constructor (caller: Caller, cancellation: Cancellation) {
    this.caller = caller
    this.cancellation = cancellation
  }
}

/** Its calls that wait or are under way. */
export function pendingOf ({ underWay, waiting }: Caller): number {
  return underWay + waiting.size
}
