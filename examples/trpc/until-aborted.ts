/** Passes on what a source yields until a signal fires. @param toError makes the error that ends it */
export async function * untilAborted<T> (source: AsyncIterable<T>, signal: AbortSignal, toError: (reason: unknown) => Error): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]()
  try {
    while (true) {
      const { done, value } = await orAborted(iterator.next(), signal, toError)
      if (done) return
      yield value
    }
  } finally {
    // Not awaited, because a source that waits for an event returns after it.
    iterator.return?.()
  }
}

/** A listener for each step, because a promise of the signal for all steps would keep each of them in memory. */
function orAborted<T> (step: Promise<T>, signal: AbortSignal, toError: (reason: unknown) => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => reject(toError(signal.reason))
    if (signal.aborted) end()
    signal.addEventListener('abort', end)
    step.then(resolve, (error) => signal.aborted ? end() : reject(error)).finally(() => signal.removeEventListener('abort', end))
  })
}
