/** A place in a list, by which it is left. */
export interface Place<T> {
  readonly value: T
  before: Place<T> | undefined
  after: Place<T> | undefined
}

/** Values in the order in which they were added, each of which can be taken out at any time, at the same small cost. */
export class LinkedList<T> {
  #first: Place<T> | undefined
  #last: Place<T> | undefined
  #size = 0

  get size (): number {
    return this.#size
  }

  get first (): T | undefined {
    return this.#first?.value
  }

  get last (): T | undefined {
    return this.#last?.value
  }

  /** At its end. */
  add (value: T): Place<T> {
    const place: Place<T> = { value, before: this.#last, after: undefined }
    if (this.#last === undefined) this.#first = place
    else this.#last.after = place
    this.#last = place
    this.#size++
    return place
  }

  /** @param place one of this list, once */
  remove ({ before, after }: Place<T>): void {
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    this.#size--
  }

  /** The first that fits, of those from the front. */
  find (fits: (value: T) => boolean): T | undefined {
    let place = this.#first
    while (place !== undefined && !fits(place.value)) place = place.after
    return place?.value
  }
}
