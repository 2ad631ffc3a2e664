// npm run bench: all parts, or those that are named. See docs/performance.md.
import { parseArgs } from 'node:util'
import { chosen } from './contenders.js'
import { generator } from './load.js'
import { PARTS } from './parts.js'
import { prepare } from './prepare.js'
import { pinned } from './processes.js'
import { openRealm } from './realm.js'
import { add, measuredBefore, targetsOf, write } from './report.js'
import { measureThroughput } from './throughput.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    'warm-up': { type: 'string', default: '2' },
    minutes: { type: 'string', default: '10' },
    only: { type: 'string' },
    'no-write': { type: 'boolean', default: false }
  }
})
const plan = { rounds: whole('rounds', 1), seconds: whole('seconds', 1), warmUp: whole('warm-up', 0), minutes: whole('minutes', 1) }
const parts = positionals.length > 0 ? positionals : Object.keys(PARTS)
const unknown = parts.find((name) => PARTS[name] === undefined)
if (unknown !== undefined) throw new Error(`there is no part "${unknown}"; there are ${Object.keys(PARTS).join(', ')}`)
const only = values.only === undefined ? undefined : chosen(values.only.split(','))

// Each step has an end of its own; this is for what nobody thought of.
setTimeout(() => { throw new Error('the benchmarks did not come to an end') }, (plan.minutes + 30) * 60_000).unref()
prepare()
console.log(`Load by ${generator}, processes ${pinned ? 'pinned to cores' : 'not pinned: taskset or a second core is missing'}.`)
if (only !== undefined) {
  console.log(`\n${(await measureThroughput(only, await openRealm(), plan)).text}`)
} else {
  const kept = measuredBefore()
  for (const name of parts) {
    add(kept, name, await PARTS[name]!(plan))
    console.log(`\n== ${name}\n\n${kept[name]!.text}\n`)
    // After each part, so that a failure of the next loses nothing.
    if (!values['no-write']) write(kept)
  }
  console.log(`== targets\n\n${targetsOf(kept)}`)
}
process.exit()

function whole (name: 'rounds' | 'seconds' | 'warm-up' | 'minutes', least: number): number {
  const value = Number(values[name])
  if (!Number.isInteger(value) || value < least) throw new Error(`--${name} must be a whole number from ${least}`)
  return value
}
