import type { Readable } from 'node:stream'
import type { Closing } from '../keycloak/closing.js'
import { Deadline } from '../util/deadline.js'
import { type KeycloakError, notValid } from '../errors.js'
import type { Place, WaitingRoom } from './waiting-room.js'

/** Bytes. A logout token has about 1,000; a push that names a session by its UUID, another 50 for each of them. */
export const MAX_BYTES = 64 * 1024

/** Milliseconds for a whole body, slow drips included. */
const TIMEOUT = 5000

/** Bytes of memory that a body takes from its second chunk on. */
const FIRST = 1024

const BODIES = Symbol('bodies')

/**
 * Read a body as text, a character for each byte. One that is too long is read to its end all the same, and dropped: an
 * answer to a client that still writes would be lost on it.
 * @throws {KeycloakError} token_not_valid; keycloak_unavailable when there is no room for it, or the API closes before its end
 */
export function readBody (body: Readable, room: WaitingRoom, closing: Closing): Promise<string> {
  return new Promise((resolve, reject) => {
    const text = new Text()
    const place: Place = { group: BODIES, bytes: 0, drop: fail }
    const deadline = new Deadline(TIMEOUT)
    deadline.onPassed(() => fail(notValid(`the body took more than ${TIMEOUT} ms`)))
    closing.add(fail)
    room.enter(place)
    body.on('data', add)
    body.on('end', () => {
      if (text.isTooLong) return fail(notValid(`the body has more than ${MAX_BYTES} bytes`))
      leave()
      resolve(text.toString())
    })
    body.on('error', () => fail(notValid('the body was cut off')))
    body.on('close', () => { if (!body.readableEnded) fail(notValid('the body was cut off')) })

    function add (chunk: Buffer): void {
      text.add(chunk)
      room.resize(place, text.memory)
    }
    function leave (): void {
      deadline.clear()
      room.leave(place)
      closing.delete(fail)
    }
    function fail (error: KeycloakError): void {
      leave()
      // Without anybody who listens the rest is thrown away.
      body.off('data', add)
      text.drop()
      reject(error)
    }
  })
}

/** What has come of a body, in one piece: one that comes byte by byte would else make an object of some hundred bytes of each. */
class Text {
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0

  /** How many bytes of memory it takes: a chunk may be a part of something larger. */
  get memory (): number {
    return this.#bytes.buffer.byteLength
  }

  get isTooLong (): boolean {
    return this.#length > MAX_BYTES
  }

  add (chunk: Buffer): void {
    const from = this.#length
    this.#length += chunk.length
    if (this.isTooLong) this.drop()
    // Most come whole.
    else if (from === 0) this.#bytes = chunk
    else this.#append(chunk, from)
  }

  drop (): void {
    this.#bytes = Buffer.alloc(0)
  }

  toString (): string {
    return this.#bytes.toString('latin1', 0, this.#length)
  }

  #append (chunk: Buffer, from: number): void {
    if (this.#length > this.#bytes.length) {
      const bytes = Buffer.allocUnsafeSlow(Math.min(Math.max(FIRST, 2 * this.#length), MAX_BYTES))
      this.#bytes.copy(bytes)
      this.#bytes = bytes
    }
    chunk.copy(this.#bytes, from)
  }
}
