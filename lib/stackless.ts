/**
 * Run something synchronous whose errors need no stack: those of refusals are all the same, and to collect them would be
 * most of what a refusal costs a server that is flooded with bad tokens. Where V8 does not let itself be told, they are
 * collected as ever.
 */
export function stackless<Result> (run: () => Result): Result {
  const { stackTraceLimit } = Error
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    return run()
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}
