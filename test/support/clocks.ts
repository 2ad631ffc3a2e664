import type { Test } from 'tap'

/** The clocks of this process, the test realm's too, until the end of the test. Tests that use them run one after the other. */
export interface Clocks {
  /** Set the wall clock alone, by so many seconds. */
  jump: (seconds: number) => void
  /** Let so many seconds pass by both clocks. Timers do not see them. */
  advance: (seconds: number) => void
}

/** Let so many seconds pass by the monotonic clock alone, until the end of the test. */
export function monotonicFor (t: Test): { pass: (seconds: number) => void } {
  const now = performance.now.bind(performance)
  let passed = 0
  t.intercept(performance, 'now', { value: () => now() + passed })
  return { pass: (seconds) => { passed += seconds * 1000 } }
}

export function clocksFor (t: Test): Clocks {
  const { now } = Date
  const monotonic = monotonicFor(t)
  let wall = 0
  t.intercept(Date, 'now', { value: () => now() + wall })
  return {
    jump (seconds) { wall += seconds * 1000 },
    advance (seconds) {
      wall += seconds * 1000
      monotonic.pass(seconds)
    }
  }
}
