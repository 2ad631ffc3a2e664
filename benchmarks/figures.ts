// Statistics over rounds and samples, and their tables in Markdown.

export interface Spread {
  median: number
  min: number
  max: number
}

/** @throws {RangeError} if there are no values */
export function spreadOf (values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('a median needs one value at least')
  const sorted = ascending(values)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}

export function medianOf (values: readonly number[]): number {
  return spreadOf(values).median
}

/**
 * The median, and the range that holds the true median with a probability of at least 90 %, by the order statistics: all of 5 to 7
 * values, 8 values without the least and the greatest. Fewer than 5 values cannot reach 90 %.
 */
export function confidenceOf (values: readonly number[]): Spread {
  const sorted = ascending(values)
  const count = sorted.length
  let dropped = 0
  // The probability that at most `dropped` of `count` values lie on one side of the true median.
  let ways = 1
  let outside = ways / 2 ** count
  while (dropped < count >> 1) {
    ways = ways * (count - dropped) / (dropped + 1)
    outside += ways / 2 ** count
    if (2 * outside > 0.1) break
    dropped++
  }
  return { median: medianOf(sorted), min: sorted[dropped]!, max: sorted[count - 1 - dropped]! }
}

/** The ratio in each round, because the machine is faster in one round than in the next. A round that one of the two lacks is left out. */
export function ratios (of: ReadonlyArray<number | undefined>, to: ReadonlyArray<number | undefined>): number[] {
  return of.flatMap((value, round) => {
    const base = to[round]
    return value === undefined || base === undefined ? [] : [value / base]
  })
}

/** A table of Markdown that reads well in a terminal too. */
export function table (head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]!.length), 3))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)).join(' | ')} |`
  const rule = `|${widths.map((width, at) => at === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

export const whole = (value: number): string => Math.round(value).toLocaleString('en')
export const percent = (share: number): string => `${Math.round(share * 100)} %`

export function range ({ min, max }: Spread, show: (value: number) => string): string {
  return `${show(min)}–${show(max)}`
}

export function ascending (values: readonly number[]): number[] {
  return values.toSorted((one, other) => one - other)
}
