import type { UndiciDispatcher } from '../../types/options.js'

export function isDispatcher (value: unknown): boolean {
  const { dispatch, request, compose } = (value ?? {}) as Partial<Record<'dispatch' | 'request' | 'compose', unknown>>
  return [dispatch, request, compose].every((each) => typeof each === 'function')
}

/**
 * Why a dispatcher cannot make our calls: undici 6 and older call a handler by other methods than undici 7 and 8.
 *
 * Told by `compose()` without an interceptor, which calls nobody: since undici 7 it gives the dispatcher itself behind a
 * proxy with a `dispatch` of its own, before that an object of another class.
 */
export function dispatcherFault (dispatcher: UndiciDispatcher): string | undefined {
  const composed = dispatcher.compose() as UndiciDispatcher | undefined
  // Not of undici at all.
  if (composed === undefined || composed === dispatcher) return undefined
  const isProxy = Object.getPrototypeOf(composed) === Object.getPrototypeOf(dispatcher) && composed.dispatch !== dispatcher.dispatch
  return isProxy ? undefined : 'one of undici 6 or older'
}
