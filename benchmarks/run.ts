// npm run bench: measures all parts, or the named ones. See docs/performance.md.
import { parseArgs } from 'node:util'
import { measureCapabilities } from './capabilities.js'
import { chosen, CONTENDERS } from './contenders.js'
import { measureMemory } from './memory.js'
import { measureNodes } from './nodes.js'
import { pinned, prepare } from './processes.js'
import { openRealm } from './realm.js'
import { add, earlierResults, targetsTable, write, type Part } from './report.js'
import type { Plan } from './rounds.js'
import { NODE_OPTION, runServersOn } from './server-node.js'
import { measureGrowth, measureSteps } from './single-process.js'
import { measureStarts } from './starts.js'
import { measureThroughput } from './throughput.js'

/** In the order of their measurement. */
const PARTS: Readonly<Record<string, (plan: Plan) => Promise<Part>>> = {
  throughput: async (plan) => await measureThroughput(CONTENDERS, await openRealm(), plan),
  capabilities: async (plan) => await measureCapabilities(await openRealm(), plan),
  nodes: async (plan) => await measureNodes(await openRealm(), plan),
  start: async ({ rounds }) => await measureStarts(await openRealm(), Math.min(4 * rounds, 25)),
  memory: async () => await measureMemory(await openRealm()),
  growth: measureGrowth,
  micro: measureSteps
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    'warm-up': { type: 'string', default: '2' },
    minutes: { type: 'string', default: '10' },
    only: { type: 'string' },
    ...NODE_OPTION,
    'no-write': { type: 'boolean', default: false }
  }
})
const plan = { rounds: whole('rounds', 1), seconds: whole('seconds', 1), warmUp: whole('warm-up', 0), minutes: whole('minutes', 1) }
const parts = positionals.length > 0 ? positionals : Object.keys(PARTS)
const unknown = parts.find((name) => PARTS[name] === undefined)
if (unknown !== undefined) throw new Error(`there is no part "${unknown}"; there are ${Object.keys(PARTS).join(', ')}`)
const only = values.only === undefined ? undefined : chosen(values.only.split(','))

// Each step has a limit of its own; this one ends a run that hangs all the same.
setTimeout(() => { throw new Error('the benchmarks did not come to an end') }, (plan.minutes + 30) * 60_000).unref()
prepare()
runServersOn(values.node)
console.log(`Processes are ${pinned ? 'pinned to cores' : 'not pinned: taskset or a second core is missing'}.`)
if (only !== undefined) {
  console.log(`\n${(await measureThroughput(only, await openRealm(), plan)).text}`)
} else {
  const kept = earlierResults()
  for (const name of parts) {
    add(kept, name, await PARTS[name]!(plan))
    console.log(`\n== ${name}\n\n${kept[name]!.text}\n`)
    // After each part, so that a failure of the next one loses nothing.
    if (!values['no-write']) write(kept)
  }
  console.log(`== targets\n\n${targetsTable(kept)}`)
}
process.exit()

function whole (name: 'rounds' | 'seconds' | 'warm-up' | 'minutes', least: number): number {
  const value = Number(values[name])
  if (!Number.isInteger(value) || value < least) throw new Error(`--${name} must be a whole number from ${least}`)
  return value
}
