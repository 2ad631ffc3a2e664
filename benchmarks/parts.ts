// The parts of the benchmarks, in the order in which they run.
import { CONTENDERS } from './contenders.js'
import { measureGrowth } from './growth.js'
import { measureMemory } from './memory.js'
import { measureSteps } from './micro.js'
import type { Part } from './part.js'
import { openRealm } from './realm.js'
import type { Plan } from './rounds.js'
import { measureStarts } from './start.js'
import { measureThroughput } from './throughput.js'

export const PARTS: Readonly<Record<string, (plan: Plan) => Promise<Part>>> = {
  throughput: async (plan) => await measureThroughput(CONTENDERS, await openRealm(), plan),
  start: async ({ rounds }) => await measureStarts({ starts: Math.min(4 * rounds, 25) }),
  memory: async () => await measureMemory(await openRealm()),
  growth: measureGrowth,
  micro: measureSteps
}
