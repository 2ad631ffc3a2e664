// npm run check:package: packs the package, installs the tarball beside the projects of scripts/package-check/ in a
// temporary folder, and runs each project as its users would, on every runtime, module format, compiler and bundle.
// Prints one line for each check, and ends with code 1 at the first that fails.
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bundle } from './check-package/bundles.mjs'
import { RUNTIMES, runs } from './check-package/runtimes.mjs'
import { checkFiles, checkSize, checkTraces, kB, MAX_SIZE } from './check-package/tarball.mjs'
import { pack } from './pack.mjs'

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

/** The versions of undici: dispatchers of 7 and 8 carry the calls to Keycloak, those of 6 stop the start. */
const DISPATCHERS = { 'undici-6': 'npm:undici@^6.0.0', 'undici-7': `npm:undici@${versionOf('undici')}`, 'undici-8': 'npm:undici@^8.0.0' }

/** Projects that are only type-checked, by every compiler: each group is a program, as one application would be. */
const PROGRAMS = [['narrowed'], ['declared'], ['fastify-jwt'], ['dispatchers'], ['routes', 'redis', 'typebox', 'zod']]

// The real path, because a temporary folder may be a link, which Node and npm would follow.
const temp = realpathSync(mkdtempSync(join(tmpdir(), `${NAME}-`)))
const alone = realpathSync(mkdtempSync(join(tmpdir(), `${NAME}-bundled-`)))
const aborted = new AbortController()
process.on('exit', () => { for (const folder of [temp, alone]) rmSync(folder, { recursive: true, force: true }) })
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end(128 + constants.signals[signal]))

