import { createHash } from 'node:crypto'
import { Cancellation, type Waiting } from '../../keycloak/cancellation.js'
import { BoundedMap } from '../../util/bounded-map.js'
import { monotonicMilliseconds } from '../../util/clock.js'
import type { UmaRefusal } from './decider.js'

/** Keycloak's decision on a permission: `undefined` if the caller has it. */
export type Decision = UmaRefusal | undefined

interface KeptDecision {
  readonly decision: Decision
  /** Milliseconds of the monotonic clock. */
  readonly ends: number
}

/** A question under way, and whether somebody waits for it. */
interface PendingDecision {
  readonly decision: Promise<Decision>
  readonly cancellation: Cancellation
}

export interface SharedDecisionsOptions {
  /** Milliseconds for which a decision serves, from the moment at which it was asked for; 0: for no other request. */
  cacheTtl: number
  /** Milliseconds for a question. */
  timeout: number
}

/** Decisions that are kept: each takes less than a kilobyte. */
const MAX_KEPT = 10_000

/**
 * The decisions of a realm, by token and permission. Without `cacheTtl` each request has a decision that was asked for after it
 * came: it joins a question of another request only while that waits to be sent.
 */
export class SharedDecisions {
  readonly #options: SharedDecisionsOptions
  readonly #kept = new BoundedMap<string, KeptDecision>(MAX_KEPT)
  readonly #pending = new Map<string, PendingDecision>()
  #isClosed = false

  constructor (options: SharedDecisionsOptions) {
    this.#options = options
  }

  /** @param ask makes the call, and sets `queuedSince` back when its question begins */
  decide (token: string, permission: string, waiting: Waiting | undefined, ask: (cancellation: Cancellation) => Promise<Decision>): Promise<Decision> {
    const key = `${createHash('sha256').update(token).digest('base64')} ${permission}`
    const kept = this.#kept.get(key)
    if (kept !== undefined && monotonicMilliseconds() < kept.ends) return Promise.resolve(kept.decision)
    const underWay = this.#pending.get(key)
    const pending = underWay !== undefined && this.#canBeJoined(underWay.cancellation) ? underWay : this.#start(key, ask)
    pending.cancellation.join(waiting)
    return pending.decision
  }

  /** Forget all decisions. */
  close (): void {
    this.#isClosed = true
    this.#kept.clear()
  }

  #canBeJoined (cancellation: Cancellation): boolean {
    const { cacheTtl, timeout } = this.#options
    return cancellation.canBeJoined(timeout) && (cacheTtl > 0 || cancellation.isQueued)
  }

  #start (key: string, ask: (cancellation: Cancellation) => Promise<Decision>): PendingDecision {
    const ends = monotonicMilliseconds() + this.#options.cacheTtl
    const cancellation = new Cancellation()
    // Until the name of the resource is looked up, nothing is asked.
    cancellation.queuedSince = monotonicMilliseconds()
    const decision = ask(cancellation).then((answer) => {
      if (this.#options.cacheTtl > 0 && !this.#isClosed) this.#kept.set(key, { decision: answer, ends })
      return answer
    }).finally(() => {
      if (this.#pending.get(key) === pending) this.#pending.delete(key)
    })
    const pending = { decision, cancellation }
    this.#pending.set(key, pending)
    return pending
  }
}
