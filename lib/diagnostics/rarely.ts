import { monotonicMilliseconds } from '../util/clock.js'

/** The same act, at most once in so many milliseconds; what comes sooner is left out. */
export function rarely (every: number, act: () => void): () => void {
  let last = -Infinity
  return () => {
    const now = monotonicMilliseconds()
    if (now - last < every) return
    last = now
    act()
  }
}
