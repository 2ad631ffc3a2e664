import type { FastifyBaseLogger } from 'fastify'
import { RateLimit } from '../diagnostics/rate-limit.js'
import { storeReasonOf } from './store-error.js'

/** The log lines about reading the store, which the issuers share: a store that is away fails for all of them. */
export class StoreLog {
  readonly #log: FastifyBaseLogger
  readonly #warning = new RateLimit()
  /** The followers that cannot read. */
  readonly #failing = new Set<object>()

  constructor (log: FastifyBaseLogger) {
    this.#log = log
  }

  failed (follower: object, error: unknown): void {
    this.#failing.add(follower)
    const reason = storeReasonOf(error)
    if (this.#warning.allows(reason)) this.#log.warn(`the store of revocations cannot be read: ${reason}`)
  }

  upToDate (follower: object): void {
    if (this.#failing.delete(follower) && this.#failing.size === 0) this.#log.info('the store of revocations can be read again')
  }

  /** The follower reads no more. */
  ended (follower: object): void {
    this.#failing.delete(follower)
  }
}
