import type { Dispatcher } from 'undici'
import type { UndiciDispatcher } from '../../types/options.js'
import type { UnavailableError } from '../errors.js'
import { type Response, ResponseHandler, type ResponseRules } from './response-handler.js'

/** Codes of undici, of HTTP/1 and HTTP/2, and of the system. */
const LOST = new Set<unknown>(['UND_ERR_SOCKET', 'ECONNRESET', 'ECONNABORTED', 'EPIPE'])

/** Attempts for a request whose connection is lost: on two of the connections that are kept, and on a new one. */
const MAX_ATTEMPTS = 3

/**
 * One request and its attempts. Keycloak closes idle connections, and may do so just as the request is written. Another
 * idle connection can be as old, a new one cannot.
 */
export class RequestAttempts {
  readonly #request: Dispatcher.DispatchOptions
  readonly #rules: ResponseRules
  readonly #dispatcherFor: (isLast: boolean) => UndiciDispatcher | Promise<UndiciDispatcher>
  #handler: ResponseHandler | undefined
  #ended: UnavailableError | undefined

  /** @param dispatcherFor gives the dispatcher of an attempt; that of the last one must open a new connection */
  constructor (request: Dispatcher.DispatchOptions, rules: ResponseRules, dispatcherFor: (isLast: boolean) => UndiciDispatcher | Promise<UndiciDispatcher>) {
    this.#request = request
    this.#rules = rules
    this.#dispatcherFor = dispatcherFor
  }

  /** The moment of the monotonic clock at which the last attempt got a connection, in milliseconds. */
  get writtenAt (): number | undefined {
    return this.#handler?.writtenAt
  }

  /** The error that the request was ended with. */
  get ended (): UnavailableError | undefined {
    return this.#ended
  }

  /** @throws {Error} an UnavailableError, or an error of undici */
  async run (left = MAX_ATTEMPTS - 1): Promise<Response> {
    try {
      return await this.#attempt(left === 0)
    } catch (error) {
      if (left === 0 || !isLostConnection(error)) throw error
      return this.run(left - 1)
    }
  }

  /** The request is over with this error, whatever it is doing. */
  end (error: UnavailableError): void {
    this.#ended ??= error
    this.#handler?.end(this.#ended)
  }

  async #attempt (isLast: boolean): Promise<Response> {
    const dispatcher = await this.#dispatcherFor(isLast)
    if (this.#ended !== undefined) throw this.#ended
    this.#handler = new ResponseHandler(this.#rules)
    dispatcher.dispatch(this.#request, this.#handler)
    return this.#handler.response
  }
}

function isLostConnection (error: unknown): boolean {
  return LOST.has((error as { code?: unknown } | undefined)?.code)
}
