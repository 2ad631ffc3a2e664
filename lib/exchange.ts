import type { Dispatcher } from 'undici'
import { unavailable, UnavailableError } from './errors.js'
import { withoutPrototype } from './members.js'

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

type Handler = Dispatcher.DispatchHandler
type Controller = Dispatcher.DispatchController
type Headers = Parameters<NonNullable<Handler['onResponseStart']>>[2]

/**
 * One request and its answer, as undici's handler of both. By hand, since the stream that `request()` makes of a body costs
 * as much as the call itself, and its signal more than that. Its methods are those that undici 7 and 8 have in common.
 *
 * It follows no redirect, believes no status but 200, takes no encoded body and reads no more than it was told to.
 */
export class Exchange implements Handler {
  readonly answer: Promise<Answer>
  readonly #rules: AnswerRules
  readonly #chunks: Buffer[] = []
  #resolve!: (answer: Answer) => void
  #reject!: (error: unknown) => void
  #controller: Controller | undefined
  #ended: UnavailableError | undefined
  #size = 0
  #status = 0
  #headers: Headers | undefined

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
    this.#controller?.abort(error)
  }

  onRequestStart (controller: Controller): void {
    // It waited for a connection, and was ended meanwhile.
    if (this.#ended !== undefined) return controller.abort(this.#ended)
    this.#controller = controller
  }

  onResponseStart (_controller: Controller, status: number, headers: Headers): void {
    // Informational answers come before the real one (RFC 9110 section 15.2).
    if (status < 200) return
    if (status !== 200 && this.#rules.anyStatus !== true) {
      return this.end(unavailable(`status ${status} instead of 200`, status >= 500 ? 'away' : 'answer', status))
    }
    // Counting encoded bytes would bound nothing: 48 kB of gzip can hold 50 MB.
    const encoding = headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') return this.end(unavailable('an encoded body, though identity was asked for'))
    this.#status = status
    this.#headers = headers
  }

  onResponseData (_controller: Controller, chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#size > this.#rules.maxBytes) return this.end(unavailable(`a body of more than ${this.#rules.maxBytes} bytes`))
    this.#chunks.push(chunk)
  }

  onResponseEnd (): void {
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
    this.#resolve({ status: this.#status, headers: this.#rules.anyStatus === true ? single(this.#headers!) : {}, body: body.toString('utf8') })
  }

  onResponseError (_controller: unknown, error: unknown): void {
    this.#reject(error)
  }
}

/** Of a header that came several times, the last. */
function single (headers: Headers): Record<string, string> {
  return withoutPrototype(Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().at(-1)!])))
}
