/** A value, or a promise of it. Most requests need no promise at all. */
export type MaybePromise<T> = T | Promise<T>

/** Take the next step at once with a value, later with a promise. */
export function andThen<A, B> (value: MaybePromise<A>, step: (value: A) => MaybePromise<B>): MaybePromise<B> {
  return value instanceof Promise ? value.then(step) : step(value)
}

/** The return value of an application's function, with any thenable turned into a promise of our own. */
export function toMaybePromise<T> (value: T | PromiseLike<T>): MaybePromise<T> {
  return isThenable(value) ? Promise.resolve(value) : value as T
}

export function isThenable (value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
