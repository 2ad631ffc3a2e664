import type { Health } from '../types/instance.js'
import { notValid, unavailable } from './errors.js'
import { type Key, KeySet } from './key-set.js'
import type { Maybe } from './maybe.js'
import type { Monitor } from './monitor.js'
import type { Upstream } from './upstream.js'

/** All in milliseconds; `types/options.ts` says what each means. */
export interface KeysOptions {
  maxAge: number
  cooldown: number
  timeout: number
  maxStale: number
}

const PATH = '/protocol/openid-connect/certs'

/** A realm's answer has some kilobytes. */
const MAX_BYTES = 512 * 1024

/** After a failed fetch nobody asks again for so long, in milliseconds. */
const RETRY_AFTER = 500

/** A failure younger than this, and a timeout, means that Keycloak is away: known keys serve at once while it is asked again. */
const AWAY_FOR = 10_000

/** A key set, and when it was asked for, on the monotonic clock. */
interface Fetched {
  set: KeySet
  requestedAt: number
}

/**
 * When the realm's keys are fetched, how long they are believed, and which verifier a token's kid leads to.
 * One fetch brings the whole set, and all who wait share it.
 */
export class Keys {
  readonly #options: KeysOptions
  readonly #upstream: Upstream
  readonly #baseUrl: string
  readonly #monitor: Monitor
  #fetched: Fetched | undefined
  #fetching: Promise<Fetched> | undefined
  #failedAt = -Infinity
  #forcedAt = -Infinity

  constructor (options: KeysOptions, baseUrl: string, upstream: Upstream, monitor: Monitor) {
    this.#options = options
    this.#baseUrl = baseUrl
    this.#upstream = upstream
    this.#monitor = monitor
  }

  /**
   * The verifier for a token's header. There at once when the key set is fresh and the key was used before.
   * @throws {KeycloakError} token_not_valid when a fresh key set has no such key, keycloak_unavailable
   */
  lookup (kid: string | undefined, alg: string): Maybe<Key> {
    if (this.#isFresh()) {
      const key = this.#fetched!.set.verifier(kid, alg)
      if (key !== undefined) return key
    }
    return this.#lookup(kid, alg, performance.now())
  }

  health (): Health['keys'] {
    return {
      ...this.#monitor.report(),
      age: this.#fetched === undefined ? null : Math.round(this.#age()),
      stale: !this.#isFresh(),
      count: this.#fetched?.set.size ?? 0
    }
  }

  /** Can tokens of known keys be verified now? */
  get usable (): boolean {
    return this.#fetched === undefined ? this.#failedAt === -Infinity : this.#age() < this.#lifetime()
  }

  async #lookup (kid: string | undefined, alg: string, startedAt: number): Promise<Key> {
    const current = await this.#current()
    const known = await current.set.resolve(kid, alg)
    if (known !== undefined) return known
    const asked = await this.#askAgain(current, startedAt)
    const key = await asked.set.resolve(kid, alg)
    if (key === undefined) throw notValid('no key of the realm fits kid and alg')
    return key
  }

  /** The key set to go by: a fresh one, or a kept one while Keycloak is away. */
  async #current (): Promise<Fetched> {
    const kept = this.#fetched
    if (kept !== undefined) {
      if (this.#isFresh()) return kept
      const away = performance.now() - this.#failedAt < AWAY_FOR + this.#options.timeout
      if (away && this.#age() < this.#lifetime()) {
        this.#fetch().catch(() => {})
        return kept
      }
    }
    try {
      return await this.#fetch()
    } catch (error) {
      if (kept !== undefined && this.#age() < this.#lifetime()) return kept
      throw error
    }
  }

  /** For a kid that the current set lacks: a newer set, where one may be asked for. */
  async #askAgain (current: Fetched, startedAt: number): Promise<Fetched> {
    // Keycloak was asked since this look-up began, so its answer is as new as can be.
    if (current.requestedAt >= startedAt) return current
    // Kept through an outage: who knows its keys need not wait for Keycloak, who does not must.
    if (!this.#isFresh()) return this.#fetch()
    if (this.#fetching === undefined && performance.now() - this.#forcedAt < this.#options.cooldown) return current
    const fetched = await this.#fetch()
    this.#forcedAt = Math.max(this.#forcedAt, fetched.requestedAt)
    return fetched
  }

  #fetch (): Promise<Fetched> {
    if (this.#fetching === undefined) {
      if (performance.now() - this.#failedAt < RETRY_AFTER) {
        return Promise.reject(unavailable('Keycloak failed less than a moment ago'))
      }
      this.#fetching = this.#load().finally(() => { this.#fetching = undefined })
    }
    return this.#fetching
  }

  async #load (): Promise<Fetched> {
    const requestedAt = performance.now()
    try {
      const set = await this.#monitor.watch(this.#read())
      this.#failedAt = -Infinity
      this.#fetched = { set, requestedAt }
      return this.#fetched
    } catch (error) {
      this.#failedAt = performance.now()
      throw error
    }
  }

  async #read (): Promise<KeySet> {
    const text = await this.#upstream.call({ method: 'GET', path: PATH, timeout: this.#options.timeout, maxBytes: MAX_BYTES })
    const source = { baseUrl: this.#baseUrl, path: PATH, dispatcher: this.#upstream.dispatcher }
    return new KeySet(text, source, this.#fetched?.set)
  }

  #age (): number {
    return performance.now() - this.#fetched!.requestedAt
  }

  #isFresh (): boolean {
    return this.#fetched !== undefined && this.#age() < this.#options.maxAge
  }

  /** How long after the last good fetch keys may live: a maxStale below maxAge does not shorten maxAge. */
  #lifetime (): number {
    return Math.max(this.#options.maxStale, this.#options.maxAge)
  }
}
