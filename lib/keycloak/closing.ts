import type { ServerHttp2Stream } from 'node:http2'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { unavailable, type UnavailableError } from '../errors.js'

/** Milliseconds that a wait has left when the API closes, so that its request can be answered. */
const GRACE = 500

/** Ends a wait. */
type End = (error: UnavailableError) => void

/** The close of the API, and all waits that have to end then. */
export class Closing {
  readonly #ends = new Set<End>()
  #timer: NodeJS.Timeout | undefined
  #begun = false
  #over = false

  /** Is the API closing, or closed? */
  get begun (): boolean {
    return this.#begun
  }

  /** Have all waits ended for good? */
  get over (): boolean {
    return this.#over
  }

  /** The API closes: each wait has a moment left, and so has a wait that begins while others hold up the close. */
  begin (): void {
    this.#begun = true
    this.#endSoon()
  }

  /** Each wait ends at once, and no other begins. */
  finish (): void {
    this.#begun = this.#over = true
    this.#endAll()
  }

  /** A wait begins, which this function ends. The caller deletes it when the wait is over. */
  add (end: End): void {
    this.#ends.add(end)
    if (this.#begun) this.#endSoon()
  }

  delete (end: End): void {
    this.#ends.delete(end)
  }

  /** Is that wait still under way? */
  has (end: End): boolean {
    return this.#ends.has(end)
  }

  /**
   * A promise, or a rejection when the API closes; the promise itself goes on.
   * @throws {KeycloakError} keycloak_unavailable
   */
  async until<T> (promise: Promise<T>): Promise<T> {
    let end!: End
    const closed = new Promise<never>((_resolve, reject) => { end = reject })
    this.add(end)
    if (this.#over) this.#endAll()
    try {
      return await Promise.race([promise, closed])
    } finally {
      this.delete(end)
    }
  }

  /** A connection that is kept alive after a wait would hold up a server that closes meanwhile. */
  closeIfShuttingDown ({ raw }: FastifyRequest, reply: FastifyReply): void {
    if (!this.#begun) return
    if (raw.httpVersionMajor === 1) reply.header('connection', 'close')
    // HTTP/2 forbids that header (RFC 9113 section 8.2.2) and has a frame for it, which lets open streams finish.
    if (raw.httpVersionMajor === 2) (raw as unknown as { stream: ServerHttp2Stream }).stream.session?.close()
  }

  #endSoon (): void {
    this.#timer ??= setTimeout(() => this.#endAll(), GRACE)
  }

  #endAll (): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const end of this.#ends) end(unavailable('api_closing', 'local'))
  }
}
