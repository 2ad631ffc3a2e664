// How long a start takes, import to listening, over that of bare Fastify; and what each dependency takes of it.
import { here } from './paths.js'
import { CORE, output } from './processes.js'
import { spreadOf, type Spread } from './statistics.js'
import { range, table, whole } from './tables.js'
import type { Part } from './part.js'

const KINDS = ['bare', 'ours', 'ours-cjs'] as const
const DEPENDENCIES = ['fastify-plugin', 'fast-jwt', 'get-jwks', 'undici', 'zod']

interface Start {
  /** Milliseconds. */
  clock: number
  cpu: number
}

export async function measureStarts ({ starts }: { starts: number }): Promise<Part> {
  const results = new Map<string, Start[]>([...KINDS, ...DEPENDENCIES].map((name) => [name, []]))
  for (let round = 0; round < starts; round++) {
    for (const kind of KINDS) results.get(kind)!.push(await once(kind))
    for (const name of DEPENDENCIES) results.get(name)!.push(await once('import', name))
  }
  const bare = results.get('bare')!
  const over = (kind: string, key: keyof Start) => spreadOf(results.get(kind)!.map((each, round) => each[key] - bare[round]![key]))
  const text = [
    `${starts} starts of each, in turn, each in a new process.`,
    table(['start', 'ms', 'min–max', 'ms more than bare', 'min–max', 'of CPU time'], KINDS.map((kind) => {
      const clock = spreadOf(results.get(kind)!.map((each) => each.clock))
      return [kind, whole(clock.median), range(clock, whole), ...(kind === 'bare' ? ['', '', ''] : added(over(kind, 'clock'), over(kind, 'cpu')))]
    })),
    'The import of each dependency alone, after Fastify; what two of them share counts in both:',
    table(['import', 'ms', 'min–max'], DEPENDENCIES.map((name) => {
      const clock = spreadOf(results.get(name)!.map((each) => each.clock))
      return [name, whole(clock.median), range(clock, whole)]
    }))
  ].join('\n\n')
  return { text, values: { start: over('ours', 'clock').median } }
}

function added (clock: Spread, cpu: Spread): string[] {
  return [whole(clock.median), range(clock, whole), whole(cpu.median)]
}

async function once (...parameters: string[]): Promise<Start> {
  const text = await output(CORE.server, process.execPath, [here('one-start.mjs'), ...parameters], 30)
  const result = /^RESULT (.*)$/m.exec(text)
  if (result === null) throw new Error(`a start of ${parameters.join(' ')} gave no result: ${text}`)
  return JSON.parse(result[1]!) as Start
}
