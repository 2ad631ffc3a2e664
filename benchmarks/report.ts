// What was measured: kept in .cache/ part by part, and written into the marked sections of docs/performance.md.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { generator } from './load.js'
import { cacheFile, root } from './paths.js'
import type { Part } from './part.js'
import { pinned } from './processes.js'
import { replaceSection } from './sections.js'
import { targetsTable } from './targets.js'

export type Kept = Record<string, Part & { where: string }>

const PAGE = join(root, 'docs/performance.md')
const FILE = 'results.json'

/** What was measured before counts for the targets as well. */
export function measuredBefore (): Kept {
  return existsSync(cacheFile(FILE)) ? JSON.parse(readFileSync(cacheFile(FILE), 'utf8')) as Kept : {}
}

export function add (kept: Kept, name: string, part: Part): void {
  kept[name] = { ...part, where: machine() }
}

export function targetsOf (kept: Kept): string {
  return targetsTable(Object.assign({}, ...Object.values(kept).map(({ values }) => values)) as Record<string, number>)
}

/** @throws {Error} when the page lacks the section of a part */
export function write (kept: Kept): void {
  mkdirSync(cacheFile(''), { recursive: true })
  writeFileSync(cacheFile(FILE), JSON.stringify(kept))
  let page = readFileSync(PAGE, 'utf8')
  for (const [name, { text, where }] of Object.entries(kept)) page = replaceSection(page, name, `${where}\n\n${text}`)
  writeFileSync(PAGE, replaceSection(page, 'targets', targetsOf(kept)))
}

function machine (): string {
  const date = new Date().toISOString().slice(0, 10)
  const how = pinned ? 'the server on a core of its own, load and issuer on another' : 'processes not pinned to cores'
  return `${date}, Node ${process.versions.node}, ${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? 'an unknown processor'}; load by ${generator}, ${how}.`
}
