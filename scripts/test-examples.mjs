// npm run test:examples [-- name ...]: each folder of examples/ that has a package.json, as its users have it: copied out
// of here, installed on its own with the packed package, type-checked and tested. A line each; ends with code 1 when one
// fails. Installed on its own, since in a common node_modules an example would find what it forgot to ask for.
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const EXAMPLES = join(ROOT, 'examples')
const AT_ONCE = 2
const TIMEOUT = 180_000

// Real, since Node and npm would follow the link that a temporary folder may be.
const temp = realpathSync(mkdtempSync(join(tmpdir(), 'examples-')))
const running = new Set()
process.on('exit', () => {
  for (const child of running) end(child)
  rmSync(temp, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(128 + constants.signals[signal]))

const names = chosen(process.argv.slice(2))
const tarball = await pack()
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  for (let name; (name = names.shift()) !== undefined;) await example(name)
}))

function chosen (asked) {
  const all = readdirSync(EXAMPLES).filter((name) => existsSync(join(EXAMPLES, name, 'package.json')))
  const unknown = asked.find((name) => !all.includes(name))
  if (unknown === undefined) return asked.length > 0 ? asked : all
  console.error(`There is no example "${unknown}"; there are ${all.join(', ')}.`)
  process.exit(1)
}

async function pack () {
  await npm(['pack', '--pack-destination', temp], ROOT)
  return join(temp, readdirSync(temp).find((file) => file.endsWith('.tgz')))
}

async function example (name) {
  const folder = join(temp, name)
  const seconds = []
  const step = async (label, args) => {
    const start = performance.now()
    const output = await npm(args, folder)
    seconds.push(`${label} ${((performance.now() - start) / 1000).toFixed(1)} s`)
    return output
  }
  try {
    copy(name, folder)
    await step('install', ['install', '--no-audit', '--no-fund', '--prefer-offline'])
    await step('typecheck', ['run', 'typecheck'])
    const output = await step('test', ['test'])
    // node:test is content with a file that it does not find.
    if (/^\S tests 0$/m.test(output)) throw new Error(`npm test found no test\n${output}`)
    console.log(`ok      ${name} (${seconds.join(', ')})`)
  } catch (error) {
    process.exitCode = 1
    console.log(`FAILED  ${name}\n${error.message}`)
  }
}

function copy (name, folder) {
  cpSync(join(EXAMPLES, name), folder, { recursive: true, filter: (path) => basename(path) !== 'node_modules' })
  const file = join(folder, 'package.json')
  const text = readFileSync(file, 'utf8')
  if (!text.includes('"file:../.."')) throw new Error(`${name}/package.json does not depend on "file:../.."`)
  writeFileSync(file, text.replace('"file:../.."', JSON.stringify(`file:${tarball}`)))
}

function npm (args, cwd) {
  // npm itself says where it is to what it runs; without it, look on the PATH.
  const { npm_execpath: script } = process.env
  return script ? run(process.execPath, [script, ...args], cwd) : run('npm', args, cwd)
}

/** What it printed, or an error with what it printed. */
async function run (command, args, cwd) {
  // A group of its own, so that what npm started ends with it.
  const child = spawn(command, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { output += text })
  const timer = setTimeout(end, TIMEOUT, child)
  try {
    const [code, signal] = await once(child, 'close')
    if (code === 0) return output
    throw new Error(`${args.join(' ')} ended with ${signal ?? `code ${code}`}\n${output}`)
  } finally {
    clearTimeout(timer)
    running.delete(child)
  }
}

function end (child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {} // It has ended meanwhile.
}
