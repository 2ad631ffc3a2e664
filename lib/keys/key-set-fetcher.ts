import type { Health } from '../../types/instance.js'
import { keys } from '../diagnostics/channels.js'
import type { EndpointHealth } from '../diagnostics/endpoint-health.js'
import { traced } from '../diagnostics/traced.js'
import { unavailable } from '../errors.js'
import type { KeycloakClient } from '../keycloak/client.js'
import { reasonFor } from '../reasons/reason.js'
import { BackgroundRetry } from '../util/background-retry.js'
import { monotonicMilliseconds } from '../util/clock.js'
import type { KeySet } from './key-set.js'
import type { SignaturePool } from './signature-pool.js'
import type { IsRefused } from './test-keys.js'
import { WaitQueue } from './wait-queue.js'

/** All but maxBytes in milliseconds; `types/options.ts` has their meaning. */
export interface KeySetFetcherOptions {
  maxAge: number
  timeout: number
  maxStale: number
  maxBytes: number
  /** Tells which keys of the set count as absent. */
  isRefused: IsRefused
  /** Verifies signatures; `undefined`: the process does, at once. */
  pool?: SignaturePool | undefined
}

/** A key set, and the moment of the monotonic clock at which it was asked for. */
export interface FetchedKeySet {
  set: KeySet
  requestedAt: number
}

const PATH = '/protocol/openid-connect/certs'

/**
 * A key set is fetched again ahead of its end, after a random share of maxAge, so that many instances do not ask at once;
 * and never sooner than after so many milliseconds.
 */
const AHEAD = { from: 0.75, to: 0.9, least: 1000 }

/** A failed fetch is tried again within a second. */
const RETRY = { first: 250, most: 1000, jitter: 0.5, lengthens: undefined }

/** Look-ups that wait for one fetch, about 8 kB each: anybody can send tokens while Keycloak hangs. */
const MAX_WAITING = 5000

/** Fetches the realm's key set, in time and as a whole, for all who wait; and decides how long it may be used. */
export class KeySetFetcher {
  readonly #options: KeySetFetcherOptions
  readonly #baseUrl: string
  readonly #client: KeycloakClient
  readonly #endpoint: EndpointHealth
  readonly #waiting = new WaitQueue(MAX_WAITING)
  /** All fetches, those in the background and those that a token waits for. */
  readonly #fetches = new BackgroundRetry(() => this.#load(), RETRY, () => this.#waiting.release())
  readonly #onNewSet: () => void
  #newest: FetchedKeySet | undefined

  /**
   * @param baseUrl the realm's, without a slash at its end
   * @param onNewSet is called when a fetch has succeeded
   */
  constructor (options: KeySetFetcherOptions, baseUrl: string, client: KeycloakClient, endpoint: EndpointHealth, onNewSet: () => void) {
    this.#options = options
    this.#baseUrl = baseUrl
    this.#client = client
    this.#endpoint = endpoint
    this.#onNewSet = onNewSet
  }

  /** The key set fetched last, however old; `undefined` before the first. */
  get newest (): FetchedKeySet | undefined {
    return this.#newest
  }

  /** The fetch that is under way. */
  get underWay (): Promise<FetchedKeySet> | undefined {
    return this.#fetches.underWay
  }

  get isFresh (): boolean {
    return this.#newest !== undefined && this.#age() < this.#options.maxAge
  }

  /** Can tokens of known keys be verified now? */
  get isUsable (): boolean {
    return this.#newest === undefined ? !this.#fetches.failing : this.#age() < this.#lifetime()
  }

