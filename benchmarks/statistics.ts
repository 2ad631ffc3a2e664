// Figures of several rounds.

export interface Spread {
  median: number
  min: number
  max: number
}

/** @throws {RangeError} when there is nothing to take it of */
export function spreadOf (values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('no figures to take a median of')
  const sorted = values.toSorted((one, other) => one - other)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}

export function medianOf (values: readonly number[]): number {
  return spreadOf(values).median
}

/**
 * Round by round, since the machine is faster in one round than in the next. Rounds that one of the two lacks do not count.
 */
export function ratios (of: ReadonlyArray<number | undefined>, to: ReadonlyArray<number | undefined>): number[] {
  return of.flatMap((value, round) => {
    const base = to[round]
    return value === undefined || base === undefined ? [] : [value / base]
  })
}
