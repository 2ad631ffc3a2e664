import type { FastifyBaseLogger } from 'fastify'

/** So many warnings in so many milliseconds; what is more is counted. */
const LIMIT = { warnings: 10, within: 10_000 }

/** Warnings that somebody else can cause at will must not flood the log. */
export class Warnings {
  readonly #log: FastifyBaseLogger
  #since = -Infinity
  #written = 0
  #unwritten = 0

  constructor (log: FastifyBaseLogger) {
    this.#log = log
  }

  /** @param text a fixed sentence: nothing that a stranger sent */
  write (text: string): void {
    const now = performance.now()
    if (now - this.#since >= LIMIT.within) {
      this.#since = now
      this.#written = 0
    }
    if (this.#written === LIMIT.warnings) {
      this.#unwritten++
      return
    }
    this.#written++
    this.#log.warn(this.#unwritten > 0 ? { unwritten: this.#unwritten } : {}, text)
    this.#unwritten = 0
  }
}
