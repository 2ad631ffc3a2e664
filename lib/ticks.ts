import { executionAsyncResource } from 'node:async_hooks'

/**
 * Hold on to one of the objects that `process.nextTick` makes, until the returned function is called.
 *
 * V8 remembers the shape of these objects for as long as there is one of them. Where a garbage collection comes at a
 * moment without any, as it easily does while an application starts, the shape is gone, and from then on each tick of
 * the process is put together the slow way: a fifth of what a request without authentication costs, for whatever the
 * process serves (docs/performance.md). Where nothing is to be had this changes nothing. With the object stays whatever
 * AsyncLocalStorage it was made in.
 */
export function holdTick (): () => void {
  const held = new Set<object>()
  // Only Node itself makes ticks so, and others warn of a function that they have not.
  if (!('bun' in process.versions || 'deno' in process.versions)) {
    process.nextTick(() => { held.add(executionAsyncResource()) })
  }
  return () => held.clear()
}
