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
  group: Group
  bytes: number
  /** Called when the reservation has to make room. */
  evict: (error: KeycloakError) => void
}

/**
 * The memory of callers whose signature is not checked yet, over all routes: bodies that are being read, and pushes whose key is
 * not known. Bytes and number are bounded. When the budget is exceeded, groups above their share are evicted first, and then the
 * rest; the oldest reservation comes first in both.
 */
export class MemoryBudget {
  /** The oldest first. */
  readonly #reservations = new Set<Reservation>()
  /** Bytes of each group. */
  readonly #groups = new Map<Group, number>()
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
    const group = groupOf(reservation)
    const change = sign * Math.max(MIN_RESERVATION, reservation.bytes)
    const bytes = (this.#groups.get(group) ?? 0) + change
    if (bytes === 0) this.#groups.delete(group)
    else this.#groups.set(group, bytes)
    this.#bytes += change
  }
}

function groupOf ({ group, bytes }: Reservation): Group {
  return bytes > LARGE ? LARGE_ONES : group
}
