// Figures as tables of Markdown, which read well in a terminal too.
import type { Spread } from './statistics.js'

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