  /**
   * The key set to use without a wait, if there is one: a fresh one, or the kept one while Keycloak is known to be away.
   * @param now milliseconds of the monotonic clock
   */
  usableSet (now: number): KeySet | undefined {
    if (this.#newest === undefined) return undefined
    const age = now - this.#newest.requestedAt
    // While Keycloak is away it is asked again within a second: no request waits for that.
    const isUsable = age < this.#options.maxAge || (this.#fetches.failing && age < this.#lifetime())
    return isUsable ? this.#newest.set : undefined
  }

  health (): Health['keys'] {
    return {
      ...this.#endpoint.report(),
      state: this.#state(),
      age: this.#newest === undefined ? null : Math.round(this.#age()),
      stale: !this.isFresh,
      count: this.#newest?.set.size ?? 0
    }
  }

  /**
   * The key set to use: a fresh one, which is fetched if need be, or a kept one while Keycloak is away.
   * @throws {KeycloakError} keycloak_unavailable
   */
  async current (kid?: string): Promise<FetchedKeySet> {
    const kept = this.#newest
    if (this.usableSet(monotonicMilliseconds()) !== undefined) return kept!
    try {
      return await (this.underWay === undefined ? this.fetch() : this.join(this.underWay, kid))
    } catch (error) {
      if (kept !== undefined && this.#age() < this.#lifetime()) return kept
      throw error
    }
  }

  /**
   * Wait for the fetch that is under way, if there is room for one more that waits.
   * @throws {KeycloakError} keycloak_unavailable
   */
  async join (underWay: Promise<FetchedKeySet>, kid: string | undefined): Promise<FetchedKeySet> {
    if (!await this.#waiting.wait(kid)) throw unavailable(reasonFor('keys_waited_for', { count: MAX_WAITING }), 'local')
    return underWay
  }

  /**
   * A new key set. If a fetch has just failed, the next one is due soon, and none is made for each request.
   * @throws {KeycloakError} keycloak_unavailable
   */
  async fetch (): Promise<FetchedKeySet> {
    if (this.#fetches.waits) throw unavailable('keys_failed_recently')
    return this.#fetches.attemptNow()
  }

  /** No more fetches of its own accord. */
  close (): void {
    this.#fetches.close()
  }

  #load (): Promise<FetchedKeySet> {
    if (!keys.hasSubscribers) return this.#fetchNewest()
    return traced(keys, { issuer: this.#client.issuer }, () => this.#fetchNewest(), (event, { set }) => { event.count = set.size })
  }

  async #fetchNewest (): Promise<FetchedKeySet> {
    const requestedAt = monotonicMilliseconds()
    this.#newest = { set: await this.#endpoint.watch(this.#read()), requestedAt }
    this.#onNewSet()
    this.#fetches.attemptIn(Math.max(between(AHEAD.from, AHEAD.to) * this.#options.maxAge, AHEAD.least))
    return this.#newest
  }

  async #read (): Promise<KeySet> {
    const { timeout, maxBytes, isRefused, pool } = this.#options
    const text = await this.#client.fetchText({ method: 'GET', path: PATH, timeout, maxBytes, onSent: loadKeySet })
    const { KeySet } = await import('./key-set.js')
    return new KeySet(text, this.#baseUrl, isRefused, pool, this.#newest?.set)
  }

  #state (): Health['keys']['state'] {
    if (this.#newest === undefined) return 'not fetched yet'
    if (this.isFresh) return 'fresh'
    return this.isUsable ? 'stale' : 'expired'
  }

  #age (): number {
    return monotonicMilliseconds() - this.#newest!.requestedAt
  }

  /** Milliseconds for which a key set may be used: a maxStale below maxAge does not shorten maxAge. */
  #lifetime (): number {
    return Math.max(this.#options.maxStale, this.#options.maxAge)
  }
}

/** Loads the class of key sets while Keycloak answers: with fast-jwt and get-jwks it takes as long, and a start without a token does without it. */
function loadKeySet (): void {
  // After this turn, which writes the request. If it fails, so does the import that follows the answer.
  setImmediate(() => { void Promise.allSettled([import('./key-set.js')]) })
}

function between (from: number, to: number): number {
  return from + (to - from) * Math.random()
}
