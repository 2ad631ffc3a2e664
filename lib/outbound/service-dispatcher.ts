import { EventEmitter } from 'node:events'
import type { UndiciDispatcher } from '../../types/options.js'
import { handlerOf } from './former-handler.js'

type Dispatch = UndiciDispatcher['dispatch']
type Method = 'request' | 'stream' | 'connect' | 'upgrade'
type Interceptor = (dispatch: Dispatch) => Dispatch

/**
 * A dispatcher with the members of undici's class. It does not extend that class, whose module is loaded with the first request
 * alone: `fetch` and undici's functions call `dispatch` and nothing else.
 */
export class ServiceDispatcher extends EventEmitter {
  readonly dispatch: Dispatch

  constructor (dispatch: Dispatch) {
    super()
    this.dispatch = dispatch
  }

  request (...call: unknown[]): Promise<unknown> {
    return callOf('request', this.dispatch, call)
  }

  stream (...call: unknown[]): Promise<unknown> {
    return callOf('stream', this.dispatch, call)
  }

  connect (...call: unknown[]): Promise<unknown> {
    return callOf('connect', this.dispatch, call)
  }

  upgrade (...call: unknown[]): Promise<unknown> {
    return callOf('upgrade', this.dispatch, call)
  }

  /** It would have to be made at once, before undici is loaded. */
  pipeline (): never {
    throw new TypeError('a dispatcher of app.keycloak has no pipeline(); use request() or stream()')
  }

  /** The same dispatcher behind interceptors, as undici composes them. */
  compose (...interceptors: Array<Interceptor | readonly Interceptor[]>): ServiceDispatcher {
    return new ServiceDispatcher(interceptors.flat().reduce<Dispatch>((inner, interceptor) => {
      const dispatch = interceptor(inner)
      // The functions of undici 7 have handlers of the former kind themselves, which its interceptors do not know.
      return (options, handler) => dispatch(options, handlerOf(handler))
    }, this.dispatch))
  }

  /** The connections are the application's: they end with it. */
  async close (): Promise<void> {}

  async destroy (): Promise<void> {}
}

async function callOf (method: Method, dispatch: Dispatch, call: unknown[]): Promise<unknown> {
  const { Dispatcher } = await import('undici/index.js')
  return (Dispatcher.prototype[method] as (...call: unknown[]) => unknown).apply({ dispatch }, call)
}
