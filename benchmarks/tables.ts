// Figures as tables of Markdown, which read well in a terminal too.
import type { Line } from './throughput.js'
import type { Spread } from './statistics.js'

export function table (head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]!.length), 3))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)).join(' | ')} |`
  const rule = `|${widths.map((width, at) => at === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

export function throughputTable (lines: readonly Line[]): string {
  return table(
    ['contender', 'tokens', 'requests/s', 'min–max', 'p50 ms', 'p99 ms', 'core busy', 'per CPU s', 'of its base', 'min–max', 'by CPU', 'base'],
    lines.map(({ name, tokens, rate, p50, p99, busy, perCpu, ratio, cpuRatio, base }) => [
      name, whole(tokens), whole(rate.median), range(rate, whole), milliseconds(p50.median), milliseconds(p99.median),
      percent(busy.median), whole(perCpu.median), two(ratio?.median), ratio === undefined ? '' : range(ratio, two), two(cpuRatio?.median), base ?? ''
    ])
  )
}

export const whole = (value: number): string => Math.round(value).toLocaleString('en')
export const percent = (share: number): string => `${Math.round(share * 100)} %`
const two = (value: number | undefined): string => value?.toFixed(2) ?? ''
const milliseconds = (microseconds: number): string => (microseconds / 1000).toFixed(2)

export function range ({ min, max }: Spread, show: (value: number) => string): string {
  return `${show(min)}–${show(max)}`
}
