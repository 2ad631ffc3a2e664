// The throughput of all contenders, as a table and as the ratios of the targets.
import type { Contender, Measured } from './contenders.js'
import { medianOf, percent, range, spreadOf, table, whole, type Spread } from './figures.js'
import type { Realm } from './realm.js'
import { DRF_KEYCLOAK, RATIOS, type Part } from './report.js'
import { ratioOf, roundRatios, runRounds, type Plan, type Results } from './rounds.js'

/** The figures of a contender over all rounds. */
interface Line {
  name: string
  tokens: number
  base?: string
  rounds: number
  rate: Spread
  p50: Spread
  p99: Spread
  busy: Spread
  perCpu: Spread
  ratio?: Spread
  /** The same by requests per second of processor time. */
  cpuRatio?: Spread
}

export async function measureThroughput (contenders: readonly Contender[], realm: Realm, plan: Plan): Promise<Part> {
  const results = await runRounds(contenders, realm, plan)
  const lines = contenders.map((contender) => lineOf(contender, results))
  const measured = RATIOS.filter(([of, to]) => results.has(of) && results.has(to))
  const values = Object.fromEntries(measured.map(([of, to]) => [`${of}/${to}`, ratioOf(contenders, results, of, to)]))
  const ours = lines.find(({ name }) => name === 'ours')
  if (ours !== undefined) values['ours/drf-keycloak'] = ours.rate.median / DRF_KEYCLOAK
  return { values, text: `Rounds: ${lines[0]!.rounds}, of ${plan.seconds} s each.\n\n${throughputTable(lines)}` }
}

function lineOf ({ name, tokens, base }: Contender, results: Results): Line {
  const rounds = results.get(name)!
  const spread = (key: keyof Measured) => spreadOf(rounds.map(({ own }) => medianOf(own.map((each) => each[key]))))
  const ratioBy = (key: 'rate' | 'perCpu') => {
    const of = roundRatios(rounds, key)
    return of.length === 0 ? undefined : spreadOf(of)
  }
  return {
    name,
    tokens,
    base,
    rounds: rounds.length,
    rate: spread('rate'),
    p50: spread('p50'),
    p99: spread('p99'),
    busy: spread('busy'),
    perCpu: spread('perCpu'),
    ratio: ratioBy('rate'),
    cpuRatio: ratioBy('perCpu')
  }
}

function throughputTable (lines: readonly Line[]): string {
  return table(
    ['contender', 'tokens', 'requests/s', 'min–max', 'p50 ms', 'p99 ms', 'core busy', 'per CPU s', 'of its base', 'min–max', 'by CPU', 'base'],
    lines.map(({ name, tokens, rate, p50, p99, busy, perCpu, ratio, cpuRatio, base }) => [
      name, whole(tokens), whole(rate.median), range(rate, whole), milliseconds(p50.median), milliseconds(p99.median),
      percent(busy.median), whole(perCpu.median), two(ratio?.median), ratio === undefined ? '' : range(ratio, two), two(cpuRatio?.median), base ?? ''
    ])
  )
}

const two = (value: number | undefined): string => value?.toFixed(2) ?? ''
const milliseconds = (microseconds: number): string => (microseconds / 1000).toFixed(2)
