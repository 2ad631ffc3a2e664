// npm run bench:profile -- NAME…: the share of each package and function in the time of a contender under load, by the sampling
// profiler of Node. Idle time is left out; a built-in function (a regular expression, a write) counts for the package that calls it.
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { check, CONTENDERS, measure, startIssuer, startServer, type Contender } from './contenders.js'
import { table } from './figures.js'
import { load } from './load.js'
import { cacheFile, end, prepare, root } from './processes.js'
import { badTokens, openRealm, requestsOf, tokenOf, type Realm } from './realm.js'
import { NODE_OPTION, runServersOn } from './server-node.js'

const LINES = 25
/** Seconds. */
const WARM_UP = 1
const MEASURED = 5

interface Frame {
  id: number
  callFrame: { functionName: string, url: string, lineNumber: number }
  children?: number[]
}

/** The part of a .cpuprofile that counts here; times are microseconds. */
interface Profile {
  nodes: Frame[]
  samples: number[]
  timeDeltas: number[]
}

const { values, positionals: names } = parseArgs({ allowPositionals: true, options: NODE_OPTION })
const contenders = names.map((name) => {
  const found = CONTENDERS.find((each) => each.name === name)
  if (found === undefined) throw new Error(`there is no contender "${name}"; there are ${CONTENDERS.map((each) => each.name).join(', ')}`)
  return found
})
if (contenders.length === 0) throw new Error('name one contender at least, such as: npm run bench:profile -- ours')
prepare()
runServersOn(values.node)
const realm = await openRealm()
for (const contender of contenders) show(contender, await profileOf(contender, realm))
process.exit()

async function profileOf (contender: Contender, realm: Realm): Promise<Profile> {
  const folder = cacheFile('profiles')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const requests = await requestsOf(realm, contender.tokens)
  const issuer = await startIssuer(realm)
  try {
    const server = await startServer(contender, realm, ['--cpu-prof', '--cpu-prof-interval', '200', '--cpu-prof-dir', folder])
    await check(contender, server, { good: await tokenOf(realm, 0), bad: await badTokens(realm) }, realm.username)
    await load(server.port, requests, WARM_UP)
    await measure(server, requests, MEASURED)
    await server.leave()
  } finally {
    await end(issuer)
  }
  const [file] = readdirSync(folder)
  if (file === undefined) throw new Error(`${contender.name} left no profile`)
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile
}

function show ({ name }: Contender, { nodes, samples, timeDeltas }: Profile): void {
  const frames = new Map(nodes.map((node) => [node.id, node]))
  const callers = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)))
  const functions = new Map<string, number>()
  const packages = new Map<string, number>()
  let total = 0
  // From the end, because the samples before the load are those of the start and the warm-up.
  let left = MEASURED * 1e6
  for (let at = samples.length - 1; at >= 0 && left > 0; at--) {
    const took = timeDeltas[at]!
    left -= took
    const frame = frames.get(samples[at]!)!
    const { functionName, url, lineNumber } = frame.callFrame
    if (functionName === '(idle)') continue
    const where = url === '' ? '' : ` ${fileOf(url)}:${lineNumber + 1}`
    add(functions, `${functionName || '(anonymous)'}${where}`, took)
    add(packages, packageOf(frame, callers), took)
    total += took
  }
  console.log(`\n== ${name}: own time by package\n\n${shares(packages, total)}\n\n== ${name}: own time by function\n\n${shares(functions, total)}`)
}

function add (sums: Map<string, number>, name: string, value: number): void {
  sums.set(name, (sums.get(name) ?? 0) + value)
}

function shares (sums: ReadonlyMap<string, number>, total: number): string {
  const sorted = [...sums].sort(([, one], [, other]) => other - one).slice(0, LINES)
  return table(['name', 'share'], sorted.map(([name, value]) => [name, `${(value / total * 100).toFixed(1)} %`]))
}

function fileOf (url: string): string {
  return url.startsWith('file:') ? relative(root, fileURLToPath(url)) : url
}

function packageOf (frame: Frame, callers: ReadonlyMap<number, Frame>): string {
  const { functionName, url } = frame.callFrame
  if (url === '') {
    const caller = callers.get(frame.id)
    return functionName.startsWith('(') || caller === undefined ? functionName : packageOf(caller, callers)
  }
  const file = fileOf(url)
  if (file.startsWith('node:')) return 'node'
  const inside = file.lastIndexOf('node_modules/')
  if (inside === -1) return file.startsWith('dist/') ? `ours: ${file.slice('dist/cjs/'.length)}` : file
  const [scope, name] = file.slice(inside + 'node_modules/'.length).split('/')
  return scope!.startsWith('@') ? `${scope}/${name}` : scope!
}
