// Runs npm in the folder of a project, for test-examples.mjs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const TIMEOUT = 180_000
const START_TIMEOUT = 60_000

const running = new Set()

/**
 * @returns the output of npm
 * @throws {Error} with the output, if npm fails
 */
export async function npm (args, cwd, env = process.env) {
  const child = start(args, cwd, env)
  const timer = setTimeout(end, TIMEOUT, child)
  const [code, signal] = await child.closed
  clearTimeout(timer)
  if (code === 0) return child.output
  throw new Error(`npm ${args.join(' ')} ended with ${signal ?? `code ${code}`}\n${child.output}`)
}

/**
 * Runs `npm start` until it prints that Ctrl+C ends it, then the curl lines that it printed, each of which has its expected status
 * after a #, and then presses Ctrl+C.
 */
export async function startProject (cwd) {
  // The project starts with its own database and test realm, even if this machine's environment names others.
  const { DATABASE_URL, KEYCLOAK_ISSUER, ...env } = process.env
  const child = start(['start'], cwd, { ...env, PORT: '0' })
  const timer = setTimeout(end, START_TIMEOUT, child)
  while (running.has(child) && !child.output.includes('Ctrl+C')) await Promise.race([once(child.stdout, 'data'), child.closed])
  if (running.has(child)) await curl(child.output, cwd)
  signal(child, 'SIGINT')
  const [, killed] = await child.closed
  clearTimeout(timer)
  if (!child.output.includes('Ctrl+C')) throw new Error(`npm start did not print that Ctrl+C ends it\n${child.output}`)
  if (killed === 'SIGKILL') throw new Error(`npm start did not end by Ctrl+C\n${child.output}`)
}

/** Runs the variables and curl lines of the output in one shell, in their order, as a reader would paste them. */
async function curl (output, cwd) {
  const lines = output.split('\n').filter((line) => /^([A-Z_]+=|curl )/.test(line))
  const expected = lines.flatMap((line) => line.startsWith('curl -i') ? [/# (\d{3})\b/.exec(line)?.[1]] : [])
  const script = lines.map((line) => line.replace('curl -i', 'curl -s -o /dev/null -w "%{http_code}\\n"')).join('\n')
  const shell = spawn('sh', ['-c', script], { cwd, stdio: ['ignore', 'pipe', 'inherit'], timeout: START_TIMEOUT })
  let answers = ''
  shell.stdout.setEncoding('utf8').on('data', (text) => { answers += text })
  await once(shell, 'close')
  if (answers.trim() !== expected.join('\n')) {
    throw new Error(`the curl lines were answered ${answers.trim().split('\n')} instead of ${expected}\n${output}`)
  }
}

function start (args, cwd, env) {
  // npm gives its own path to the scripts that it runs; without npm_execpath, npm is looked up in the PATH.
  const { npm_execpath: script } = process.env
  const [command, before] = script ? [process.execPath, [script]] : ['npm', []]
  // A process group of its own, so that the processes that npm started end with it.
  const child = spawn(command, [...before, ...args], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  child.output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { child.output += text })
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
  } catch {} // The process has ended meanwhile.
}

/** Ends all processes that still run. */
export function endAll () {
  for (const child of running) end(child)
}
