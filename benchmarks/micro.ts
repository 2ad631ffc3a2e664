// The microbenchmarks of micro.mjs as a table.
import { here } from './paths.js'
import type { Part } from './part.js'
import { CORE, output } from './processes.js'
import { table } from './tables.js'

/** Nanoseconds. */
interface Row {
  name: string
  average: number
  median: number
  p99: number
}

export async function measureSteps (): Promise<Part> {
  const text = await output(CORE.server, process.execPath, ['--expose-gc', here('micro.mjs'), '--json'], 180)
  const result = /^RESULT (.*)$/m.exec(text)
  if (result === null) throw new Error(`micro.mjs gave no result: ${text}`)
  const rows = JSON.parse(result[1]!) as Row[]
  return {
    values: {},
    text: table(['step', 'median µs', 'average µs', 'p99 µs'], rows.map(({ name, ...times }) => [
      name, ...[times.median, times.average, times.p99].map((time) => (time / 1000).toFixed(2))
    ]))
  }
}
