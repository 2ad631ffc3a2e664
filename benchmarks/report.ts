// The results of all parts: kept in .cache/, compared with the targets, and written into the marked sections of docs/performance.md.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { table } from './figures.js'
import { cacheFile, pinned, root } from './processes.js'
import { serverNode, versionOf } from './server-node.js'

/** The result of one part of the benchmarks. */
export interface Part {
  /** Markdown. */
  text: string
  /** For the table of targets. */
  values: Readonly<Record<string, number>>
  /** The Nodes of its servers, if they are others than that of the option `--node`. */
  nodes?: string
}

/** The results by the name of the part, each with the date and the machine of its measurement. */
export type Kept = Record<string, Part & { where: string }>

interface Target {
  title: string
  /** The name of the measured value. */
  value: string
  least?: number
  most?: number
  show: (value: number) => string
}

/** Requests per second of drf-keycloak on gunicorn, one worker, one hot token: measured once, on a machine like this one. */
export const DRF_KEYCLOAK = 1304

const PAGE = join(root, 'docs/performance.md')
const FILE = cacheFile('results.json')

const ratio = (value: number): string => value.toFixed(2)
const times = (value: number): string => value.toFixed(1)
const megabytes = (value: number): string => `${value.toFixed(0)} MB`

const TARGETS: readonly Target[] = [
  { title: 'one hot token, against a bare Fastify route with the same headers sent', value: 'ours/bare', least: 0.95, show: ratio },
  { title: '1,000 tokens in turn, same base', value: 'ours-1000/bare-1000', least: 0.85, show: ratio },
  { title: '100,000 distinct tokens over a cache of 1,000, against a route that does only `crypto.verify`', value: 'ours-100k/verify-100k', least: 0.8, show: ratio },
  { title: 'the same, against jose\'s `jwtVerify` in a hook', value: 'ours-100k/jose-100k', least: 1.3, show: ratio },
  { title: 'hot, against @fastify/jwt + get-jwks with its cache on', value: 'ours/fastify-jwt-cache', least: 4.5, show: times },
  { title: 'introspection each request, against a bare route that makes the same undici call', value: 'ours-introspection/bare-call', least: 0.9, show: ratio },
  { title: 'introspection with `cacheTtl`, hot, against bare', value: 'ours-ttl/bare', least: 0.9, show: ratio },
  { title: `hot, against drf-keycloak on gunicorn, one worker (${DRF_KEYCLOAK.toLocaleString('en')} requests/s, measured once)`, value: 'ours/drf-keycloak', least: 40, show: times },
  { title: 'resident memory of a full cache of 10,000 tokens, over an empty one', value: 'memory', most: 100, show: megabytes },
  { title: 'the same after 200,000 further tokens', value: 'memoryFurther', most: 100, show: megabytes },
  { title: 'start: import to listening, over bare Fastify', value: 'start', most: 60, show: (value) => `${value.toFixed(0)} ms` }
]

/** The ratios of two contenders among the targets, such as `ours/bare`. */
export const RATIOS = TARGETS.map(({ value }) => value.split('/')).filter(([, to]) => to !== undefined && to !== 'drf-keycloak') as Array<[string, string]>

/** Earlier results count for the targets as well. */
export function earlierResults (): Kept {
  return existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) as Kept : {}
}

export function add (kept: Kept, name: string, part: Part): void {
  kept[name] = { ...part, where: machine(part.nodes) }
}

/** @throws {Error} if the page lacks the section of a part */
export function write (kept: Kept): void {
  mkdirSync(cacheFile(''), { recursive: true })
  writeFileSync(FILE, JSON.stringify(kept))
  let page = readFileSync(PAGE, 'utf8')
  for (const [name, { text, where }] of Object.entries(kept)) page = replaceSection(page, name, `${where}\n\n${text}`)
  writeFileSync(PAGE, replaceSection(page, 'targets', targetsTable(kept)))
}

export function targetsTable (kept: Kept): string {
  const values = Object.assign({}, ...Object.values(kept).map((part) => part.values)) as Record<string, number>
  return table(['target', 'wanted', 'measured', ''], TARGETS.map(({ title, value: name, least, most, show }) => {
    const value = values[name]
    const wanted = least === undefined ? `under ${show(most!)}` : `at least ${show(least)}`
    if (value === undefined) return [title, wanted, '', 'not measured']
    const reached = least === undefined ? value < most! : value >= least
    return [title, wanted, show(value), reached ? 'reached' : 'NOT reached']
  }))
}

/** @throws {Error} if one of the section's two markers is missing */
export function replaceSection (page: string, name: string, text: string): string {
  const begin = `<!-- ${name}: written by npm run bench -->\n`
  const end = `<!-- end of ${name} -->`
  const from = page.indexOf(begin)
  const to = page.indexOf(end, from)
  if (from === -1 || to === -1) throw new Error(`the page has no section between "${begin.trim()}" and "${end}"`)
  return `${page.slice(0, from + begin.length)}\n${text}\n\n${page.slice(to)}`
}

/** The date, the Node of the servers, and the machine. */
export function machine (nodes = versionOf(serverNode())): string {
  const date = new Date().toISOString().slice(0, 10)
  const cores = pinned ? 'the server on a core of its own, load and issuer on another' : 'processes not pinned to cores'
  return `${date}, Node ${nodes}, ${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? 'an unknown processor'}; load by wrk, ${cores}.`
}