try {
  const tarball = await check('npm pack', () => pack(ROOT, temp, npm))
  await check(`the tarball is below ${kB(MAX_SIZE)}`, () => checkSize(tarball))
  await check('npm install', () => install(tarball))
  await check('the files: docs, maps with their sources, links of README; no tests', () => checkFiles(join(temp, 'node_modules', NAME)))
  const smoke = ['esm/main.js', 'commonjs/main.cjs', 'esm/both-formats.js']
  if (Object.keys(RUNTIMES).length === 0) console.log('left    other runtimes than this Node: there are no binaries for this machine')
  await inParallel([
    ...smoke.map((project) => [`this Node ${process.versions.node}, ${project}`, () => node('.', project)]),
    ...runs(temp, smoke).map(([name, file, ...args]) => [name, () => run(file, args, temp)]),
    ['dispatchers of undici 6 and 7', () => node('dispatchers', 'main.js', '6', '7')],
    ...['node-22', 'node-24'].filter((runtime) => RUNTIMES[runtime] !== undefined).map((runtime) => [
      `dispatchers of undici 7 and 8, ${runtime}`,
      () => run(join(temp, 'node_modules', runtime, 'bin/node'), ['main.js', '7', '8'], join(temp, 'dispatchers'))
    ]),
    ['stack traces name the lines of the sources, with source maps and without', stackTraces],
    ['esbuild, an ES module', () => bundled('esm/main.js', 'esm')],
    ['esbuild, CommonJS', () => bundled('commonjs/main.cjs', 'cjs')],
    ['esbuild, what a small API weighs', bundledSize],
    ['the program', program],
    ['jest, by babel and by require', () => node('jest', bin('jest'), '--ci', '--cacheDirectory', join(temp, 'jest-cache'))],
    ...Object.keys(COMPILERS).flatMap((compiler) => [
      ...Object.keys(MODULES).map((module) => [`${compiler}, ${module}`, () => typescript(compiler, module)]),
      ...PROGRAMS.map((projects) => [`${compiler}, types ${projects.join(', ')}`, () => types(compiler, projects)]),
      [`${compiler}, messages`, () => node('typescript/messages', 'check.mjs', bin('tsc', temp, compiler))]
    ]),
    ['editors: completions, hover, definitions in the sources', () => node('typescript/editor', 'check.mjs')],
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
    const details = typeof result === 'object' && result.details !== undefined ? `: ${result.details}` : ''
    console.log(`ok      ${name}${details} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
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

/** Installs the tarball and all other packages in the folder above the projects, so that each project finds them. */
async function install (tarball) {
  cpSync(PROJECTS, temp, { recursive: true })
  writeFileSync(join(temp, 'certificate.json'), JSON.stringify(certificate()))
  const beside = [
    'fastify', 'fastify-plugin', '@fastify/jwt', '@types/node', 'ioredis', 'iovalkey',
    '@fastify/type-provider-typebox', 'fastify-type-provider-zod', 'zod'
  ]
  writeFileSync(join(temp, 'package.json'), JSON.stringify({
    private: true,
    dependencies: {
      [NAME]: `file:${tarball}`,
      ...Object.fromEntries(beside.map((name) => [name, versionOf(name)])),
      ...COMPILERS,
      ...RUNTIMES,
      ...DISPATCHERS,
      jest: '^30.0.0',
      '@babel/plugin-transform-modules-commonjs': '^7.0.0'
    }
  }))
  await npm(['install', '--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts'], temp)
}

/** The certificate of the tests, for 127.0.0.1. */
function certificate () {
  const [cert, key] = ['server.crt', 'server.key'].map((name) => readFileSync(join(ROOT, 'test/support/certificates', name), 'utf8'))
  return { cert, key }
}

/** Checks that stack traces have the lines of the TypeScript sources, with source maps and without. */
async function stackTraces () {
  const runs = [['esm/trace.js'], ['commonjs/trace.cjs'], ['--enable-source-maps', 'esm/trace.js']].map((args) => node('.', ...args))
  const [esm, commonjs, mapped] = (await Promise.all(runs)).map(({ stdout }) => stdout)
  checkTraces(join(temp, 'node_modules', NAME), [esm, commonjs], mapped)
}

/** Runs the program that the package installs, which is no part of what the projects import. */
async function program () {
  const { stdout } = await node('.', bin(NAME), 'doctor', '--help')
  if (!stdout.startsWith(`Usage: ${NAME} doctor`)) throw new Error(`the program prints no usage: ${stdout}`)
}

/** Runs a bundle in a folder without node_modules. */
async function bundled (project, format) {
  const [file] = await bundle(join(temp, project), format, join(alone, format))
  await run(file, [], alone)
}

async function bundledSize () {
  const [, bytes] = await bundle(join(temp, 'bundle/app.js'), 'esm', join(alone, 'app'))
  const [, minified] = await bundle(join(temp, 'bundle/app.js'), 'esm', join(alone, 'minified'), true)
  return { details: `${kB(bytes)}, minified ${kB(minified)}` }
}

/** Compiles projects into one program, checks the types of all packages too, and runs the result. */
async function typescript (compiler, module) {
  const folder = `${compiler}-${module}`
  cpSync(join(PROJECTS, 'typescript'), join(temp, folder), { recursive: true })
  // All modules of a bundle have one format.
  const projects = module === 'bundler' ? ['esm'] : ['esm', 'commonjs']
  await tsc(compiler, folder, ...MODULES[module], ...projects.map((project) => `${project}/main.ts`))
  for (const project of projects) await node(folder, `${project}/main.js`)
}

function types (compiler, projects) {
  // The types of fastify-type-provider-zod do not pass 5.5, those of typebox take a minute; those of undici 8 are for a later Node.
  const lax = ['zod', 'dispatchers'].some((name) => projects.includes(name)) ? ['--skipLibCheck', 'true'] : []
  return tsc(compiler, 'typescript', ...MODULES.nodenext, '--noEmit', ...lax, ...projects.map((project) => `${project}/main.ts`))
}

function tsc (compiler, folder, ...args) {
  return node(folder, bin('tsc', temp, compiler), '--strict', '--target', 'es2022', '--types', 'node', '--skipLibCheck', 'false', ...args)
}

function node (folder, ...args) {
  return run(process.execPath, args, join(temp, folder))
}

/** The script of a command that is installed in a folder. */
function bin (command, folder = temp, name = command) {
  const home = join(folder, 'node_modules', name)
  const { bin } = readJson(join(home, 'package.json'))
  return join(home, typeof bin === 'string' ? bin : bin[command])
}

function npm (args, cwd) {
  // npm gives its own path to the scripts that it runs; without npm_execpath, npm is looked up in the PATH.
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
