import type { Departure, Waiting } from './departure.js'
import type { Identity } from './identity.js'

/** A question to Keycloak that waits for its turn. */
interface Unsent {
  identity: Promise<Identity>
  departure: Departure
  /** On the monotonic clock. */
  since: number
}

/**
 * Questions about a token that are not sent yet. Each request is to have an answer that was asked for after it came, and
 * for those that come meanwhile with the same token this one is as fresh as one of their own.
 */
export class UnsentInquiries {
  readonly #timeout: number
  readonly #unsent = new Map<string, Unsent>()

  /** @param timeout milliseconds that a question has, from its beginning */
  constructor (timeout: number) {
    this.#timeout = timeout
  }

  /** Nothing where none is left: to look one up by a long token costs more than the rest. */
  join (token: string, waiting: Waiting | undefined): Promise<Identity> | undefined {
    if (this.#unsent.size === 0) return undefined
    const unsent = this.#unsent.get(token)
    if (unsent === undefined || !this.#canBeJoined(unsent)) return undefined
    unsent.departure.join(waiting)
    return unsent.identity
  }

  add (token: string, identity: Promise<Identity>, departure: Departure): void {
    const unsent = { identity, departure, since: performance.now() }
    this.#unsent.set(token, unsent)
    const forget = (): void => {
      if (this.#unsent.get(token) === unsent) this.#unsent.delete(token)
    }
    identity.then(forget, forget)
  }

  /** Whoever joins has half of the time at least. */
  #canBeJoined ({ departure, since }: Unsent): boolean {
    return departure.queued && !departure.left && performance.now() - since < this.#timeout / 2
  }
}
