import type { UndiciDispatcher } from '../../types/options.js'

export function isDispatcher (value: unknown): boolean {
  const { dispatch, request, compose } = (value ?? {}) as Partial<Record<'dispatch' | 'request' | 'compose', unknown>>
  return [dispatch, request, compose].every((each) => typeof each === 'function')
}

/**
 * The fault of a dispatcher that cannot make the calls to Keycloak: undici 6 and older call other methods of a handler than
 * undici 7 and 8.
 *
 * The version is found by `compose()` without an interceptor, which makes no call: since undici 7 it returns a proxy of the
 * dispatcher with a `dispatch` of its own, before that an object of another class.
 */
export function dispatcherFault (dispatcher: UndiciDispatcher): string | undefined {
  const composed = dispatcher.compose() as UndiciDispatcher | undefined
  // The dispatcher is not one of undici, so there is no version to refuse.
  if (composed === undefined || composed === dispatcher) return undefined
  const isProxy = Object.getPrototypeOf(composed) === Object.getPrototypeOf(dispatcher) && composed.dispatch !== dispatcher.dispatch
  return isProxy ? undefined : 'one of undici 6 or older'
}
