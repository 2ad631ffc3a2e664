import type { Dispatcher } from 'undici'
import { unavailable, UnavailableError } from './errors.js'

/** What was answered. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

/** What an answer may be. */
export interface AnswerRules {
  /** In bytes. */
  maxBytes: number
  /** Answers of other statuses than 200 are answers too. */
  anyStatus?: boolean
}

type Handler = Pick<Required<Dispatcher.DispatchHandler>, 'onConnect' | 'onHeaders' | 'onData' | 'onComplete' | 'onError'>

/**
 * One request and its answer, as undici's handler of both. By hand, since the stream that `request()` makes of a body costs
 * as much as the call itself, and its signal more than that; by the handler's methods that `request()` uses as well, so that
 * whatever dispatcher is given knows them.
 *
 * It follows no redirect, believes no status but 200, takes no encoded body and reads no more than it was told to.
 */
export class Exchange implements Handler {
  readonly answer: Promise<Answer>
  readonly #rules: AnswerRules
  readonly #chunks: Buffer[] = []
  #resolve!: (answer: Answer) => void
  #reject!: (error: unknown) => void
  #abort: ((error?: Error) => void) | undefined
  #ended: UnavailableError | undefined
  #size = 0
  #status = 0
  #rawHeaders: Buffer[] = []

  constructor (rules: AnswerRules) {
    this.#rules = rules
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Whatever it is doing: it is over, and this is why. */
  end (error: UnavailableError): void {
    this.#ended = error
    this.#reject(error)
    this.#abort?.(error)
  }

  onConnect (abort: (error?: Error) => void): void {
    // It waited for a connection, and was ended meanwhile.
    if (this.#ended !== undefined) return abort(this.#ended)
    this.#abort = abort
  }

  onHeaders (status: number, rawHeaders: Buffer[]): boolean {
    // Informational answers come before the real one (RFC 9110 section 15.2).
    if (status < 200) return true
    if (status !== 200 && this.#rules.anyStatus !== true) {
      this.end(unavailable(`status ${status} instead of 200`, status >= 500 ? 'away' : 'answer', status))
      return false
    }
    // Counting encoded bytes would bound nothing: 48 kB of gzip can hold 50 MB.
    const encoding = headerOf(rawHeaders, 'content-encoding')
    if (encoding !== undefined && encoding !== 'identity') {
      this.end(unavailable('an encoded body, though identity was asked for'))
      return false
    }
    this.#status = status
    this.#rawHeaders = rawHeaders
    return true
  }

  onData (chunk: Buffer): boolean {
    this.#size += chunk.length
    if (this.#size > this.#rules.maxBytes) {
      this.end(unavailable(`a body of more than ${this.#rules.maxBytes} bytes`))
      return false
    }
    this.#chunks.push(chunk)
    return true
  }

  onComplete (): void {
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
    this.#resolve({ status: this.#status, headers: this.#rules.anyStatus === true ? headersOf(this.#rawHeaders) : {}, body: body.toString('utf8') })
  }

  onError (error: unknown): void {
    this.#reject(error)
  }
}

/** Names and values in turn. */
function headerOf (rawHeaders: readonly Buffer[], name: string): string | undefined {
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]!.length === name.length && rawHeaders[at]!.toString('latin1').toLowerCase() === name) return rawHeaders[at + 1]!.toString('latin1')
  }
  return undefined
}

function headersOf (rawHeaders: readonly Buffer[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let at = 0; at < rawHeaders.length; at += 2) headers[rawHeaders[at]!.toString('latin1').toLowerCase()] = rawHeaders[at + 1]!.toString('latin1')
  return headers
}
