import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const BOUNDARY = 'a-boundary'

export interface UploadHead {
  port: number
  url?: string
  token?: string
  /** Bytes of the file that the request announces. */
  size: number
  /** Ask before the body is sent. */
  expect?: boolean
}

/** A client that sends when it is told to, and tells what it got meanwhile: what no HTTP client lets one see. */
export class RawUpload {
  received = ''
  readonly #socket: Socket
  readonly closed: Promise<unknown>

  constructor ({ port, url = '/files', token, size, expect = false }: UploadHead) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.setEncoding('latin1').on('data', (text) => { this.received += text })
    this.#socket.on('error', () => {}) // A reset is one way of being closed.
    this.closed = new Promise((resolve) => this.#socket.once('close', resolve))
    const length = opening.length + size + ending.length
    this.#socket.write([
      `POST ${url} HTTP/1.1`, 'Host: localhost', `Content-Type: multipart/form-data; boundary=${BOUNDARY}`, `Content-Length: ${length}`,
      ...token === undefined ? [] : [`Authorization: Bearer ${token}`], ...expect ? ['Expect: 100-continue'] : [], '', ''
    ].join('\r\n'))
  }

  /** The first line of the answer, once it is there. */
  async status (): Promise<string> {
    while (!this.received.includes('\r\n') && !this.#socket.closed) await Promise.race([once(this.#socket, 'data'), this.closed])
    return this.received.split('\r\n', 1)[0]
  }

  open (): void {
    this.#socket.write(opening)
  }

  send (bytes: number): void {
    this.#socket.write(Buffer.alloc(bytes))
  }

  /** @returns the whole answer; the file must have been sent as long as announced */
  async finish (): Promise<string> {
    this.#socket.write(ending)
    while (!this.received.includes('}')) await once(this.#socket, 'data')
    this.#socket.destroy()
    return this.received
  }

  abort (): void {
    this.#socket.destroy()
  }
}

const opening = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="zeros"\r\n\r\n`
const ending = `\r\n--${BOUNDARY}--\r\n`
