// npm run check:package: packs the package, installs the tarball beside the projects of scripts/package-check/ in a
// temporary folder, and has each of them use it as its users would. A line a check; ends with code 1 at the first that
// fails.
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, constants, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const NAME = 'fastify-keycloak-bearer'
const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PROJECTS = join(ROOT, 'scripts/package-check')
const TIMEOUT = 180_000

const locked = readJson(join(ROOT, 'package-lock.json')).packages
const versionOf = (name) => locked[`node_modules/${name}`].version

const COMPILERS = {
  'typescript-5.5': 'npm:typescript@~5.5.0',
  'typescript-5.9': `npm:typescript@${versionOf('typescript')}`,
  'typescript-7': 'npm:typescript@^7.0.0'
}
const MODULES = {
  node16: ['--module', 'node16'],
  nodenext: ['--module', 'nodenext'],
  bundler: ['--module', 'esnext', '--moduleResolution', 'bundler']
}

// Real, since Node and npm would follow the link that a temporary folder may be.
const temp = realpathSync(mkdtempSync(join(tmpdir(), `${NAME}-`)))
const aborted = new AbortController()
process.on('exit', () => rmSync(temp, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end(128 + constants.signals[signal]))

try {
  const tarball = await check('npm pack', pack)
  await check('npm install', () => install(tarball))
  await check('the files: sources of the source maps, no tests', files)
  await inParallel([
    ['ES module', () => node('esm', 'main.js')],
    ['CommonJS', () => node('commonjs', 'main.cjs')],
    ['jest, by babel and by require', () => node('jest', bin('jest'), '--ci', '--cacheDirectory', join(temp, 'jest-cache'))],
    ...Object.keys(COMPILERS).flatMap((compiler) => [
      ...Object.keys(MODULES).map((module) => [`${compiler}, ${module}`, () => typescript(compiler, module)]),
      ...['narrowed', 'fastify-jwt'].map((project) => [`${compiler}, types ${project}`, () => declaration(compiler, project)])
    ]),
    ['publint', () => run(bin('publint', ROOT), ['run', tarball, '--strict'])],
    ['are the types wrong', () => run(bin('attw', ROOT, '@arethetypeswrong/cli'), [tarball])]
  ])
} catch (error) {
  console.error(error.stdout || error.stderr ? `${error.stdout}\n${error.stderr}` : error)
  end(1)
}

function end (code) {
  aborted.abort()
  process.exit(code)
}

async function check (name, body) {
  const start = performance.now()
  try {
    const result = await body()
    console.log(`ok      ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
    return result
  } catch (error) {
    if (!aborted.signal.aborted) console.log(`FAILED  ${name}`)
    throw error
  }
}

async function inParallel (checks) {
  const waiting = checks.values()
  const work = async () => { for (const [name, body] of waiting) await check(name, body) }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
}

async function pack () {
  await npm(['pack', '--pack-destination', temp], ROOT)
  return join(temp, readdirSync(temp).find((file) => file.endsWith('.tgz')))
}

/** All of it at once, in the folder above the projects, where each of them finds it. */
async function install (tarball) {
  cpSync(PROJECTS, temp, { recursive: true })
  const beside = ['fastify', '@fastify/jwt', '@types/node']
  writeFileSync(join(temp, 'package.json'), JSON.stringify({
    private: true,
    dependencies: {
      [NAME]: `file:${tarball}`,
      ...Object.fromEntries(beside.map((name) => [name, versionOf(name)])),
      ...COMPILERS,
      jest: '^30.0.0',
      '@babel/plugin-transform-modules-commonjs': '^7.0.0'
    }
  }))
  await npm(['install', '--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts'], temp)
}

function files () {
  const folder = join(temp, 'node_modules', NAME)
  const all = readdirSync(folder, { recursive: true })
  for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md']) {
    if (!all.includes(file)) throw new Error(`${file} is missing`)
  }
  const tests = all.filter((file) => /test-d|\.test\.|package-check/.test(file))
  if (tests.length > 0) throw new Error(`${tests} should not be published`)
  for (const map of all.filter((file) => file.endsWith('.map'))) {
    for (const source of readJson(join(folder, map)).sources) {
      if (!existsSync(join(folder, dirname(map), source))) throw new Error(`${map} points at ${source}, which is not published`)
    }
  }
}

/** Compiles projects into one program, the types of all packages checked too, and runs what came of them. */
async function typescript (compiler, module) {
  const folder = `${compiler}-${module}`
  cpSync(join(PROJECTS, 'typescript'), join(temp, folder), { recursive: true })
  // What is bundled is all one format.
  const projects = module === 'bundler' ? ['esm'] : ['esm', 'commonjs']
  await tsc(compiler, folder, ...MODULES[module], ...projects.map((project) => `${project}/main.ts`))
  for (const project of projects) await node(folder, `${project}/main.js`)
}

/** A declaration that changes the types of a whole program. */
function declaration (compiler, project) {
  return tsc(compiler, 'typescript', ...MODULES.nodenext, '--noEmit', `${project}/main.ts`)
}

function tsc (compiler, folder, ...args) {
  return node(folder, bin('tsc', temp, compiler), '--strict', '--target', 'es2022', '--types', 'node', '--skipLibCheck', 'false', ...args)
}

function node (folder, ...args) {
  return run(process.execPath, args, join(temp, folder))
}

/** The script behind a command, of what is installed in a folder. */
function bin (command, folder = temp, name = command) {
  const home = join(folder, 'node_modules', name)
  const { bin } = readJson(join(home, 'package.json'))
  return join(home, typeof bin === 'string' ? bin : bin[command])
}

function npm (args, cwd) {
  // npm itself says where it is to what it runs; without it, look on the PATH.
  const { npm_execpath: script } = process.env
  return script ? run(process.execPath, [script, ...args], cwd) : run('npm', args, cwd)
}

function run (file, args, cwd = ROOT) {
  const [command, ...rest] = /\.[cm]?js$/.test(file) ? [process.execPath, file, ...args] : [file, ...args]
  return promisify(execFile)(command, rest, { cwd, timeout: TIMEOUT, killSignal: 'SIGKILL', signal: aborted.signal, maxBuffer: 2 ** 26 })
}

function readJson (file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}
