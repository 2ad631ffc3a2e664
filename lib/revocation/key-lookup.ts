import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import { type KeycloakError, notValid, unavailable } from '../errors.js'
import type { Closing } from '../keycloak/closing.js'
import type { Header } from '../token/jws.js'
import type { Key } from '../keys/verification-key.js'
import type { KeySource } from '../keys/key-source.js'
import type { Group, MemoryBudget, Reservation } from './memory-budget.js'
import { isRefusal, MAX_WAIT } from './push.js'
import { monotonicMilliseconds } from '../util/clock.js'

/** Milliseconds between two fetches of the key set for pushes; `jwks.cooldown` if that is less. */
const FETCH_INTERVAL = 500

/** Milliseconds after a fetch that failed. */
const RETRY_DELAY = 250

/** The longest time in milliseconds until a realm is made again which was dropped while pushes waited for its keys. */
const MAX_REALM_INTERVAL = 30_000

/** Lookups that are decided in one turn of the event loop: each may lead to the check of a signature. */
const BATCH = 32

/** The keys of a realm, as far as pushes need them. */
export interface RealmKeys {
  source: KeySource
  /** `jwks.cooldown`, in milliseconds. */
  cooldown: number
}

export interface KeyLookupOptions {
  budget: MemoryBudget
  closing: Closing
  /** The issuer, if there are several. */
  issuer: string | undefined
  /**
   * Has a realm made for the issuer, which gives its keys to `use`.
   * @throws {KeycloakError} token_not_valid if the issuer is unknown, keycloak_unavailable
   */
  needRealm: () => Promise<void>
}

/** A push whose key is not in the key set known last. */
interface PendingLookup extends Reservation {
  header: Header
  /** Milliseconds of the monotonic clock. */
  arrivedAt: number
  found: (key: Key | Promise<Key>) => void
}

/**
 * The keys of the pushes of one issuer. A key of the key set known last is there at once, however old the set is. All other lookups
 * share one fetch, after which each has its key or is refused: junk cannot stay. While Keycloak cannot be reached nobody can tell
 * junk from logouts, and all of it waits. It waits on when the realm is dropped meanwhile, for the keys of the next one.
 */
export class KeyLookup {
  readonly #options: KeyLookupOptions
  readonly #lookups = new Set<PendingLookup>()
  #keys: RealmKeys | undefined
  #isRunning = false
  /** Realms that were made for the pushes that wait. */
  #realms = 0
  #fetchedAt = -Infinity

  constructor (options: KeyLookupOptions) {
    this.#options = options
  }

  /** From now on the keys are those of this realm. */
  use (keys: RealmKeys): void {
    this.#keys = keys
  }

  /** The realm of these keys has ended. */
  drop (keys: RealmKeys): void {
    if (this.#keys === keys) this.#keys = undefined
  }

  /**
   * The key that a push names, as soon as it is known.
   * @param bytes size of the push, which stays in memory meanwhile
   * @throws {KeycloakError} token_not_valid, keycloak_unavailable
   */
  async find (header: Header, bytes: number): Promise<Key> {
    const key = this.#knownKey(header)
    if (key !== undefined) return key
    if (this.#options.closing.begun) throw unavailable('api_closing')
    const arrivedAt = monotonicMilliseconds()
    if (this.#isFinal(header, arrivedAt)) throw unknownKey()
    return new Promise<Key>((resolve, reject) => {
      const lookup: PendingLookup = {
        issuer: this.#options.issuer,
        group: this.#groupOf(header),
        bytes,
        header,
        arrivedAt,
        found: resolve,
        evict: (error) => {
          this.#lookups.delete(lookup)
          reject(error)
        }
      }
      this.#lookups.add(lookup)
      this.#options.budget.reserve(lookup)
      void this.#run()
    })
  }

  /** Refuse all lookups, because the API closes. */
  close (): void {
    this.#refuseAll(unavailable('api_closing'))
  }

  #knownKey ({ kid, alg }: Header): Key | Promise<Key> | undefined {
    const set = this.#keys?.source.latest
    if (set?.fits(kid, alg) !== true) return undefined
    return set.verifier(kid, alg) ?? set.resolve(kid, alg) as Promise<Key>
  }

  #isFinal ({ kid, alg }: Header, arrivedAt: number): boolean {
    return this.#keys?.source.isFinal(kid, alg, arrivedAt) === true
  }

  async #run (): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    while (this.#lookups.size > 0) {
      await pause(Math.max(0, this.#fetchedAt + this.#interval - monotonicMilliseconds()), undefined, { ref: false })
      await this.#fetch()
      await this.#decideAll()
    }
    this.#isRunning = false
    this.#realms = 0
  }

  /** Milliseconds. Realms that are dropped again and again, because there are too many, are made at growing intervals. */
  get #interval (): number {
    if (this.#keys !== undefined) return Math.min(this.#keys.cooldown, FETCH_INTERVAL)
    return Math.min(FETCH_INTERVAL * 2 ** this.#realms, MAX_REALM_INTERVAL)
  }

  /** After a fetch that failed all lookups wait on. */
  async #fetch (): Promise<void> {
    this.#fetchedAt = monotonicMilliseconds()
    try {
      if (this.#keys === undefined) {
        this.#realms++
        await this.#options.needRealm()
      }
      await this.#keys?.source.preload()
    } catch (error) {
      if (isRefusal(error)) this.#refuseAll(error)
      else await pause(RETRY_DELAY, undefined, { ref: false })
    }
  }

  #refuseAll (error: KeycloakError): void {
    for (const lookup of this.#lookups) {
      this.#options.budget.release(lookup)
      lookup.evict(error)
    }
  }

  /** The kids of two issuers may be equal. An issuer has no line break. */
  #groupOf ({ kid }: Header): Group {
    const { issuer } = this.#options
    return issuer === undefined ? kid : `${issuer}\n${kid}`
  }

  async #decideAll (): Promise<void> {
    let decided = 0
    for (const lookup of [...this.#lookups]) {
      if (!this.#decide(lookup)) continue
      decided++
      if (decided % BATCH === 0) await turn()
    }
  }

  /** @returns false when the lookup cannot be decided yet, or was decided meanwhile */
  #decide (lookup: PendingLookup): boolean {
    const { header, arrivedAt, found, evict } = lookup
    if (!this.#lookups.has(lookup)) return false
    const key = this.#knownKey(header)
    if (key !== undefined) found(key)
    else if (this.#isFinal(header, arrivedAt)) evict(unknownKey())
    else if (monotonicMilliseconds() - arrivedAt >= MAX_WAIT) evict(unavailable('push_keys_late'))
    else return false
    this.#lookups.delete(lookup)
    this.#options.budget.release(lookup)
    return true
  }
}

function unknownKey (): KeycloakError {
  return notValid('kid_unknown')
}
