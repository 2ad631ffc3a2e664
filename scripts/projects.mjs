// npm in the folder of a project, for test-examples.mjs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const TIMEOUT = 180_000
const START_TIMEOUT = 60_000

const running = new Set()

/** @returns what it printed; throws with that when it fails. */
export async function npm (args, cwd, env = process.env) {
  const child = start(args, cwd, env)
  const timer = setTimeout(end, TIMEOUT, child)
  const [code, signal] = await child.closed
  clearTimeout(timer)
  if (code === 0) return child.said
  throw new Error(`npm ${args.join(' ')} ended with ${signal ?? `code ${code}`}\n${child.said}`)
}

/**
 * `npm start`, until it has said how it ends; then its curl lines, each of which names its status behind a #, and Ctrl+C.
 */
export async function startProject (cwd) {
  // As it comes: on what it has in itself, whatever this machine is set up for.
  const { DATABASE_URL, KEYCLOAK_ISSUER, ...env } = process.env
  const child = start(['start'], cwd, { ...env, PORT: '0' })
  const timer = setTimeout(end, START_TIMEOUT, child)
  while (running.has(child) && !child.said.includes('Ctrl+C')) await Promise.race([once(child.stdout, 'data'), child.closed])
  if (running.has(child)) await curl(child.said, cwd)
  signal(child, 'SIGINT')
  const [, killed] = await child.closed
  clearTimeout(timer)
  if (!child.said.includes('Ctrl+C')) throw new Error(`npm start did not come to say that Ctrl+C ends it\n${child.said}`)
  if (killed === 'SIGKILL') throw new Error(`npm start did not end by Ctrl+C\n${child.said}`)
}

/** Runs the lines that a reader would paste, in one shell: the variables, and the curl lines in their order. */
async function curl (said, cwd) {
  const lines = said.split('\n').filter((line) => /^([A-Z_]+=|curl )/.test(line))
  const expected = lines.flatMap((line) => line.startsWith('curl -i') ? [/# (\d{3})\b/.exec(line)?.[1]] : [])
  const script = lines.map((line) => line.replace('curl -i', 'curl -s -o /dev/null -w "%{http_code}\\n"')).join('\n')
  const shell = spawn('sh', ['-c', script], { cwd, stdio: ['ignore', 'pipe', 'inherit'], timeout: START_TIMEOUT })
  let answers = ''
  shell.stdout.setEncoding('utf8').on('data', (text) => { answers += text })
  await once(shell, 'close')
  if (answers.trim() !== expected.join('\n')) {
    throw new Error(`its curl lines were answered ${answers.trim().split('\n')}, where they say ${expected}\n${said}`)
  }
}

function start (args, cwd, env) {
  // npm itself says where it is to what it runs; without it, look on the PATH.
  const { npm_execpath: script } = process.env
  const [command, before] = script ? [process.execPath, [script]] : ['npm', []]
  // A group of its own, so that what npm started ends with it.
  const child = spawn(command, [...before, ...args], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  child.said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { child.said += text })
  running.add(child)
  child.closed = once(child, 'close').finally(() => running.delete(child))
  return child
}

function end (child) {
  signal(child, 'SIGKILL')
}

function signal (child, name) {
  try {
    process.kill(-child.pid, name)
  } catch {} // It has ended meanwhile.
}

/** All that still runs. */
export function endAll () {
  for (const child of running) end(child)
}
