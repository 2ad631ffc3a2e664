import type { Dispatcher } from 'undici'
import type { UndiciDispatcher } from '../../types/options.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import { handlerOf } from './former-handler.js'
import { type DispatchOptions, isAuthorized, isRepeatable, repeatable, withToken } from './outgoing-request.js'
import { ServiceHandler } from './service-handler.js'

/** The tokens of a dispatcher. */
export interface DispatcherTokens {
  get: () => Promise<string>
  /** Another token in place of one that a service refuses; `undefined` if there is none. */
  other: ((refused: string) => MaybePromise<string> | undefined) | undefined
}

export interface ServiceRequestsOptions {
  /** The origins that get tokens. */
  origins: ReadonlySet<string>
  tokens: DispatcherTokens
  /** The dispatcher that makes the requests. */
  base: () => MaybePromise<UndiciDispatcher>
}

type Handler = Dispatcher.DispatchHandler

const nothing = (): void => {}

/** Stands for the controller of a request that was never made. */
const NO_CONTROLLER = { aborted: true, paused: false, reason: null, abort: nothing, pause: nothing, resume: nothing } as Dispatcher.DispatchController

/** Makes requests, those to some origins with a token. Each is looked at by itself: a redirect that is followed is a request of its own. */
export class ServiceRequests {
  readonly #options: ServiceRequestsOptions

  constructor (options: ServiceRequestsOptions) {
    this.#options = options
  }

  /** @returns true: the token has to be waited for, so nothing can be said about the room for further requests */
  readonly dispatch = (options: object, handler: object): boolean => {
    const inner = handlerOf(handler)
    failing(inner, this.#make(options as DispatchOptions, inner))
    return true
  }

  async #make (options: DispatchOptions, handler: Handler): Promise<void> {
    const { origins, tokens, base } = this.#options
    const dispatcher = await base()
    const url = urlOf(options)
    const rules = { refusesRedirect: (locations: readonly string[]) => leadsToOther(locations, url, origins), onRefused: undefined }
    const send = (request: DispatchOptions): void => { dispatcher.dispatch(request, new ServiceHandler(handler, rules)) }
    if (!origins.has(url.origin)) return send(options)
    if (isAuthorized(options)) throw new TypeError('the request has an Authorization header already; leave it out, since the dispatcher of app.keycloak adds one')
    const token = await tokens.get()
    const request = tokens.other === undefined ? options : await repeatable(options)
    dispatcher.dispatch(withToken(request, token), new ServiceHandler(handler, {
      ...rules,
      onRefused: () => {
        const other = isRepeatable(request) ? tokens.other?.(token) : undefined
        if (other === undefined) return undefined
        const late = Promise.resolve(other)
        // It may fail before the refusal is read to its end.
        late.catch(nothing)
        return () => failing(handler, late.then((fresh) => send(withToken(request, fresh))))
      }
    }))
  }
}

/** The handler of a request learns of its failure. */
function failing (handler: Handler, made: Promise<void>): void {
  made.catch((error) => { handler.onResponseError?.(NO_CONTROLLER, error) })
}

/**
 * The URL of a request. Its origin is that of the connection, whatever the path says.
 * @throws {TypeError} for a request without an origin
 */
function urlOf ({ origin, path }: DispatchOptions): URL {
  if (!URL.canParse(String(origin))) throw new TypeError('a request by the dispatcher of app.keycloak needs a whole URL')
  const base = new URL(String(origin))
  return path.startsWith('/') && URL.canParse(base.origin + path) ? new URL(base.origin + path) : base
}

/** Does a redirect lead from one origin to another one that gets tokens? Who follows it may take the bytes of the header for UTF-8. */
function leadsToOther (locations: readonly string[], from: URL, origins: ReadonlySet<string>): boolean {
  const readings = [...locations, locations.join(', ')].flatMap((location) => [location, Buffer.from(location, 'latin1').toString('utf8')])
  return readings.some((location) => {
    const origin = URL.canParse(location, from.href) ? new URL(location, from).origin : from.origin
    return origin !== from.origin && origins.has(origin)
  })
}
