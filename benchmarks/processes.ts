// Processes of the benchmarks: pinned to a core where taskset is there, and ended with this one.
import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'

/** The server has a core of its own; the load and the issuer share the other. */
export const CORE = { server: 0, others: 1 }

export const pinned = availableParallelism() > 1 && has('taskset')

/** Characters. */
const LAST_WORDS = 4000

const running = new Set<ChildProcess>()
const written = new WeakMap<ChildProcess, string>()
process.on('exit', endAll)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

export function has (command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0
}

export function start (core: number, command: string, parameters: readonly string[], stdio: StdioOptions): ChildProcess {
  const [file, ...rest] = pinned ? ['taskset', '-c', String(core), command, ...parameters] : [command, ...parameters]
  const child = spawn(file!, rest, { stdio, env: { ...process.env, NODE_ENV: 'production' } })
  running.add(child)
  // Not close, which never comes to a child that was disconnected.
  child.once('exit', () => running.delete(child))
  child.once('error', () => running.delete(child))
  return child
}

/** A script of Node that talks to us. What it writes is kept for the case that it fails. */
export function startNode (core: number, parameters: readonly string[]): ChildProcess {
  const child = start(core, process.execPath, parameters, ['ignore', 'pipe', 'pipe', 'ipc'])
  written.set(child, '')
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => written.set(child, `${written.get(child)}${chunk}`.slice(-LAST_WORDS)))
  }
  return child
}

/** An error with what the child wrote last. */
export function failure (child: ChildProcess, problem: string, cause?: unknown): Error {
  const words = written.get(child)
  return new Error(words === undefined || words === '' ? problem : `${problem}; it wrote:\n${words}`, { cause })
}

/**
 * The next thing a child says.
 * @throws {Error} when it ends instead, or says nothing for 30 seconds
 */
export async function saying<T> (child: ChildProcess, name: string): Promise<T> {
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(), 30_000)
  try {
    return await Promise.race([
      once(child, 'message', { signal: over.signal }).then(([message]) => message as T),
      once(child, 'exit', { signal: over.signal }).then(([code]) => { throw failure(child, `${name} ended with ${code}`) })
    ])
  } catch (error) {
    throw over.signal.aborted ? failure(child, `${name} said nothing for 30 seconds`) : error
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

/** What a program writes to its standard output. It is ended after `seconds`. */
export async function output (core: number, command: string, parameters: readonly string[], seconds: number): Promise<string> {
  const child = start(core, command, parameters, ['ignore', 'pipe', 'inherit'])
  const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000)
  let text = ''
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${text.slice(-500)}`)
  return text
}

function endAll (): void {
  for (const child of running) child.kill('SIGKILL')
}
