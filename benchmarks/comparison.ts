// Two builds, value by value: the ratio of new to old, its range, and whether the new build loses more than 3 %.
import { confidenceOf, medianOf, range, table } from './figures.js'

/** The values of both builds, round by round. */
interface Comparison {
  old: number[]
  new: number[]
  ratios: number[]
  moreIsBetter: boolean
}

export type Comparisons = Map<string, Comparison>

/** The loss that the new build may have. */
const TOLERANCE = 0.03

/** The range of fewer rounds holds the true median with less than 90 %. */
const DECIDING_ROUNDS = 5

/** @param ratio of new to old, if it was measured closer than by the two values */
export function add (comparisons: Comparisons, name: string, old: number, ours: number, ratio = ours / old, moreIsBetter = false): void {
  if (!comparisons.has(name)) comparisons.set(name, { old: [], new: [], ratios: [], moreIsBetter })
  const comparison = comparisons.get(name)!
  comparison.old.push(old)
  comparison.new.push(ours)
  comparison.ratios.push(ratio)
}

export function comparisonTable (comparisons: Comparisons): string {
  return table(['', 'old', 'new', 'new/old', '90 % range', 'within 3 %'], [...comparisons].map(([name, comparison]) => {
    const ratio = confidenceOf(comparison.ratios)
    return [
      name, significant(medianOf(comparison.old)), significant(medianOf(comparison.new)),
      ratio.median.toFixed(3), range(ratio, (value) => value.toFixed(3)), verdictOf(comparison)
    ]
  }))
}

/** 'yes' if the whole range loses at most 3 %, 'NO' if the whole range loses more; a gain of any size is within. */
function verdictOf ({ ratios, moreIsBetter }: Comparison): string {
  if (ratios.length < DECIDING_ROUNDS) return 'undecided'
  const { min, max } = confidenceOf(ratios)
  const isWithin = (ratio: number): boolean => moreIsBetter ? ratio >= 1 - TOLERANCE : ratio <= 1 + TOLERANCE
  if (isWithin(min) && isWithin(max)) return 'yes'
  return isWithin(min) || isWithin(max) ? 'undecided' : 'NO'
}

function significant (value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 })
}
