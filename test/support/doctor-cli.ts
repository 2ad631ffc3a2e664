import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Report } from '../../lib/cli/report.js'
import { run } from '../../lib/cli/run.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { CHILD_ENV } from './child-environment.js'

const MAIN = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url))

/** The output of a run. */
export interface Output {
  code: number | null
  stdout: string
  stderr: string
}

/** The environment of an API of a test realm. */
export function environmentOf ({ issuer, options }: TestRealm): Record<string, string> {
  return { KEYCLOAK_ISSUER: issuer, KEYCLOAK_CLIENT_ID: options.clientId, KEYCLOAK_AUDIENCE: String(options.audience) }
}

interface Given {
  args?: readonly string[]
  env?: Record<string, string | undefined>
  /** The text of standard input. */
  input?: string
  isTTY?: boolean
}

/** Runs the doctor within this process. */
export async function doctor ({ args = [], env = {}, input = '', isTTY = false }: Given): Promise<Output> {
  const output = { stdout: '', stderr: '' }
  const stdin = Object.assign(Readable.from(input === '' ? [] : [input]), { isTTY })
  const code = await run({
    args: ['doctor', ...args],
    env,
    stdin,
    stdout: { write: (text) => { output.stdout += text }, isTTY, hasColors: () => true },
    stderr: { write: (text) => { output.stderr += text } }
  })
  return { code, ...output }
}

/** The report as JSON. */
export async function report (given: Given): Promise<Report & { code: number | null, text: string }> {
  const { code, stdout } = await doctor({ ...given, args: ['--json', ...given.args ?? []] })
  return { ...JSON.parse(stdout), code, text: stdout }
}

/** The codes of what did not pass, by check: `aud aud_mismatch`. */
export function findingsOf ({ checks }: Pick<Report, 'checks'>, status = 'failed'): string[] {
  return checks.filter((each) => each.status === status).map(({ check, code }) => `${check} ${code}`)
}

/** Runs the doctor as its users do, as a process of its own. */
export async function doctorProcess ({ args = ['doctor'], env = {}, input }: Omit<Given, 'isTTY'>): Promise<Output> {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], { env: { ...CHILD_ENV, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) child[stream].setEncoding('utf8').on('data', (text) => { output[stream] += text })
  child.stdin.on('error', () => {}).end(input)
  const [code] = await once(child, 'close')
  return { code, ...output }
}
