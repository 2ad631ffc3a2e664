import type { Dispatcher } from 'undici'

type Handler = Dispatcher.DispatchHandler
type Controller = Dispatcher.DispatchController
type Headers = Parameters<NonNullable<Handler['onResponseStart']>>[2]

/** A handler of undici 6, which `fetch` of Node 20 and 22 and the functions of undici 7 have. */
interface OldHandler {
  onConnect?: (abort: (reason?: Error) => void, context: unknown) => void
  onUpgrade?: (status: number, headers: Buffer[], socket: unknown) => void
  onHeaders?: (status: number, headers: Buffer[], resume: () => void, message?: string) => boolean | void
  onData?: (chunk: Buffer) => boolean | void
  onComplete?: (trailers: Buffer[]) => void
  onError?: (error: Error) => void
}

/** The handler of a request as undici 7 and 8 call it, whoever made it. */
export function handlerOf (handler: object): Handler {
  return 'onRequestStart' in handler ? handler as Handler : new FormerHandler(handler)
}

/** A handler of undici 6, called as undici 7 and 8 do. undici 7 has a class for this, which breaks several `Set-Cookie` headers. */
class FormerHandler implements Handler {
  readonly #handler: OldHandler

  constructor (handler: OldHandler) {
    this.#handler = handler
  }

  onRequestStart (controller: Controller, context: unknown): void {
    this.#handler.onConnect?.((reason) => controller.abort(reason ?? new Error('the request was aborted')), context)
  }

  onRequestUpgrade (_controller: Controller, status: number, headers: Headers, socket: unknown): void {
    this.#handler.onUpgrade?.(status, rawHeaders(headers), socket)
  }

  onResponseStart (controller: Controller, status: number, headers: Headers, message?: string): void {
    if (this.#handler.onHeaders?.(status, rawHeaders(headers), () => controller.resume(), message) === false) controller.pause()
  }

  onResponseData (controller: Controller, chunk: Buffer): void {
    if (this.#handler.onData?.(chunk) === false) controller.pause()
  }

  onResponseEnd (_controller: Controller, trailers: Headers): void {
    this.#handler.onComplete?.(rawHeaders(trailers))
  }

  onResponseError (_controller: Controller, error: Error): void {
    this.#handler.onError?.(error)
  }
}

function rawHeaders (headers: Headers): Buffer[] {
  return Object.entries(headers).flatMap(([name, values]) => [values ?? []].flat().flatMap((value) => [Buffer.from(name, 'latin1'), Buffer.from(value, 'latin1')]))
}
