import type { Readable } from 'node:stream'
import type { Closing } from '../keycloak/closing.js'
import { Deadline } from '../util/deadline.js'
import { type KeycloakError, notValid } from '../errors.js'
import type { MemoryBudget, Reservation } from './memory-budget.js'
import { reasonFor } from '../reasons/reason.js'

/** Limit of a body, in bytes. A logout token has about 1,000; an admin push adds about 50 for each session that it names. */
export const MAX_BYTES = 64 * 1024

/** Limit in milliseconds for a whole body, however slowly it drips. */
const TIMEOUT = 5000

/** Bytes of memory that a body takes from its second chunk on. */
const SECOND_CHUNK_BYTES = 1024

const BODIES = Symbol('bodies')

/**
 * Read a body as text, one character for each byte. A body that is too long is read to its end and dropped, because a client that
 * still writes would not read the answer.
 * @throws {KeycloakError} token_not_valid; keycloak_unavailable when the budget has no room, or the API closes before the end
 */
export function readBody (body: Readable, budget: MemoryBudget, closing: Closing): Promise<string> {
  return new Promise((resolve, reject) => {
    const text = new BodyBuffer()
    const reservation: Reservation = { issuer: undefined, group: BODIES, bytes: 0, evict: fail }
    const deadline = new Deadline(TIMEOUT)
    deadline.onPassed(() => fail(notValid(reasonFor('push_body_slow', { milliseconds: TIMEOUT }))))
    closing.add(fail)
    budget.reserve(reservation)
    body.on('data', add)
    body.on('end', () => {
      if (text.isTooLong) return fail(notValid(reasonFor('push_body_too_long', { bytes: MAX_BYTES })))
      release()
      resolve(text.toString())
    })
    body.on('error', () => fail(notValid('push_body_cut')))
    body.on('close', () => { if (!body.readableEnded) fail(notValid('push_body_cut')) })

    function add (chunk: Buffer): void {
      text.add(chunk)
      budget.resize(reservation, text.memory)
    }
    function release (): void {
      deadline.clear()
      budget.release(reservation)
      closing.delete(fail)
    }
    function fail (error: KeycloakError): void {
      release()
      // Node throws the rest away when nobody listens for it.
      body.off('data', add)
      text.drop()
      reject(error)
    }
  })
}

/** A body so far, in one piece: a body that comes byte by byte would else be an object of some hundred bytes for each byte. */
class BodyBuffer {
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0

  /** Bytes of memory in use. A chunk may be a slice of a larger buffer, which it keeps in memory. */
  get memory (): number {
    return this.#bytes.buffer.byteLength
  }

  get isTooLong (): boolean {
    return this.#length > MAX_BYTES
  }

  add (chunk: Buffer): void {
    const offset = this.#length
    this.#length += chunk.length
    if (this.isTooLong) this.drop()
    // Most bodies are one chunk, which needs no copy.
    else if (offset === 0) this.#bytes = chunk
    else this.#append(chunk, offset)
  }

  drop (): void {
    this.#bytes = Buffer.alloc(0)
  }

  toString (): string {
    return this.#bytes.toString('latin1', 0, this.#length)
  }

  #append (chunk: Buffer, offset: number): void {
    if (this.#length > this.#bytes.length) {
      const bytes = Buffer.allocUnsafeSlow(Math.min(Math.max(SECOND_CHUNK_BYTES, 2 * this.#length), MAX_BYTES))
      this.#bytes.copy(bytes)
      this.#bytes = bytes
    }
    chunk.copy(this.#bytes, offset)
  }
}
