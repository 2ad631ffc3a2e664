import type { Health } from '../../types/instance.js'
import { Cooldown } from './cooldown.js'
import { notValid, unavailable } from '../errors.js'
import { reasonFor } from '../reasons/reason.js'
import type { Key, KeySet } from './key-set.js'
import type { EndpointHealth } from '../diagnostics/endpoint-health.js'
import type { IsRefused } from './test-keys.js'
import type { KeycloakClient } from '../keycloak/client.js'
import { WaitQueue } from './wait-queue.js'
import { BackgroundRetry } from '../util/background-retry.js'
import { monotonicMilliseconds } from '../util/clock.js'

/** All but maxBytes in milliseconds; `types/options.ts` says what each means. */
export interface KeySourceOptions {
  maxAge: number
  cooldown: number
  timeout: number
  maxStale: number
  maxBytes: number
  /** Which keys of the set count as absent. */
  isRefused: IsRefused
}

const PATH = '/protocol/openid-connect/certs'

/**
 * When a key set is fetched anew ahead of its end, as a share of maxAge, spread so that many instances do not ask at
 * once; and never sooner than so many milliseconds.
 */
const AHEAD = { from: 0.75, to: 0.9, least: 1000 }

/** A failed fetch is tried again within a second. */
const RETRY = { first: 250, most: 1000, jitter: 0.5 }

/** How many look-ups wait for one fetch, about 8 kB each: anybody can send tokens while Keycloak hangs. */
const MAX_WAITING = 5000

/** A key set, and when it was asked for, on the monotonic clock. */
interface Fetched {
  set: KeySet
  requestedAt: number
}

/**
 * When the realm's keys are fetched, how long they are believed, and which verifier a token's kid leads to.
 * One fetch brings the whole set, and all who wait share it.
 */
export class KeySource {
  readonly #options: KeySourceOptions
  readonly #client: KeycloakClient
  readonly #baseUrl: string
  readonly #endpoint: EndpointHealth
  readonly #cooldown: Cooldown
  readonly #waiting = new WaitQueue(MAX_WAITING)
  #fetched: Fetched | undefined
  /** All fetches, those in the background and those that a token waits for. */
  readonly #fetches = new BackgroundRetry(() => this.#load(), RETRY, () => this.#waiting.release())

  constructor (options: KeySourceOptions, baseUrl: string, keycloakClient: KeycloakClient, endpoint: EndpointHealth) {
    this.#options = options
    this.#baseUrl = baseUrl
    this.#client = keycloakClient
    this.#endpoint = endpoint
    this.#cooldown = new Cooldown(options.cooldown)
  }

  /**
   * The verifier for a token's header.
   * @throws {KeycloakError} token_not_valid when a fresh key set has no such key, keycloak_unavailable
   */
  async lookup (kid: string | undefined, alg: string): Promise<Key> {
    return this.usableSet(monotonicMilliseconds())?.verifier(kid, alg) ?? this.#lookup(kid, alg, monotonicMilliseconds())
  }

