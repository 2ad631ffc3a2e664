// Rounds of all contenders, each started anew in each round: one process may settle 10 % above or below the next.
import type { Contender } from './contenders.js'
import { examine, measure, startIssuer, startServer, type Measured, type Questions } from './contender.js'
import type { Part } from './parts.js'
import { end } from './processes.js'
import { badTokens, type Realm, requestsOf, type Requests, tokenOf } from './realm.js'
import { ratios, spreadOf, type Spread } from './statistics.js'
import { throughputTable } from './tables.js'
import { DRF_KEYCLOAK, RATIOS } from './targets.js'

export interface Plan {
  rounds: number
  /** Measured, per contender and round. */
  seconds: number
  warmUp: number
  /** No round is begun after so many minutes. */
  minutes: number
}

/** A contender's figures over the rounds. */
export interface Line {
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
  /** The same of requests per second of CPU time. */
  cpuRatio?: Spread
}

/** All that was measured, by contender. */
type Results = ReadonlyMap<string, readonly Measured[]>

export async function measureThroughput (contenders: readonly Contender[], realm: Realm, plan: Plan): Promise<Part> {
  const results = await runRounds(contenders, realm, plan)
  const lines = contenders.map((contender) => lineOf(contender, results))
  const measured = RATIOS.filter(([of, to]) => results.has(of) && results.has(to))
  const values = Object.fromEntries(measured.map(([of, to]) => [`${of}/${to}`, ratio(results, of, to, 'rate').median]))
  const ours = lines.find(({ name }) => name === 'ours')
  if (ours !== undefined) values['ours/drf-keycloak'] = ours.rate.median / DRF_KEYCLOAK
  return { values, text: `Rounds: ${lines[0]!.rounds}, of ${plan.seconds} s each.\n\n${throughputTable(lines)}` }
}

async function runRounds (contenders: readonly Contender[], realm: Realm, { rounds, seconds, warmUp, minutes }: Plan): Promise<Results> {
  const results = new Map<string, Measured[]>(contenders.map(({ name }) => [name, []]))
  const requests = new Map<number, Requests>()
  for (const { tokens } of contenders) requests.set(tokens, await requestsOf(realm, tokens))
  const questions = { good: await tokenOf(realm, 0), bad: await badTokens(realm) }
  const issuer = await startIssuer(realm)
  const started = performance.now()
  try {
    for (let round = 0; round < rounds; round++) {
      if (round > 0 && performance.now() - started > minutes * 60_000) {
        console.log(`Stopped after ${round} rounds: ${minutes} minutes are over.`)
        break
      }
      // Forwards and backwards in turn, so that a machine that gets slower favours nobody.
      for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
        const measured = await once(contender, realm, questions, requests.get(contender.tokens)!, { warmUp, measured: seconds })
        results.get(contender.name)!.push(measured)
        console.log(`round ${round + 1} of ${rounds}: ${contender.name} ${Math.round(measured.rate)} requests/s, core ${Math.round(measured.busy * 100)} % busy`)
      }
    }
  } finally {
    await end(issuer)
  }
  return results
}

/** How much one is of another, by requests per second or per second of CPU time. */
function ratio (results: Results, name: string, base: string, key: 'rate' | 'perCpu'): Spread {
  const of = (who: string) => (results.get(who) ?? []).map((each) => each[key])
  return spreadOf(ratios(of(name), of(base)))
}

async function once (contender: Contender, realm: Realm, questions: Questions, requests: Requests, seconds: { warmUp: number, measured: number }): Promise<Measured> {
  const server = await startServer(contender, realm)
  try {
    await examine(contender, server, questions, realm.username)
    return await measure(server, requests, seconds)
  } finally {
    await server.end()
  }
}

function lineOf ({ name, tokens, base }: Contender, results: Results): Line {
  const measured = results.get(name)!
  const spread = (key: keyof Measured) => spreadOf(measured.map((each) => each[key]))
  return {
    name,
    tokens,
    base,
    rounds: measured.length,
    rate: spread('rate'),
    p50: spread('p50'),
    p99: spread('p99'),
    busy: spread('busy'),
    perCpu: spread('perCpu'),
    ratio: base === undefined ? undefined : ratio(results, name, base, 'rate'),
    cpuRatio: base === undefined ? undefined : ratio(results, name, base, 'perCpu')
  }
}
