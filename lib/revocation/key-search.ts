import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import { type KeycloakError, notValid, unavailable } from '../errors.js'
import type { Header } from '../token/jws.js'
import type { Key } from '../keys/key-set.js'
import type { Keys } from '../keys/key-source.js'
import type { Place, WaitingRoom } from './waiting-room.js'
import { monotonicMilliseconds } from '../util/clock.js'

/** Milliseconds between two fetches of the key set for calls; `jwks.cooldown` where that is less. */
const FETCH_AGAIN = 500

/** Milliseconds after a fetch that failed. */
const TRY_AGAIN = 250

/** Milliseconds that a call waits at the most: Keycloak's are void after two minutes, a forger's never. */
const MAX_WAIT = 600_000

/** How many calls are decided before others have their turn: each may cost the check of a signature. */
const AT_ONCE = 32

/** A call that names a key which nobody has seen yet. */
interface Search extends Place {
  header: Header
  /** On the monotonic clock. */
  arrivedAt: number
  found: (key: Key | Promise<Key>) => void
}

/**
 * The keys of calls. A call whose key is in the key set known last need not wait, however old that is; what other calls
 * need is one fetch for all of them. After it each has its key or is refused, so that no junk stays. While Keycloak is
 * away nobody can tell junk from logouts, and all of it waits.
 */
export class KeySearch {
  readonly #keys: Keys
  readonly #room: WaitingRoom
  readonly #fetchAgain: number
  readonly #searches = new Set<Search>()
  #running = false
  #closed = false
  #fetchedAt = -Infinity

  /** @param cooldown `jwks.cooldown`, in milliseconds */
  constructor (keys: Keys, room: WaitingRoom, cooldown: number) {
    this.#keys = keys
    this.#room = room
    this.#fetchAgain = Math.min(cooldown, FETCH_AGAIN)
  }

  /**
   * The key that a call names, as soon as it can be had.
   * @param bytes of the call, which waits meanwhile
   * @throws {KeycloakError} token_not_valid, keycloak_unavailable
   */
  async find (header: Header, bytes: number): Promise<Key> {
    const key = this.#known(header)
    if (key !== undefined) return key
    if (this.#closed) throw closes()
    const arrivedAt = monotonicMilliseconds()
    if (this.#keys.isFinal(header.kid, header.alg, arrivedAt)) throw unknownKey()
    return new Promise<Key>((resolve, reject) => {
      const search: Search = {
        group: header.kid,
        bytes,
        header,
        arrivedAt,
        found: resolve,
        drop: (error) => {
          this.#searches.delete(search)
          reject(error)
        }
      }
      this.#searches.add(search)
      this.#room.enter(search)
      void this.#run()
    })
  }

  /** The API closes: nobody waits any longer. */
  close (): void {
    this.#closed = true
    for (const search of this.#searches) {
      this.#room.leave(search)
      search.drop(closes())
    }
  }

  #known ({ kid, alg }: Header): Key | Promise<Key> | undefined {
    const set = this.#keys.latest
    if (set?.fits(kid, alg) !== true) return undefined
    return set.verifier(kid, alg) ?? set.resolve(kid, alg) as Promise<Key>
  }

  async #run (): Promise<void> {
    if (this.#running) return
    this.#running = true
    while (this.#searches.size > 0) {
      await pause(Math.max(0, this.#fetchedAt + this.#fetchAgain - monotonicMilliseconds()), undefined, { ref: false })
      await this.#fetch()
      await this.#decide()
    }
    this.#running = false
  }

  /** A fetch that fails leaves all as it is. */
  async #fetch (): Promise<void> {
    this.#fetchedAt = monotonicMilliseconds()
    try {
      await this.#keys.preload()
    } catch {
      await pause(TRY_AGAIN, undefined, { ref: false })
    }
  }

  async #decide (): Promise<void> {
    let decided = 0
    for (const search of [...this.#searches]) {
      if (!this.#decideOne(search)) continue
      decided++
      if (decided % AT_ONCE === 0) await turn()
    }
  }

  /** @returns false where nobody can tell yet, or somebody has told meanwhile */
  #decideOne (search: Search): boolean {
    const { header, arrivedAt, found, drop } = search
    if (!this.#searches.has(search)) return false
    const key = this.#known(header)
    if (key !== undefined) found(key)
    else if (this.#keys.isFinal(header.kid, header.alg, arrivedAt)) drop(unknownKey())
    else if (monotonicMilliseconds() - arrivedAt >= MAX_WAIT) drop(unavailable('the keys could not be had in time'))
    else return false
    this.#searches.delete(search)
    this.#room.leave(search)
    return true
  }
}

function unknownKey (): KeycloakError {
  return notValid('no key of the realm fits kid and alg')
}

function closes (): KeycloakError {
  return unavailable('the API closes')
}
