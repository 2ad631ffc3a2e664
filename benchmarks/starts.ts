// Cold starts, each in a process of its own: from the import of Fastify to listening, and to the answer of the first request, for
// which the keys are fetched from an issuer on the other core.
import { startIssuer } from './contenders.js'
import { range, spreadOf, table, whole, type Spread } from './figures.js'
import { CORE, end, here, resultOf, root } from './processes.js'
import { tokenOf, type Realm } from './realm.js'
import type { Part } from './report.js'
import { serverNode } from './server-node.js'

/** Milliseconds. */
interface Elapsed {
  clock: number
  cpu: number
}

/** From the import of Fastify to listening. */
export interface Start extends Elapsed {
  /** To the answer of the first request. */
  answered: Elapsed
}

/** What start.mjs starts. */
type Started = { kind: 'bare' | 'jose' } | { kind: 'esm' | 'cjs', build: string }

const STARTS: Readonly<Record<string, Started>> = { bare: { kind: 'bare' }, ours: { kind: 'esm', build: root }, 'ours-cjs': { kind: 'cjs', build: root }, jose: { kind: 'jose' } }
const DEPENDENCIES = ['fastify-plugin', 'fast-jwt', 'get-jwks', 'undici']

/** The durations of starts and first requests, and of the import of each dependency. */
export async function measureStarts (realm: Realm, starts: number): Promise<Part> {
  const results = new Map<string, Start[]>(Object.keys(STARTS).map((name) => [name, []]))
  const imports = new Map<string, number[]>(DEPENDENCIES.map((name) => [name, []]))
  const issuer = await startIssuer(realm)
  try {
    for (let round = 0; round < starts; round++) {
      for (const [name, started] of Object.entries(STARTS)) results.get(name)!.push(await startOnce(started, realm))
      for (const [name, times] of imports) times.push((await run<Elapsed>({ kind: 'import', name })).clock)
    }
  } finally {
    await end(issuer)
  }
  const over = (elapsed: (start: Start) => number, name: string) => spreadOf(results.get(name)!.map((each, round) => elapsed(each) - elapsed(results.get('bare')![round]!)))
  const startTable = (title: string, elapsed: (start: Start) => Elapsed) => table([title, 'ms', 'min–max', 'ms more than bare', 'min–max', 'of CPU time'], Object.keys(STARTS).map((name) => {
    const clock = (start: Start) => elapsed(start).clock
    const more = name === 'bare' ? ['', '', ''] : [...milliseconds(over(clock, name)), whole(over((start) => elapsed(start).cpu, name).median)]
    return [name, ...milliseconds(spreadOf(results.get(name)!.map(clock))), ...more]
  }))
  const text = [
    `${starts} starts of each, in turn, each in a new process.`,
    startTable('to listening', (start) => start),
    'The same starts, to the answer of the first request. It comes as soon as the server listens, with a token whose key has to be fetched:',
    startTable('to the first answer', ({ answered }) => answered),
    'The import of each dependency alone, after Fastify. Code that two of them share counts in both:',
    table(['import', 'ms', 'min–max'], DEPENDENCIES.map((name) => [name, ...milliseconds(spreadOf(imports.get(name)!))]))
  ].join('\n\n')
  return { text, values: { start: over(({ clock }) => clock, 'ours').median } }
}

/** One start in a new process. The issuer of the realm must run. */
export async function startOnce (started: Started, realm: Realm, node = serverNode()): Promise<Start> {
  return await run<Start>({ ...started, issuer: realm.issuer, token: await tokenOf(realm, 0) }, node)
}

async function run<Result> (what: object, node = serverNode()): Promise<Result> {
  return await resultOf<Result>(CORE.server, node, [here('start.mjs'), JSON.stringify(what)], 30)
}

function milliseconds (spread: Spread): string[] {
  return [whole(spread.median), range(spread, whole)]
}
