/** A value that is there, or a promise of it. Most requests need no promise at all. */
export type Maybe<T> = T | Promise<T>

/** Go on with a value now if it is there, later if it is promised. */
export function next<A, B> (value: Maybe<A>, step: (value: A) => Maybe<B>): Maybe<B> {
  return value instanceof Promise ? value.then(step) : step(value)
}

/** What an application's function returned, with any thenable turned into a promise of our own. */
export function settled<T> (value: T | PromiseLike<T>): Maybe<T> {
  return isThenable(value) ? Promise.resolve(value) : value as T
}

export function isThenable (value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
