// Fuzz for minutes: npm run fuzz -- --minutes 5 [--seed 1] [--property claims]
// Ends with 1 where an input broke a property; the seed that is printed with it tries the same inputs again.
import { parseArgs } from 'node:util'
import { createFuzz } from './properties.js'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' }, property: { type: 'string', default: '' } }
})
const minutes = Number(values.minutes)
const seed = Number(values.seed ?? Math.trunc(Math.random() * 2 ** 31))
if (!(minutes > 0 && minutes <= 240) || !Number.isSafeInteger(seed)) {
  throw new RangeError('--minutes must be a number above 0, 240 at the most, and --seed a whole number')
}

const rejections: unknown[] = []
process.on('unhandledRejection', (reason) => { rejections.push(reason) })

const fuzz = await createFuzz()
const chosen = fuzz.properties.filter(({ name }) => name.includes(values.property))
if (chosen.length === 0) throw new RangeError(`--property must be part of one of: ${fuzz.properties.map(({ name }) => name).join('; ')}`)

const inputs = new Map(chosen.map(({ name }) => [name, 0]))
const broken = new Map<string, string>()
const started = performance.now()
const end = started + minutes * 60_000
console.log(`fuzzing for ${minutes} min, seed ${seed}`)

for (let round = 0; performance.now() < end && broken.size < chosen.length; round++) {
  for (const { name, runs, run } of chosen) {
    if (broken.has(name) || performance.now() >= end) continue
    try {
      await run({ numRuns: runs, seed: seed + round })
      inputs.set(name, inputs.get(name)! + runs)
    } catch (error) {
      broken.set(name, `npm run fuzz -- --seed ${seed + round} --property '${name}'\n${(error as Error).message}\n${String((error as Error).cause)}`)
    }
  }
}
const seconds = (performance.now() - started) / 1000
await fuzz.close()

const total = [...inputs.values()].reduce((sum, count) => sum + count, 0)
for (const { name } of chosen) {
  console.log(`\n${name}: ${inputs.get(name)} inputs${broken.has(name) ? ', then BROKEN' : ''}`)
  for (const [answer, count] of [...fuzz.answers.get(name)!].sort()) console.log(`${String(count).padStart(12)}  ${answer}`)
}
console.log(`\n${total} inputs in ${seconds.toFixed(0)} s, ${(total / seconds).toFixed(0)} a second; ${broken.size} properties broken, ${rejections.length} unhandled rejections`)
for (const [name, how] of broken) console.error(`\nBROKEN: ${name}\n${how}`)
for (const reason of rejections.slice(0, 3)) console.error('\nUNHANDLED:', reason)
process.exitCode = broken.size + rejections.length > 0 ? 1 : 0
