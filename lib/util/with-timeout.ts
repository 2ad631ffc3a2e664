import { Deadline } from './deadline.js'

/** A promise, or after so many milliseconds a rejection by what `late` makes; the promise itself goes on. */
export function within<T> (promise: Promise<T>, milliseconds: number, late: () => Error): Promise<T> {
  const deadline = new Deadline(milliseconds)
  return before(promise, deadline, late).finally(() => deadline.clear())
}

/** The same by a deadline that has begun. */
export function before<T> (promise: Promise<T>, deadline: Deadline, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    promise.then(resolve, reject)
    deadline.onPassed(() => reject(late()))
  })
}
