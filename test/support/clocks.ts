import type { Test } from 'tap'

/** The clocks of this process, the test realm's too, until the end of the test. Tests that use them run one after the other. */
export interface Clocks {
  /** Set the wall clock alone, by so many seconds. */
  jump: (seconds: number) => void
  /** Let so many seconds pass by both clocks. Timers do not see them. */
  advance: (seconds: number) => void
}

export function clocksFor (t: Test): Clocks {
  const [now, monotonic] = [Date.now, performance.now.bind(performance)]
  let [wall, passed] = [0, 0]
  t.intercept(Date, 'now', { value: () => now() + wall })
  t.intercept(performance, 'now', { value: () => monotonic() + passed })
  return {
    jump (seconds) { wall += seconds * 1000 },
    advance (seconds) {
      wall += seconds * 1000
      passed += seconds * 1000
    }
  }
}
