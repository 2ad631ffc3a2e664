import { setTimeout as pause } from 'node:timers/promises'
import { type KeycloakError, unavailable } from '../errors.js'
import type { Closing } from '../keycloak/closing.js'
import { monotonicMilliseconds } from '../util/clock.js'
import type { MemoryBudget, Reservation } from './memory-budget.js'
import { isRefusal, MAX_WAIT } from './push.js'

/** Limit of the realms that are asked for at once, for known issuers and for others. */
const MAX_CALLS = 8

/** Milliseconds after a realm could not be asked for. */
const RETRY_DELAY = 1000

/** Pushes of issuers that nobody has vouched for, together. */
const STRANGERS = Symbol('pushes of unknown issuers')

/**
 * Makes the realm of an issuer if there is none.
 * @throws {KeycloakError} token_not_valid if the issuer is unknown, keycloak_unavailable
 */
export type NeedRealm = (issuer: string) => unknown

export interface IssuerLookupOptions {
  needRealm: NeedRealm
  /** Has the issuer had a realm before? */
  isKnown: (issuer: string) => boolean
  budget: MemoryBudget
  closing: Closing
}

/** A push that waits for the realm of its issuer. */
interface PendingPush extends Reservation {
  /** @returns false if the realm has ended meanwhile */
  begin: () => boolean
}

/** The pushes of one issuer. */
interface PendingIssuer {
  issuer: string
  /** Of the first push, in milliseconds of the monotonic clock. */
  arrivedAt: number
  pushes: Set<PendingPush>
}

/**
 * Pushes whose issuer has no realm at the moment. Keycloak does not repeat a push, so it waits until the realm can be asked for. The
 * `iss` of a push is not verified: issuers that are known have a queue of their own, and all others share a part of the memory, so that
 * made-up issuers push out no logout of a known one.
 */
export class IssuerLookup {
  readonly #options: IssuerLookupOptions
  readonly #known: IssuerQueue
  readonly #strangers: IssuerQueue

  constructor (options: IssuerLookupOptions) {
    this.#options = options
    this.#known = new IssuerQueue(options)
    this.#strangers = new IssuerQueue(options)
  }

  /**
   * Have a realm made for the issuer, and go on with it.
   * @param bytes size of the push, which stays in memory meanwhile
   * @param begin called at once when there is a realm; `undefined` if it has ended already
   * @throws {KeycloakError} token_not_valid, keycloak_unavailable
   */
  find (issuer: string, bytes: number, begin: () => Promise<void> | undefined): Promise<void> {
    return this.#options.isKnown(issuer)
      ? this.#known.find(issuer, { issuer, group: `${issuer}\n`, bytes }, begin)
      : this.#strangers.find(issuer, { issuer: undefined, group: STRANGERS, bytes }, begin)
  }

  /** Refuse all, because the API closes. */
  close (): void {
    this.#known.close()
    this.#strangers.close()
  }
}

class IssuerQueue {
  readonly #options: IssuerLookupOptions
  /** Those that nobody asks for at the moment, in turn. */
  readonly #waiting = new Map<string, PendingIssuer>()
  readonly #asked = new Map<string, PendingIssuer>()
  #callers = 0

  constructor (options: IssuerLookupOptions) {
    this.#options = options
  }

  find (issuer: string, reserved: Omit<Reservation, 'evict'>, begin: () => Promise<void> | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#options.closing.begun) return reject(unavailable('api_closing'))
      const pending = this.#pending(issuer)
      const push: PendingPush = {
        ...reserved,
        begin () {
          const done = begin()
          if (done !== undefined) resolve(done)
          return done !== undefined
        },
        evict: (error) => {
          pending.pushes.delete(push)
          if (pending.pushes.size === 0) this.#waiting.delete(issuer)
          reject(error)
        }
      }
      pending.pushes.add(push)
      this.#options.budget.reserve(push)
      if (this.#callers < MAX_CALLS) void this.#call()
    })
  }

  close (): void {
    for (const pending of [...this.#waiting.values(), ...this.#asked.values()]) this.#refuse(pending, unavailable('api_closing'))
  }

  #pending (issuer: string): PendingIssuer {
    const known = this.#asked.get(issuer) ?? this.#waiting.get(issuer)
    if (known !== undefined) return known
    const pending = { issuer, arrivedAt: monotonicMilliseconds(), pushes: new Set<PendingPush>() }
    this.#waiting.set(issuer, pending)
    return pending
  }

  /** One issuer after the other. One whose realm cannot be asked for now is the last one again. */
  async #call (): Promise<void> {
    this.#callers++
    for (let [next] = this.#waiting.values(); next !== undefined; [next] = this.#waiting.values()) {
      this.#waiting.delete(next.issuer)
      this.#asked.set(next.issuer, next)
      await this.#ask(next)
      this.#asked.delete(next.issuer)
      if (next.pushes.size === 0) continue
      this.#waiting.set(next.issuer, next)
      await pause(RETRY_DELAY, undefined, { ref: false })
    }
    this.#callers--
  }

  /** Pushes that are not decided stay. */
  async #ask (pending: PendingIssuer): Promise<void> {
    try {
      await this.#options.needRealm(pending.issuer)
    } catch (error) {
      if (isRefusal(error)) this.#refuse(pending, error)
      else if (monotonicMilliseconds() - pending.arrivedAt >= MAX_WAIT) this.#refuse(pending, unavailable('push_issuer_late'))
      return
    }
    for (const push of pending.pushes) {
      if (!push.begin()) return
      pending.pushes.delete(push)
      this.#options.budget.release(push)
    }
  }

  #refuse (pending: PendingIssuer, error: KeycloakError): void {
    for (const push of pending.pushes) {
      this.#options.budget.release(push)
      push.evict(error)
    }
  }
}
