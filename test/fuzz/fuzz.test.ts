// Some seconds of what `npm run fuzz` does for minutes. A failure names its seed and path, and the smallest input that shows
// it; FUZZ_SEED=<seed> tries the same inputs again.
import t from 'tap'
import { createFuzz } from './properties.js'

const fuzz = await createFuzz()
t.teardown(fuzz.close)

const seed = process.env.FUZZ_SEED === undefined ? undefined : Number(process.env.FUZZ_SEED)
const rejections: unknown[] = []
process.on('unhandledRejection', (reason) => rejections.push(reason))

for (const { name, runs, run } of fuzz.properties) {
  t.test(`${name}: nobody is let in whom the realm does not vouch for, nothing breaks, nothing is told`, async (t) => {
    await run(seed === undefined ? { numRuns: runs } : { numRuns: runs, seed })
    t.ok([...fuzz.answers.get(name)!.values()].reduce((sum, count) => sum + count) >= runs / 2)
    t.same(rejections, [])
  })
}
