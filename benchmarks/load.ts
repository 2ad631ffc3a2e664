// Load, by wrk where it is installed, else by autocannon, which takes more of its core.
import { here } from './paths.js'
import { CORE, has, output } from './processes.js'
import type { Requests } from './realm.js'

const CONNECTIONS = 64

/** Seconds until a request counts as one without an answer: more than the slowest contender takes on a machine at work. */
const PATIENCE = 10

export const generator = has('wrk') ? 'wrk' : 'autocannon'

export interface Load {
  requests: number
  microseconds: number
  /** Latencies, in microseconds. */
  p50: number
  p99: number
  /** Answers other than 200, and requests without one. */
  failed: number
}

export async function load (port: number, { file, size, count }: Requests, seconds: number): Promise<Load> {
  const url = `http://127.0.0.1:${port}`
  const [command, parameters] = generator === 'wrk'
    ? ['wrk', ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--timeout', `${PATIENCE}s`, '-s', here('wrk.lua'), url, '--', file, String(size), String(count)]] as const
    : [process.execPath, [here('autocannon.mjs'), JSON.stringify({ url, file, size, count, seconds, connections: CONNECTIONS })]] as const
  const text = await output(CORE.others, command, parameters, seconds + 30)
  const result = /^RESULT (.*)$/m.exec(text)
  if (result === null) throw new Error(`${generator} gave no result: ${text.slice(-500)}`)
  return JSON.parse(result[1]!) as Load
}
