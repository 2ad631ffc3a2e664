import type { Cancellation, Waiting } from '../keycloak/cancellation.js'
import type { Identity } from '../token/identity.js'

/** A question to Keycloak that waits for its turn. */
interface Unsent {
  readonly identity: Promise<Identity>
  readonly cancellation: Cancellation
  /** Requests that have joined it. */
  joined: number
}

export interface CoalescedCallsOptions {
  /** Milliseconds that a question has, from its beginning. */
  timeout: number
  /** Requests that may join questions of others, of all tokens together. */
  maxPending: number
}

/**
 * Questions about a token that are not sent yet. Each request is to have an answer that was asked for after it came, and
 * for those that come meanwhile with the same token this one is as fresh as one of their own.
 */
export class CoalescedCalls {
  readonly #options: CoalescedCallsOptions
  readonly #unsent = new Map<string, Unsent>()
  #joined = 0

  constructor (options: CoalescedCallsOptions) {
    this.#options = options
  }

  /** @returns `undefined` if there is none to join, or enough have joined */
  join (token: string, waiting: Waiting | undefined): Promise<Identity> | undefined {
    // A look-up of a long token costs more than all the rest.
    if (this.#unsent.size === 0 || this.#joined >= this.#options.maxPending) return undefined
    const unsent = this.#unsent.get(token)
    if (unsent?.cancellation.isQueued !== true || !unsent.cancellation.canBeJoined(this.#options.timeout)) return undefined
    unsent.joined++
    this.#joined++
    unsent.cancellation.join(waiting)
    return unsent.identity
  }

  add (token: string, identity: Promise<Identity>, cancellation: Cancellation): void {
    const unsent = { identity, cancellation, joined: 0 }
    this.#unsent.set(token, unsent)
    const forget = (): void => {
      this.#joined -= unsent.joined
      if (this.#unsent.get(token) === unsent) this.#unsent.delete(token)
    }
    identity.then(forget, forget)
  }
}