  /**
   * The key set to go by without a wait, if there is one: a fresh one, or the kept one while Keycloak is known to be away.
   * @param now milliseconds of the monotonic clock
   */
  usableSet (now: number): KeySet | undefined {
    if (this.#fetched === undefined) return undefined
    const age = now - this.#fetched.requestedAt
    // Away, it is asked again within a second: nobody waits for that.
    const stands = age < this.#options.maxAge || (this.#fetches.failing && age < this.#lifetime())
    return stands ? this.#fetched.set : undefined
  }

  /** The key set known last, however old; `undefined` before the first. */
  get latest (): KeySet | undefined {
    return this.#fetched?.set
  }

  health (): Health['keys'] {
    return {
      ...this.#endpoint.report(),
      state: this.#state(),
      age: this.#fetched === undefined ? null : Math.round(this.#age()),
      stale: !this.#isFresh(),
      count: this.#fetched?.set.size ?? 0
    }
  }

  /**
   * Would a later look-up be refused as well: is the key set newer than a moment of the monotonic clock, or has it a key
   * of that kid, for another algorithm?
   */
  isFinal (kid: string | undefined, alg: string, moment: number): boolean {
    return this.#fetched !== undefined && (this.#fetched.requestedAt >= moment || this.#fetched.set.has(kid, alg))
  }

  /** Can tokens of known keys be verified now? */
  get usable (): boolean {
    return this.#fetched === undefined ? !this.#fetches.failing : this.#age() < this.#lifetime()
  }

  /**
   * Fetch the key set before the first request needs it.
   * @throws {KeycloakError} keycloak_unavailable; further tries follow by themselves
   */
  async preload (): Promise<void> {
    await this.#fetch()
  }

  /**
   * What the realm's keys can sign by; fetched where no fresh key set is there.
   * @throws {KeycloakError} keycloak_unavailable
   */
  async algorithms (): Promise<ReadonlySet<string>> {
    return (await this.#current()).set.algorithms
  }

  /**
   * The verifier for a token's header, if the key set to go by has it. An unknown kid has none fetched.
   * @throws {KeycloakError} keycloak_unavailable
   */
  async resolve (kid: string | undefined, alg: string): Promise<Key | undefined> {
    return (await this.#current(kid)).set.resolve(kid, alg)
  }

  /** No more fetches of its own accord. */
  close (): void {
    this.#fetches.close()
    this.#cooldown.release()
  }

  async #lookup (kid: string | undefined, alg: string, startedAt: number): Promise<Key> {
    const joins = this.#fetches.underWay !== undefined
    let fetched: Fetched | undefined = await this.#current(kid)
    for (;;) {
      const key = await fetched.set.resolve(kid, alg)
      if (key !== undefined) return key
      // Keycloak was asked since this look-up began, so its answer is as new as can be; or the key fits another algorithm.
      const isNew = fetched.requestedAt >= startedAt
      if (isNew && fetched.set.resembles(kid)) this.#cooldown.refuse(kid, monotonicMilliseconds())
      if (isNew || fetched.set.has(kid, alg)) throw notValid('kid_unknown')
      fetched = await this.#newer(kid, alg, joins)
      if (fetched === undefined) throw notValid('kid_on_cooldown')
    }
  }

  /** The key set to go by: a fresh one, or a kept one while Keycloak is away. */
  async #current (kid?: string): Promise<Fetched> {
    const kept = this.#fetched
    if (this.usableSet(monotonicMilliseconds()) !== undefined) return kept!
    try {
      return await (this.#fetches.underWay === undefined ? this.#fetch() : this.#join(this.#fetches.underWay, kid))
    } catch (error) {
      if (kept !== undefined && this.#age() < this.#lifetime()) return kept
      throw error
    }
  }

  /** For a kid that the current set lacks: a newer set, where one may be asked for soon. */
  async #newer (kid: string | undefined, alg: string, joins: boolean): Promise<Fetched | undefined> {
    if (this.#fetches.underWay !== undefined) return this.#join(this.#fetches.underWay, kid)
    // Kept through an outage: who knows its keys need not wait for Keycloak, who does not must.
    if (!this.#isFresh()) return this.#refresh(kid, alg)
    const admitted = this.#cooldown.admit(kid, this.#fetched!.set.resembles(kid), joins, monotonicMilliseconds())
    if (admitted === true) return this.#refresh(kid, alg)
    if (admitted === false || await this.#client.closing.until(admitted) === false) return undefined
    return this.#fetched
  }

  /** The fetch that is under way, while there is room for one more that waits. */
  async #join (fetching: Promise<Fetched>, kid: string | undefined): Promise<Fetched> {
    if (!await this.#waiting.wait(kid)) throw unavailable(reasonFor('keys_waited_for', { count: MAX_WAITING }), 'local')
    return fetching
  }

  /** A fetch for the sake of one key id. */
  async #refresh (kid: string | undefined, alg: string): Promise<Fetched> {
    const fetched = await this.#fetch()
    this.#cooldown.count(fetched.requestedAt, fetched.set.has(kid, alg))
    return fetched
  }

  /** A fetch that failed a moment ago is not made again for each request: the next one is due soon. */
  async #fetch (): Promise<Fetched> {
    if (this.#fetches.waits) throw unavailable('keys_failed_recently')
    return this.#fetches.attemptNow()
  }

  async #load (): Promise<Fetched> {
    const requestedAt = monotonicMilliseconds()
    this.#fetched = { set: await this.#endpoint.watch(this.#read()), requestedAt }
    this.#cooldown.release()
    this.#fetches.attemptIn(Math.max(between(AHEAD.from, AHEAD.to) * this.#options.maxAge, AHEAD.least))
    return this.#fetched
  }

  async #read (): Promise<KeySet> {
    const text = await this.#client.fetchText({ method: 'GET', path: PATH, timeout: this.#options.timeout, maxBytes: this.#options.maxBytes })
    // Loaded now, with fast-jwt and get-jwks: a start without a token can do without them.
    const { KeySet } = await import('./key-set.js')
    return new KeySet(text, this.#baseUrl, this.#options.isRefused, this.#fetched?.set)
  }

  #state (): Health['keys']['state'] {
    if (this.#fetched === undefined) return 'not fetched yet'
    if (this.#isFresh()) return 'fresh'
    return this.usable ? 'stale' : 'expired'
  }

  #age (): number {
    return monotonicMilliseconds() - this.#fetched!.requestedAt
  }

  #isFresh (): boolean {
    return this.#fetched !== undefined && this.#age() < this.#options.maxAge
  }

  /** How long after the last good fetch keys may live: a maxStale below maxAge does not shorten maxAge. */
  #lifetime (): number {
    return Math.max(this.#options.maxStale, this.#options.maxAge)
  }
}

function between (from: number, to: number): number {
  return from + (to - from) * Math.random()
}
