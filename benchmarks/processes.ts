// The processes of the benchmarks, pinned to a core if taskset is there and ended with this one; and the build and the packages
// that they need.
import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))

/** The folder of this checkout. */
export const root = fileURLToPath(new URL('..', import.meta.url))
export const here = (name: string): string => `${HERE}${name}`
export const cacheFile = (name: string): string => `${HERE}.cache/${name}`

/** The server has a core of its own; the load and the issuer share the other. */
export const CORE = { server: 0, others: 1 }

export const pinned = availableParallelism() > 1 && has('taskset')

/** Characters of a child's output that an error quotes. */
const QUOTED = 4000
const ANSWER_WITHIN_MS = 30_000

const running = new Set<ChildProcess>()
const written = new WeakMap<ChildProcess, string>()
process.on('exit', () => { for (const child of running) child.kill('SIGKILL') })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

/** Installs the contenders and builds the package if they are missing or older than their sources. */
export function prepare (): void {
  if (!has('wrk')) throw new Error('the benchmarks need wrk, which makes the load: `apt install wrk` or `brew install wrk`')
  const installed = here('node_modules/.package-lock.json')
  if (!existsSync(installed) || changed(installed) < changed(here('package-lock.json'))) run('npm', ['ci', '--no-audit', '--no-fund'], HERE)
  const built = join(root, 'dist/esm/package.json')
  const sources = ['index.ts', 'lib', 'types', 'package.json', 'tsconfig.json'].map((name) => join(root, name))
  if (!existsSync(built) || sources.some((source) => newest(source) > changed(built))) run('npm', ['run', '--silent', 'build'], root)
}

/**
 * Starts a Node script that talks to this process. Its output is kept for the error of a failure.
 * @param core `undefined` for all of them
 */
export function startNode (core: number | undefined, parameters: readonly string[], node = process.execPath): ChildProcess {
  const child = start(core, node, parameters, ['ignore', 'pipe', 'pipe', 'ipc'])
  written.set(child, '')
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => written.set(child, `${written.get(child)}${chunk}`.slice(-QUOTED)))
  }
  return child
}

/** Starts a program that talks to nobody. */
export function startProgram (core: number, command: string, parameters: readonly string[]): ChildProcess {
  return start(core, command, parameters, 'ignore')
}

/** An error that quotes the last output of the child. */
export function failure (child: ChildProcess, problem: string): Error {
  const output = written.get(child)
  return new Error(output === undefined || output === '' ? problem : `${problem}; its output:\n${output}`)
}

/**
 * The next message of a child.
 * @throws {Error} if the child ends instead, or sends nothing for 30 seconds
 */
export async function messageOf<T> (child: ChildProcess, name: string): Promise<T> {
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(), ANSWER_WITHIN_MS)
  try {
    return await Promise.race([
      once(child, 'message', { signal: over.signal }).then(([message]) => message as T),
      once(child, 'exit', { signal: over.signal }).then(([code]) => { throw failure(child, `${name} ended with ${code}`) })
    ])
  } catch (error) {
    throw over.signal.aborted ? failure(child, `${name} sent no message for 30 seconds`) : error
  } finally {
    clearTimeout(timer)
    over.abort()
  }
}

export async function end (child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** The JSON behind RESULT in the output of a program, which is ended after `seconds`. */
export async function resultOf<T> (core: number, command: string, parameters: readonly string[], seconds: number): Promise<T> {
  const child = start(core, command, parameters, ['ignore', 'pipe', 'inherit'])
  const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000)
  let text = ''
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  const result = /^RESULT (.*)$/m.exec(text)
  if (code !== 0 || result === null) throw new Error(`${command} ${parameters[0]} ended with ${code} and no result: ${text.slice(-500)}`)
  return JSON.parse(result[1]!) as T
}

function start (core: number | undefined, command: string, parameters: readonly string[], stdio: StdioOptions): ChildProcess {
  const [file, ...rest] = pinned && core !== undefined ? ['taskset', '-c', String(core), command, ...parameters] : [command, ...parameters]
  const child = spawn(file!, rest, { stdio, env: { ...process.env, NODE_ENV: 'production' } })
  running.add(child)
  // 'exit', because 'close' never comes for a child that was disconnected.
  child.once('exit', () => running.delete(child))
  child.once('error', () => running.delete(child))
  return child
}

function has (command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0
}

function run (command: string, parameters: string[], folder: string): void {
  console.log(`${command} ${parameters.join(' ')}`)
  const { status } = spawnSync(command, parameters, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error(`${command} ${parameters.join(' ')} ended with ${status}`)
}

function changed (file: string): number {
  return statSync(file).mtimeMs
}

function newest (path: string): number {
  if (!statSync(path).isDirectory()) return changed(path)
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))))
}
