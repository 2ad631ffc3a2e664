import type { Dispatcher } from 'undici'
import { unavailable, UnavailableError } from '../errors.js'
import { refusedBy } from './refusals.js'
import { withoutPrototype } from '../util/members.js'
import { monotonicMilliseconds } from '../util/clock.js'
import { plainReason, type Reason, reasonFor } from '../reasons/reason.js'

/** A response of Keycloak. */
export interface Response {
  status: number
  headers: Record<string, string>
  body: string
}

/** The bounds of a response. */
export interface ResponseRules {
  /** In bytes. */
  maxBytes: number
  /** Answers of other statuses than 200 are answers too. */
  anyStatus?: boolean
  /** Is called when a connection has taken the request, which may happen again over another one. */
  onSent?: () => void
}

/** Keycloak's reasons to refuse take a hundred bytes; what is longer is not Keycloak's. */
const MAX_REFUSAL = 4096

type Handler = Dispatcher.DispatchHandler
type Controller = Dispatcher.DispatchController
type Headers = Parameters<NonNullable<Handler['onResponseStart']>>[2]

/**
 * One request and its answer, as undici's handler of both. By hand, because the stream that `request()` makes of a body costs
 * as much as the call itself, and its signal more than that. Its methods are those that undici 7 and 8 have in common.
 *
 * It follows no redirect, believes no status but 200, takes no encoded body and reads no more than it was told to.
 */
export class ResponseHandler implements Handler {
  readonly response: Promise<Response>
  /** The moment at which the request got a connection, in milliseconds of the monotonic clock. */
  writtenAt: number | undefined
  readonly #rules: ResponseRules
  readonly #chunks: Buffer[] = []
  #resolve!: (response: Response) => void
  #reject!: (error: unknown) => void
  #controller: Controller | undefined
  #ended: UnavailableError | undefined
  #size = 0
  #maxBytes: number
  #status = 0
  /** Is it read only to find out why Keycloak refuses? */
  #refused = false
  #headers: Headers | undefined

  constructor (rules: ResponseRules) {
    this.#rules = rules
    this.#maxBytes = rules.maxBytes
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** End the request with this error, in whatever state it is. */
  end (error: UnavailableError): void {
    this.#ended = error
    this.#reject(error)
    this.#controller?.abort(error)
  }

  onRequestStart (controller: Controller): void {
    // It waited for a connection, and was ended meanwhile.
    if (this.#ended !== undefined) return controller.abort(this.#ended)
    this.#controller = controller
    this.writtenAt = monotonicMilliseconds()
    this.#rules.onSent?.()
  }

  onResponseStart (_controller: Controller, status: number, headers: Headers): void {
    // Informational answers come before the real one (RFC 9110 section 15.2).
    if (status < 200) return
    this.#status = status
    if (status !== 200 && this.#rules.anyStatus !== true) {
      if (status < 400 || status >= 500) return this.end(refusedBy(status))
      this.#refused = true
      this.#maxBytes = MAX_REFUSAL
    }
    // Counting encoded bytes would bound nothing: 48 kB of gzip can hold 50 MB.
    const encoding = headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') return this.end(this.#unusable(plainReason('body_encoded')))
    this.#headers = headers
  }

  onResponseData (_controller: Controller, chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#size > this.#maxBytes) return this.end(this.#unusable(reasonFor('body_too_long', { bytes: this.#maxBytes })))
    this.#chunks.push(chunk)
  }

  onResponseEnd (): void {
    const bytes = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
    const body = bytes.toString('utf8')
    if (this.#refused) return this.#reject(refusedBy(this.#status, body))
    this.#resolve({ status: this.#status, headers: this.#rules.anyStatus === true ? single(this.#headers!) : {}, body })
  }

  onResponseError (_controller: unknown, error: unknown): void {
    this.#reject(error)
  }

  /** The status of a refusal says more than what is wrong with its body. */
  #unusable (problem: Reason): UnavailableError {
    return this.#refused ? refusedBy(this.#status) : unavailable(problem)
  }
}

/** Of a header that came several times, the last. */
function single (headers: Headers): Record<string, string> {
  return withoutPrototype(Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().at(-1)!])))
}
