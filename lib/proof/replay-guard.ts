import type { ReplayStore } from '../../types/dpop.js'
import { refusal, unavailable } from '../errors.js'
import { RateLimit } from '../diagnostics/rate-limit.js'
import type { Closing } from '../keycloak/closing.js'
import { plainReason } from '../reasons/reason.js'
import { isThenable, type MaybePromise } from '../util/maybe-promise.js'
import { withTimeout } from '../util/with-timeout.js'
import { ReplayMemory } from './replay-memory.js'

/** Milliseconds that a store may take. */
const TIMEOUT = 2000

/** Answers of a store that are waited for at once. */
const MAX_PENDING = 10_000

interface ReplayGuardOptions {
  store?: ReplayStore | undefined
  max: number
}

interface Parts {
  closing: Closing
  log: { warn: (sentence: string) => void }
}

/** Accepts each proof once. A store that cannot say so makes the request 503. */
export class ReplayGuard {
  readonly #store: ReplayStore
  readonly #memory: ReplayMemory | undefined
  readonly #closing: Closing
  readonly #log: Parts['log']
  readonly #warning = new RateLimit()
  #pending = 0

  constructor ({ store, max }: ReplayGuardOptions, { closing, log }: Parts) {
    this.#memory = store === undefined ? new ReplayMemory(max) : undefined
    this.#store = store ?? this.#memory!
    this.#closing = closing
    this.#log = log
  }

  /**
   * @param milliseconds how long the proof could be good
   * @throws {KeycloakError} dpop_proof_not_valid for a proof that was used, keycloak_unavailable
   */
  use (key: string, milliseconds: number): MaybePromise<void> {
    if (this.#memory?.isFull === true) throw this.#failed('replay_store_full')
    // Before the store is asked, because its client may queue what it cannot send.
    if (this.#pending >= MAX_PENDING) throw this.#failed('replay_store_busy')
    let added: unknown
    try {
      added = this.#store.add(key, milliseconds)
    } catch {
      throw this.#failed('replay_store_failed')
    }
    return isThenable(added) ? this.#useLate(added) : this.#mustBeNew(added)
  }

  close (): void | Promise<void> {
    return this.#store.close?.()
  }

  async #useLate (added: PromiseLike<unknown>): Promise<void> {
    this.#pending++
    try {
      const answer = withTimeout(Promise.resolve(added), TIMEOUT, () => new Error())
      this.#mustBeNew(await this.#closing.until(answer).catch((error) => {
        throw this.#closing.over ? error : this.#failed('replay_store_failed')
      }))
    } finally {
      this.#pending--
    }
  }

  #mustBeNew (added: unknown): void {
    if (added === true) return
    if (added === false) throw refusal('dpop_proof_not_valid', 'proof_replayed')
    throw this.#failed('replay_store_failed')
  }

  #failed (reason: 'replay_store_full' | 'replay_store_failed' | 'replay_store_busy'): Error {
    if (this.#warning.allows()) this.#log.warn(`dpop: ${plainReason(reason).reason}; requests with a proof are 503 keycloak_unavailable`)
    return unavailable(reason, 'local')
  }
}
