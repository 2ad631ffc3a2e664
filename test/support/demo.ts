import { type ChildProcess, spawn } from 'node:child_process'
import type { Test } from 'tap'
import { CHILD_ENV } from './child-environment.js'

/** Without the hooks of the test runner, which would mistake the lines of another transpiler for its own. */
export const DEMO = 'unset NODE_OPTIONS; exec node --import tsx examples/demo/server.ts'

/** The demo, running. */
export interface Demo {
  child: ChildProcess
  /** What it printed. */
  said: string
  /** `http://127.0.0.1:PORT` */
  url: string
}

/** Start the demo and wait until it has said what it says; it may be on a test realm of this process. It ends with the test. */
export async function startDemo (t: Test, env: Record<string, string> = {}): Promise<Demo> {
  const child = spawn('sh', ['-c', DEMO], { env: { ...CHILD_ENV, NODE_ENV: 'test', PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => { child.kill() })
  let said = ''
  for await (const chunk of child.stdout!) {
    said += String(chunk)
    if (said.includes('Ctrl+C')) break
  }
  const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? []
  if (url === undefined) throw new Error('The demo did not start.')
  return { child, said, url }
}
