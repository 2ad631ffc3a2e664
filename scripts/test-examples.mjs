// npm run test:examples [-- name ...]: checks each folder of examples/ that has a package.json as its users have it. The folder
// is copied out of the repository, installed with the packed package, type-checked, tested and started, and the curl lines that
// it prints must have the answers that they name. An example has its own node_modules, because in a common one it would find
// dependencies that its package.json lacks; npm makes it of the last example's, by adding and removing what differs. Prints one line for each example, and ends with code 1 if one fails.
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, constants, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pack } from './pack.mjs'
import { startPostgres } from './postgres.mjs'
import { endAll, npm, startProject } from './projects.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const EXAMPLES = join(ROOT, 'examples')
const AT_ONCE = Math.max(1, Math.floor(availableParallelism() / 2))

// The real path, because a temporary folder may be a link, which Node and npm would follow.
const temp = realpathSync(mkdtempSync(join(tmpdir(), 'examples-')))
let postgres
process.on('exit', () => {
  endAll()
  postgres?.stop()
  rmSync(temp, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(128 + constants.signals[signal]))

const projects = chosen(process.argv.slice(2))
// An example that needs a database gets a real one, so no example is skipped.
const needsPostgres = projects.some(({ dependencies }) => dependencies?.pg !== undefined)
if (needsPostgres && !process.env.DATABASE_URL) postgres = await startPostgres()
const env = postgres === undefined ? process.env : { ...process.env, DATABASE_URL: postgres.url }
const tarball = await pack(ROOT, temp, npm)
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  let last
  for (let project; (project = projects.shift()) !== undefined;) last = await check(project, last)
}))
process.exit()

function chosen (asked) {
  const all = readdirSync(EXAMPLES).filter((name) => existsSync(join(EXAMPLES, name, 'package.json')))
  const unknown = asked.find((name) => !all.includes(name))
  if (unknown === undefined) return (asked.length > 0 ? asked : all).map((folder) => ({ folder, ...readProject(join(EXAMPLES, folder)) }))
  console.error(`There is no example "${unknown}"; there are ${all.join(', ')}.`)
  process.exit(1)
}

/** @returns the folder that the example was checked in */
async function check ({ folder: name, scripts }, last) {
  const folder = join(temp, name)
  const seconds = []
  const step = async (label, body) => {
    const start = performance.now()
    await body()
    seconds.push(`${label} ${((performance.now() - start) / 1000).toFixed(1)} s`)
  }
  try {
    copy(name, folder)
    if (last !== undefined && existsSync(join(last, 'node_modules'))) renameSync(join(last, 'node_modules'), join(folder, 'node_modules'))
    await step('install', () => npm(['install', '--no-audit', '--no-fund', '--prefer-offline'], folder))
    await step('typecheck', () => npm(['run', '--if-present', 'typecheck'], folder))
    await step('test', () => test(folder))
    if (scripts.start !== undefined) await step('start', () => startProject(folder))
    console.log(`ok      ${name} (${seconds.join(', ')})`)
  } catch (error) {
    process.exitCode = 1
    console.log(`FAILED  ${name}: ${error.message}`)
  }
  return folder
}

async function test (folder) {
  const output = await npm(['test'], folder, env)
  // node:test does not fail if it finds no test file.
  if (/^\S tests 0$/m.test(output)) throw new Error(`npm test found no test\n${output}`)
}

function copy (name, folder) {
  cpSync(join(EXAMPLES, name), folder, { recursive: true, filter: (path) => basename(path) !== 'node_modules' })
  const project = readProject(folder)
  const { dependencies, devDependencies } = project
  const ours = [dependencies, devDependencies].find((list) => list?.['fastify-keycloak-bearer'] === 'file:../..')
  if (ours === undefined) throw new Error('its package.json does not ask for "fastify-keycloak-bearer": "file:../.."')
  ours['fastify-keycloak-bearer'] = `file:${tarball}`
  writeFileSync(join(folder, 'package.json'), JSON.stringify(project, null, 2))
}

function readProject (folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}
