/** Lets a number of tasks run at once; further ones wait for their turn, first come, first served. */
export class TaskLimit {
  #free: number
  readonly #waiting: Array<() => void> = []

  constructor (atOnce: number) {
    this.#free = atOnce
  }

  /** Run a task when it is its turn: it resolves or throws as it would have. */
  async run<T> (task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => { this.#waiting.push(resolve) })
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}
