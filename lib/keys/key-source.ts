import type { Health } from '../../types/instance.js'
import type { EndpointHealth } from '../diagnostics/endpoint-health.js'
import { notValid } from '../errors.js'
import type { KeycloakClient } from '../keycloak/client.js'
import type { Closing } from '../keycloak/closing.js'
import { monotonicMilliseconds } from '../util/clock.js'
import { Cooldown } from './cooldown.js'
import type { KeySet } from './key-set.js'
import { type FetchedKeySet, KeySetFetcher, type KeySetFetcherOptions } from './key-set-fetcher.js'
import type { Key } from './verification-key.js'

export interface KeySourceOptions extends KeySetFetcherOptions {
  /** Least milliseconds between two fetches for the sake of unknown key ids. */
  cooldown: number
}

/** The realm's keys, by the `kid` and `alg` of a token. An unknown `kid` may make it fetch a newer key set. */
export class KeySource {
  readonly #fetcher: KeySetFetcher
  readonly #cooldown: Cooldown
  readonly #closing: Closing

  /** @param baseUrl the realm's, without a slash at its end */
  constructor (options: KeySourceOptions, baseUrl: string, client: KeycloakClient, endpoint: EndpointHealth) {
    this.#cooldown = new Cooldown(options.cooldown)
    this.#fetcher = new KeySetFetcher(options, baseUrl, client, endpoint, () => this.#cooldown.release())
    this.#closing = client.closing
  }

  /**
   * The key set to use without a wait, if there is one: a fresh one, or the kept one while Keycloak is known to be away.
   * @param now milliseconds of the monotonic clock
   */
  usableSet (now: number): KeySet | undefined {
    return this.#fetcher.usableSet(now)
  }

  /** The key set fetched last, however old; `undefined` before the first. */
  get latest (): KeySet | undefined {
    return this.#fetcher.newest?.set
  }

  /** Can tokens of known keys be verified now? */
  get usable (): boolean {
    return this.#fetcher.isUsable
  }

  health (): Health['keys'] {
    return this.#fetcher.health()
  }

  /**
   * Would a later look-up be refused as well? So it is if the key set is newer than a moment of the monotonic clock, or if
   * it has a key of that kid, for another algorithm.
   */
  isFinal (kid: string | undefined, alg: string, moment: number): boolean {
    const { newest } = this.#fetcher
    return newest !== undefined && (newest.requestedAt >= moment || newest.set.has(kid, alg))
  }

  /**
   * Fetch the key set before the first request needs it.
   * @throws {KeycloakError} keycloak_unavailable; further tries follow by themselves
   */
  async preload (): Promise<void> {
    await this.#fetcher.fetch()
  }

  /**
   * The algorithms that the realm's keys can sign by; the key set is fetched if there is no fresh one.
   * @throws {KeycloakError} keycloak_unavailable
   */
  async algorithms (): Promise<ReadonlySet<string>> {
    return (await this.#fetcher.current()).set.algorithms
  }

  /**
   * The key of a token's header, if the key set in use has it. For an unknown kid no newer set is fetched.
   * @throws {KeycloakError} keycloak_unavailable
   */
  async resolve (kid: string | undefined, alg: string): Promise<Key | undefined> {
    return (await this.#fetcher.current(kid)).set.resolve(kid, alg)
  }

  /**
   * The key of a token's header.
   * @throws {KeycloakError} token_not_valid if a fresh key set has no such key, keycloak_unavailable
   */
  async lookup (kid: string | undefined, alg: string): Promise<Key> {
    const now = monotonicMilliseconds()
    return this.usableSet(now)?.verifier(kid, alg) ?? this.#lookup(kid, alg, now)
  }

  /** No more fetches of its own accord. */
  close (): void {
    this.#fetcher.close()
    this.#cooldown.release()
  }

  async #lookup (kid: string | undefined, alg: string, startedAt: number): Promise<Key> {
    const joined = this.#fetcher.underWay !== undefined
    let fetched: FetchedKeySet | undefined = await this.#fetcher.current(kid)
    for (;;) {
      const key = await fetched.set.resolve(kid, alg)
      if (key !== undefined) return key
      // Keycloak was asked since this look-up began, so no response can be newer; or the key is for another algorithm.
      const isNew = fetched.requestedAt >= startedAt
      if (isNew && fetched.set.resembles(kid)) this.#cooldown.refuse(kid, monotonicMilliseconds())
      if (isNew || fetched.set.has(kid, alg)) throw notValid('kid_unknown')
      fetched = await this.#newer(fetched.set, kid, alg, joined)
      if (fetched === undefined) throw notValid('kid_on_cooldown')
    }
  }

  /** A newer key set for a kid that the current one lacks, if one may be asked for soon. */
  async #newer (set: KeySet, kid: string | undefined, alg: string, joined: boolean): Promise<FetchedKeySet | undefined> {
    const { underWay } = this.#fetcher
    if (underWay !== undefined) return this.#fetcher.join(underWay, kid)
    // A set that was kept through an outage: its own keys need not wait for Keycloak, an unknown one must.
    if (!this.#fetcher.isFresh) return this.#refresh(kid, alg)
    const admitted = this.#cooldown.admit(kid, set.resembles(kid), joined, monotonicMilliseconds())
    if (admitted === true) return this.#refresh(kid, alg)
    if (admitted === false || await this.#closing.until(admitted) === false) return undefined
    return this.#fetcher.newest
  }

  /** A fetch for the sake of one key id. */
  async #refresh (kid: string | undefined, alg: string): Promise<FetchedKeySet> {
    const fetched = await this.#fetcher.fetch()
    this.#cooldown.count(fetched.requestedAt, fetched.set.has(kid, alg))
    return fetched
  }
}
