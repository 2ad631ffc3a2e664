import type { Cancellation } from './cancellation.js'
import { unavailable, type UnavailableError } from '../errors.js'
import { LinkedList } from '../util/linked-list.js'
import { type Caller, pendingOf, QueuedCall } from './queued-call.js'
import { reasonFor } from '../reasons/reason.js'

/** Calls under way at once. Each has a connection of its own. */
export const MAX_UNDER_WAY = 64

/** While so many are under way, a caller who has its share of them waits: the others are kept free for everybody else. */
const COMMON = 32
const SHARE = 8

/**
 * The calls of all users before the connections to Keycloak, so that none of them shuts out the others, however much it
 * asks for:
 *
 * - A user has as many connections as it likes while half of them are free, and a share of the rest.
 * - Those who wait have their turns round robin, each with its oldest call.
 * - At the bound of all calls, a newcomer takes the place of a call of the user who has most, if that leaves both with
 *   no fewer than the newcomer.
 *
 * Each step takes the same time however many wait, and none of it is done while nobody does.
 */
export class CallQueue {
  readonly #maxPending: number
  readonly #onFull: () => void
  readonly #callers = new Map<unknown, Caller>()
  readonly #underWay = new Set<QueuedCall>()
  /** The callers who wait, in the order of their turns. */
  readonly #turns = new LinkedList<Caller>()
  /** The callers who wait, by the number of their waiting calls. */
  readonly #crowds = new Map<number, LinkedList<Caller>>()
  #largest = 0
  #waiting = 0

  /** @param onFull is told when the bound is reached, each time */
  constructor (maxPending: number, onFull: () => void) {
    this.#maxPending = maxPending
    this.#onFull = onFull
  }

  /** Calls that wait or are under way. */
  get pending (): number {
    return this.#waiting + this.#underWay.size
  }

  /**
   * A call of the caller that is known by this key.
   * @param cancellation ends it while it is under way
   * @throws {KeycloakError} keycloak_unavailable when too many are pending
   */
  enter (key: unknown, cancellation: Cancellation): QueuedCall {
    if (this.pending >= this.#maxPending) this.#makeRoom(this.#callers.get(key))
    const call = new QueuedCall(this.#callerOf(key), cancellation)
    if (call.caller.waiting.size === 0 && this.#mayStart(call.caller)) this.#start(call)
    else this.#wait(call)
    return call
  }

  /** A call that waits is not to be made. */
  refuse (call: QueuedCall, error: UnavailableError): void {
    if (call.state !== 'waiting') return
    call.refuse(error)
    this.leave(call)
  }

  /** A call is over, however that came. */
  leave (call: QueuedCall): void {
    const { state, caller } = call
    if (state === 'over') return
    call.state = 'over'
    if (state === 'waiting') {
      this.#unqueue(call)
    } else {
      this.#underWay.delete(call)
      caller.underWay--
      this.#startNext()
    }
    if (pendingOf(caller) === 0) this.#callers.delete(caller.key)
  }

  #callerOf (key: unknown): Caller {
    let caller = this.#callers.get(key)
    if (caller === undefined) {
      caller = { key, underWay: 0, waiting: new LinkedList(), turn: undefined, crowd: undefined }
      this.#callers.set(key, caller)
    }
    return caller
  }

  #mayStart ({ underWay }: Caller): boolean {
    return this.#underWay.size < (underWay < SHARE ? MAX_UNDER_WAY : COMMON)
  }

  #start (call: QueuedCall): void {
    call.state = 'under way'
    call.caller.underWay++
    this.#underWay.add(call)
  }

  #startNext (): void {
    while (this.#waiting > 0 && this.#underWay.size < MAX_UNDER_WAY) {
      // At the most eight callers can have their share of 64, so it is one of the first nine.
      const caller = this.#turns.find((each) => this.#mayStart(each))
      if (caller === undefined) return
      const call = caller.waiting.first!
      this.#unqueue(call)
      this.#toTheEnd(caller)
      this.#start(call)
      call.start()
    }
  }

  #wait (call: QueuedCall): void {
    const { caller } = call
    call.turn = new Promise((resolve, reject) => {
      call.start = resolve
      call.refuse = reject
    })
    call.place = caller.waiting.add(call)
    caller.turn ??= this.#turns.add(caller)
    this.#waiting++
    this.#recount(caller, caller.waiting.size - 1)
  }

  #unqueue (call: QueuedCall): void {
    const { caller } = call
    caller.waiting.remove(call.place!)
    this.#waiting--
    this.#recount(caller, caller.waiting.size + 1)
    if (caller.waiting.size > 0) return
    this.#turns.remove(caller.turn!)
    caller.turn = undefined
  }

  /** Its next turn is behind those of all others. */
  #toTheEnd (caller: Caller): void {
    if (caller.turn === undefined) return
    this.#turns.remove(caller.turn)
    caller.turn = this.#turns.add(caller)
  }

  /** One more of its calls waits, or one fewer. */
  #recount (caller: Caller, before: number): void {
    const { size } = caller.waiting
    const former = this.#crowds.get(before)
    former?.remove(caller.crowd!)
    if (former?.size === 0) this.#crowds.delete(before)
    if (size > 0) {
      const crowd = this.#crowds.get(size) ?? new LinkedList<Caller>()
      this.#crowds.set(size, crowd)
      caller.crowd = crowd.add(caller)
    }
    if (size > this.#largest) this.#largest = size
    else if (!this.#crowds.has(this.#largest)) this.#largest--
  }

  /** @throws {KeycloakError} keycloak_unavailable when nobody has two calls more than the newcomer */
  #makeRoom (newcomer: Caller | undefined): void {
    this.#onFull()
    const most = (newcomer === undefined ? 0 : pendingOf(newcomer)) + 2
    const crowded = this.#crowds.get(this.#largest)?.first
    if (crowded !== undefined && pendingOf(crowded) >= most) {
      return this.refuse(crowded.waiting.last!, unavailable('call_displaced', 'local'))
    }
    const call = this.#newestOfBusiest()
    if (call === undefined || pendingOf(call.caller) < most) throw unavailable(() => reasonFor('calls_pending', { count: this.#maxPending }), 'local')
    this.leave(call)
    call.cancellation.cancel('call_displaced')
  }

  /** Of the caller who has most calls under way, the last. */
  #newestOfBusiest (): QueuedCall | undefined {
    let newest: QueuedCall | undefined
    for (const call of this.#underWay) {
      if (newest === undefined || call.caller.underWay >= newest.caller.underWay) newest = call
    }
    return newest
  }
}
