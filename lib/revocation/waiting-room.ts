import { type KeycloakError, unavailable } from '../errors.js'

/** Bytes of all that waits together. */
const MOST = 16 * 1024 * 1024

/** Bytes that each one counts as at least, so that their number is bounded as well: by 10,000. */
const LEAST = 1600

/** Bytes from which on one is large. A logout token has about 1,000; only a push that names many sessions has more. */
const LARGE = 8 * 1024

/** Bytes of one group, from which on it has more than its share, and is the first to make room. */
const SHARE = MOST / 4

/** Bytes that are left where room was made: somewhat less than all, so that it is not made for each newcomer. */
const LEFT = MOST - MOST / 64

const LARGE_ONES = Symbol('large ones')

/** What a place belongs to: a `kid` that many may name, or a kind of its own. */
export type Group = string | symbol | undefined

/** Something of a stranger's that takes memory while it waits. */
export interface Place {
  group: Group
  bytes: number
  /** Whoever waits there is told why it waits no longer. */
  drop: (error: KeycloakError) => void
}

/**
 * Everything that waits on behalf of callers whom nobody has vouched for yet, over all routes: bodies that are being read,
 * calls whose key is not known. Their bytes and their number are bounded; where there is no room, groups with more than
 * their share make it first, their oldest first, and then the oldest of all.
 */
export class WaitingRoom {
  /** The oldest first. */
  readonly #places = new Set<Place>()
  /** What each group weighs. */
  readonly #groups = new Map<Group, number>()
  #weight = 0

  enter (place: Place): void {
    this.#places.add(place)
    this.#count(place, 1)
    this.#makeRoom()
  }

  /** A place that was left or dropped may be left once more. */
  leave (place: Place): void {
    if (this.#places.delete(place)) this.#count(place, -1)
  }

  /** A place that was not left takes so many bytes from now on. */
  resize (place: Place, bytes: number): void {
    this.#count(place, -1)
    place.bytes = bytes
    this.#count(place, 1)
    this.#makeRoom()
  }

  #makeRoom (): void {
    if (this.#weight <= MOST) return
    this.#drop((place) => this.#groups.get(groupOf(place))! > SHARE)
    this.#drop(() => true)
  }

  /** Drop those that `first` names, the oldest first, until there is room. */
  #drop (first: (place: Place) => boolean): void {
    for (const place of this.#places) {
      if (this.#weight <= LEFT) return
      if (!first(place)) continue
      this.leave(place)
      place.drop(unavailable('more calls wait than there is room for'))
    }
  }

  #count (place: Place, sign: 1 | -1): void {
    const group = groupOf(place)
    const weight = sign * Math.max(LEAST, place.bytes)
    const others = (this.#groups.get(group) ?? 0) + weight
    if (others === 0) this.#groups.delete(group)
    else this.#groups.set(group, others)
    this.#weight += weight
  }
}

function groupOf ({ group, bytes }: Place): Group {
  return bytes > LARGE ? LARGE_ONES : group
}
