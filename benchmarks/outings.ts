// What the rounds gave, second by second, and how much one contender is of another by it.
import type { Measured } from './contender.js'
import type { Contender } from './contenders.js'
import { medianOf, ratios } from './statistics.js'

/** What a contender did in a round, second by second. */
export interface Outing {
  own: readonly Measured[]
  /** Its base, each in the second before or after. */
  beside?: readonly Measured[]
}

/** All that was measured, by contender, round by round. */
export type Results = ReadonlyMap<string, readonly Outing[]>

/** How much one is of another: measured in turn with it, or both with the same base. */
export function between (contenders: readonly Contender[], results: Results, of: string, to: string): number {
  const one = roundRatios(results.get(of)!, 'rate')
  const isBase = contenders.some(({ name, base }) => name === of && base === to)
  return medianOf(isBase ? one : ratios(one, roundRatios(results.get(to)!, 'rate')))
}

/** Of each round: how much a contender is of its base, by requests per second or per second of CPU time. */
export function roundRatios (outings: readonly Outing[], key: 'rate' | 'perCpu'): number[] {
  return outings.flatMap(({ own, beside }) => {
    return beside === undefined ? [] : [medianOf(ratios(own.map((each) => each[key]), beside.map((each) => each[key])))]
  })
}
