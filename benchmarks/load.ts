// The load, by wrk: a request takes a third of the processor time that autocannon spends on it, and less than the server spends,
// so the server is the limit.
import { CORE, here, resultOf } from './processes.js'
import type { Requests } from './realm.js'

const CONNECTIONS = 64

/** Seconds until a request counts as unanswered: more than the slowest contender takes on a busy machine. */
const TIMEOUT = 10

export interface Load {
  requests: number
  microseconds: number
  /** Latencies in microseconds. */
  p50: number
  p99: number
  /** Answers with a status of 400 or more. */
  refused: number
  /** Requests without an answer. */
  failed: number
}

export async function load (port: number, { file, size, count, order }: Requests, seconds: number, connections = CONNECTIONS): Promise<Load> {
  return await resultOf<Load>(CORE.others, 'wrk', [
    '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', `${TIMEOUT}s`, '-s', here('wrk.lua'),
    `http://127.0.0.1:${port}`, '--', file, String(size), String(count),
    ...order === undefined ? [] : [order.file, String(order.from)]
  ], seconds + 30)
}
