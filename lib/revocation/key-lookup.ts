import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import { type KeycloakError, notValid, unavailable } from '../errors.js'
import type { Header } from '../token/jws.js'
import type { Key } from '../keys/verification-key.js'
import type { KeySource } from '../keys/key-source.js'
import type { MemoryBudget, Reservation } from './memory-budget.js'
import { monotonicMilliseconds } from '../util/clock.js'

/** Milliseconds between two fetches of the key set for pushes; `jwks.cooldown` if that is less. */
const FETCH_INTERVAL = 500

/** Milliseconds after a fetch that failed. */
const RETRY_DELAY = 250

/** Milliseconds that a push may wait: Keycloak's tokens end after two minutes, a forged one has no end. */
const MAX_WAIT = 600_000

/** Lookups that are decided in one turn of the event loop: each may lead to the check of a signature. */
const BATCH = 32

/** A push whose key is not in the key set known last. */
interface PendingLookup extends Reservation {
  header: Header
  /** Milliseconds of the monotonic clock. */
  arrivedAt: number
  found: (key: Key | Promise<Key>) => void
}

/**
 * The keys of pushes. A key of the key set known last is there at once, however old the set is. All other lookups share one
 * fetch, after which each has its key or is refused: junk cannot stay. While Keycloak cannot be reached nobody can tell junk from
 * logouts, and all of it waits.
 */
export class KeyLookup {
  readonly #keys: KeySource
  readonly #budget: MemoryBudget
  readonly #fetchInterval: number
  readonly #lookups = new Set<PendingLookup>()
  #isRunning = false
  #isClosed = false
  #fetchedAt = -Infinity

  /** @param cooldown `jwks.cooldown`, in milliseconds */
  constructor (keys: KeySource, budget: MemoryBudget, cooldown: number) {
    this.#keys = keys
    this.#budget = budget
    this.#fetchInterval = Math.min(cooldown, FETCH_INTERVAL)
  }

  /**
   * The key that a push names, as soon as it is known.
   * @param bytes size of the push, which stays in memory meanwhile
   * @throws {KeycloakError} token_not_valid, keycloak_unavailable
   */
  async find (header: Header, bytes: number): Promise<Key> {
    const key = this.#knownKey(header)
    if (key !== undefined) return key
    if (this.#isClosed) throw apiCloses()
    const arrivedAt = monotonicMilliseconds()
    if (this.#keys.isFinal(header.kid, header.alg, arrivedAt)) throw unknownKey()
    return new Promise<Key>((resolve, reject) => {
      const lookup: PendingLookup = {
        group: header.kid,
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
      this.#budget.reserve(lookup)
      void this.#run()
    })
  }

  /** Refuse all lookups, because the API closes. */
  close (): void {
    this.#isClosed = true
    for (const lookup of this.#lookups) {
      this.#budget.release(lookup)
      lookup.evict(apiCloses())
    }
  }

  #knownKey ({ kid, alg }: Header): Key | Promise<Key> | undefined {
    const set = this.#keys.latest
    if (set?.fits(kid, alg) !== true) return undefined
    return set.verifier(kid, alg) ?? set.resolve(kid, alg) as Promise<Key>
  }

  async #run (): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    while (this.#lookups.size > 0) {
      await pause(Math.max(0, this.#fetchedAt + this.#fetchInterval - monotonicMilliseconds()), undefined, { ref: false })
      await this.#fetch()
      await this.#decideAll()
    }
    this.#isRunning = false
  }

  /** After a fetch that failed all lookups wait on. */
  async #fetch (): Promise<void> {
    this.#fetchedAt = monotonicMilliseconds()
    try {
      await this.#keys.preload()
    } catch {
      await pause(RETRY_DELAY, undefined, { ref: false })
    }
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
    else if (this.#keys.isFinal(header.kid, header.alg, arrivedAt)) evict(unknownKey())
    else if (monotonicMilliseconds() - arrivedAt >= MAX_WAIT) evict(unavailable('push_keys_late'))
    else return false
    this.#lookups.delete(lookup)
    this.#budget.release(lookup)
    return true
  }
}

function unknownKey (): KeycloakError {
  return notValid('kid_unknown')
}

function apiCloses (): KeycloakError {
  return unavailable('api_closing')
}
