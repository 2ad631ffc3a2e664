import { type KeycloakError, unavailable } from '../errors.js'

/** Limit of all reservations together, in bytes. */
const MAX_BYTES = 16 * 1024 * 1024

/** Bytes that a reservation counts as at least. So the number of reservations is bounded too: by 10,000. */
const MIN_RESERVATION = 1600

/** Reservations of more bytes form a group of their own. A logout token has about 1,000; only a push of many sessions has more. */
const LARGE = 8 * 1024

/** Share of one group, in bytes. Groups above it are the first to be evicted. */
const GROUP_SHARE = MAX_BYTES / 4

/** Bytes that are left after an eviction: somewhat less than the limit, so that not each newcomer evicts. */
const BYTES_AFTER_EVICTION = MAX_BYTES - MAX_BYTES / 64

const LARGE_ONES = Symbol('large ones')

/** The group of a reservation: a `kid`, which many pushes may name, or a kind of its own. */
export type Group = string | symbol | undefined

/** Memory of one caller who has not proven who they are. */
export interface Reservation {
  /** The issuer that the caller names, if there are several and it is known. */
  issuer?: string | undefined
  group: Group
  bytes: number
  /** Called when the reservation has to make room. */
  evict: (error: KeycloakError) => void
}

/**
 * The memory of callers whose signature is not checked yet, over all routes: bodies that are being read, and pushes whose key is
 * not known. Bytes and number are bounded. When the budget is exceeded, groups above their share are evicted first, then issuers above
 * theirs, and then the rest; the oldest reservation comes first each time.
 */
export class MemoryBudget {
  /** The oldest first. */
  readonly #reservations = new Set<Reservation>()
  /** Bytes of each group. */
  readonly #groups = new Map<Group, number>()
  /** Bytes of each issuer. */
  readonly #issuers = new Map<string | undefined, number>()
  #bytes = 0

  reserve (reservation: Reservation): void {
    this.#reservations.add(reservation)
    this.#count(reservation, 1)
    this.#makeRoom()
  }

  /** A reservation that was released or evicted may be released again. */
  release (reservation: Reservation): void {
    if (this.#reservations.delete(reservation)) this.#count(reservation, -1)
  }

  /** @param reservation one that was neither released nor evicted */
  resize (reservation: Reservation, bytes: number): void {
    this.#count(reservation, -1)
    reservation.bytes = bytes
    this.#count(reservation, 1)
    this.#makeRoom()
  }

  #makeRoom (): void {
    if (this.#bytes <= MAX_BYTES) return
    this.#evict((reservation) => this.#groups.get(groupOf(reservation))! > GROUP_SHARE)
    this.#evict(({ issuer }) => this.#issuers.get(issuer)! > MAX_BYTES / this.#issuers.size)
    this.#evict(() => true)
  }

  /** Evict reservations that fit, the oldest first, until there is room. */
  #evict (fits: (reservation: Reservation) => boolean): void {
    for (const reservation of this.#reservations) {
      if (this.#bytes <= BYTES_AFTER_EVICTION) return
      if (!fits(reservation)) continue
      this.release(reservation)
      reservation.evict(unavailable('push_room_full'))
    }
  }

  #count (reservation: Reservation, sign: 1 | -1): void {
    const change = sign * Math.max(MIN_RESERVATION, reservation.bytes)
    add(this.#groups, groupOf(reservation), change)
    add(this.#issuers, reservation.issuer, change)
    this.#bytes += change
  }
}

function add<Key> (sums: Map<Key, number>, key: Key, change: number): void {
  const bytes = (sums.get(key) ?? 0) + change
  if (bytes === 0) sums.delete(key)
  else sums.set(key, bytes)
}

function groupOf ({ group, bytes }: Reservation): Group {
  return bytes > LARGE ? LARGE_ONES : group
}
