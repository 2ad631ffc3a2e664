// The API that bench:forged attacks, in a process of its own, and what is sent to it: honest requests at a steady pace,
// and as many forged ones as there is room for.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { fileURLToPath } from 'node:url'
import type { KeycloakOptions } from '../types/options.js'

const HONEST_PER_SECOND = 200

/** One request: a token at a guarded route, or the body of a call of Keycloak. */
export type Forgery = { token: string } | { path: string, type: string, body: string }

export interface Usage {
  /** Bytes of the heap after a garbage collection. */
  memory: number
  /** Microseconds of processor time so far. */
  cpu: number
}

export interface Flood {
  perSecond: number
  /** Microseconds of the API's processor time for each. */
  cost: number
  statuses: string
}

export class Api {
  readonly url: string
  readonly #child: ChildProcess

  constructor (child: ChildProcess, url: string) {
    this.#child = child
    this.url = url
  }

  /** @param heap megabytes of the old space */
  static async start (options: Partial<KeycloakOptions>, heap = 4096): Promise<Api> {
    const child = fork(fileURLToPath(new URL('../test/soak/api.ts', import.meta.url)), [JSON.stringify(options)], {
      execArgv: [...process.execArgv, '--expose-gc', `--max-old-space-size=${heap}`],
      env: { ...process.env, NODE_ENV: 'test' }
    })
    const [{ url }] = await once(child, 'message') as [{ url: string }]
    return new Api(child, url)
  }

  /** Has its process ended? */
  get ended (): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  async usage (): Promise<Usage> {
    this.#child.send('usage')
    const [usage] = await once(this.#child, 'message') as [Usage]
    return usage
  }

  end (): void {
    this.#child.kill()
  }

  /** @returns the status, and how long it took, in milliseconds */
  ask (forgery: Forgery, agent: Agent): Promise<{ status: number, took: number }> {
    const started = performance.now()
    const { path, body, ...options } = 'token' in forgery
      ? { path: '/profile', body: undefined, headers: { authorization: `Bearer ${forgery.token}` } }
      : { path: forgery.path, body: forgery.body, method: 'POST', headers: { 'content-type': forgery.type, 'content-length': forgery.body.length } }
    return new Promise((resolve, reject) => {
      httpRequest(`${this.url}${path}`, { agent, ...options }, (response) => {
        response.resume().on('end', () => resolve({ status: response.statusCode!, took: performance.now() - started }))
      }).on('error', reject).end(body)
    })
  }

  /** As many as there is room for, by several senders. */
  async flood (forgeries: readonly Forgery[], seconds: number, senders: number): Promise<Flood> {
    const agent = new Agent({ keepAlive: true, maxSockets: senders })
    const { cpu } = await this.usage()
    const end = performance.now() + seconds * 1000
    const statuses: number[] = []
    let next = 0
    await Promise.all(Array.from({ length: senders }, async () => {
      while (performance.now() < end) {
        const { status } = await this.ask(forgeries[next++ % forgeries.length]!, agent)
        statuses.push(status)
      }
    }))
    agent.destroy()
    return {
      perSecond: Math.round(statuses.length / seconds),
      cost: ((await this.usage()).cpu - cpu) / statuses.length,
      statuses: tally(statuses)
    }
  }

  /** At a steady pace, whether answers come or not: the time each took, in milliseconds. */
  async pace (tokens: readonly string[], seconds: number): Promise<number[]> {
    const agent = new Agent({ keepAlive: true, maxSockets: 64 })
    const pending: Array<Promise<{ status: number, took: number }>> = []
    const start = performance.now()
    for (let at = 0; at < seconds * HONEST_PER_SECOND; at++) {
      const due = start + at * 1000 / HONEST_PER_SECOND
      while (performance.now() < due) await new Promise((resolve) => { setTimeout(resolve, 1) })
      pending.push(this.ask({ token: tokens[at % tokens.length]! }, agent))
    }
    const answers = await Promise.all(pending)
    agent.destroy()
    const wrong = answers.filter(({ status }) => status !== 200).length
    if (wrong > 0) throw new Error(`${wrong} honest requests were not answered 200`)
    return answers.map(({ took }) => took).sort((one, other) => one - other)
  }
}

export function show (times: readonly number[]): string {
  const at = (share: number) => times[Math.floor(times.length * share)]!.toFixed(1)
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`
}

/** How often each came: `990 × 400, 10 × 503`. */
export function tally (statuses: readonly number[]): string {
  const times = new Map<number, number>()
  for (const status of statuses) times.set(status, (times.get(status) ?? 0) + 1)
  return [...times].map(([status, count]) => `${count} × ${status}`).join(', ')
}
