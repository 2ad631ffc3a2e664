import { Deadline } from './deadline.js'

/** The promise, or a rejection by the error of `late` after so many milliseconds; the promise itself goes on. */
export function withTimeout<T> (promise: Promise<T>, milliseconds: number, late: () => Error): Promise<T> {
  const deadline = new Deadline(milliseconds)
  return withDeadline(promise, deadline, late).finally(() => deadline.clear())
}

/** The same with a deadline that has begun. */
export function withDeadline<T> (promise: Promise<T>, deadline: Deadline, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    promise.then(resolve, reject)
    deadline.onPassed(() => reject(late()))
  })
}
