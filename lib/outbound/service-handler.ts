import type { Dispatcher } from 'undici'

type Handler = Dispatcher.DispatchHandler
type Controller = Dispatcher.DispatchController
type Headers = Parameters<NonNullable<Handler['onResponseStart']>>[2]

export interface ServiceHandlerOptions {
  /** Is a redirect refused, by the values of its Location header? */
  refusesRedirect: (locations: readonly string[]) => boolean
  /**
   * The service refuses the token.
   * @returns makes the request again, when the answer was read; `undefined` if it is not made again
   */
  onRefused: (() => (() => void) | undefined) | undefined
}

/** Bytes of a refusal that are read so that its connection can be used again. */
const MAX_REFUSAL = 64 * 1024

/** Stands between a request and the dispatcher that makes it: holds back the refusal of a token, and ends redirects that would get one. */
export class ServiceHandler implements Handler {
  readonly #handler: Handler
  readonly #options: ServiceHandlerOptions
  #again: (() => void) | undefined
  #size = 0
  #tooLong: Error | undefined

  constructor (handler: Handler, options: ServiceHandlerOptions) {
    this.#handler = handler
    this.#options = options
  }

  onRequestStart (controller: Controller, context: unknown): void {
    this.#handler.onRequestStart?.(controller, context)
  }

  onRequestUpgrade (...upgrade: Parameters<NonNullable<Handler['onRequestUpgrade']>>): void {
    this.#handler.onRequestUpgrade?.(...upgrade)
  }

  onResponseStart (controller: Controller, status: number, headers: Headers, message?: string): void {
    if (status === 401) this.#again = this.#options.onRefused?.()
    if (this.#again !== undefined) return
    const { location = [] } = headers
    if (isRedirect(status) && this.#options.refusesRedirect([location].flat())) {
      return controller.abort(new Error('a redirect from another origin to one of the list "to" is not followed, because its request would have a token'))
    }
    this.#handler.onResponseStart?.(controller, status, headers, message)
  }

  onResponseData (controller: Controller, chunk: Buffer): void {
    if (this.#again === undefined) return this.#handler.onResponseData?.(controller, chunk)
    this.#size += chunk.length
    if (this.#size > MAX_REFUSAL) controller.abort(this.#tooLong ??= new Error('the refusal is too long'))
  }

  onResponseEnd (controller: Controller, trailers: Headers): void {
    if (this.#again === undefined) this.#handler.onResponseEnd?.(controller, trailers)
    else this.#again()
  }

  onResponseError (controller: Controller, error: Error): void {
    if (this.#tooLong !== undefined && error === this.#tooLong) this.#again!()
    else this.#handler.onResponseError?.(controller, error)
  }
}

/** May whoever follows redirects follow this one? undici does for 300, too. */
function isRedirect (status: number): boolean {
  return status >= 300 && status < 400
}
