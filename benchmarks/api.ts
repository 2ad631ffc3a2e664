// The API that bench:forged and bench:crowd attack, in a process of its own, and its load: honest requests at a steady pace, and as many
// forged ones as the API can take.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Health } from '../types/instance.js'
import type { KeycloakOptions } from '../types/options.js'
import { ascending } from './figures.js'

/** One request: a token at a guarded route, or the body of a push of Keycloak. */
export type Forgery = { token: string } | { path: string, type: string, body: string }

export interface Usage {
  /** Bytes of the heap after a garbage collection. */
  memory: number
  /** Microseconds of processor time so far. */
  cpu: number
  health: Health
}

export interface Answer {
  status: number
  /** Milliseconds. */
  took: number
}

export interface Flood {
  perSecond: number
  /** Microseconds of the API's processor time for each request. */
  cost: number
  statuses: string
}

/** Sends requests to an API. */
export class Client {
  readonly url: string

  constructor (url: string) {
    this.url = url
  }

  ask (forgery: Forgery, agent: Agent): Promise<Answer> {
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

  /** Requests with the tokens in turn, at a steady pace whether or not they are answered. */
  async pace (tokens: readonly string[], seconds: number, perSecond = 200): Promise<Answer[]> {
    const agent = new Agent({ keepAlive: true })
    const pending: Array<Promise<Answer>> = []
    const start = performance.now()
    for (let at = 0; at < seconds * perSecond; at++) {
      const due = start + at * 1000 / perSecond
      while (performance.now() < due) await sleep(1)
      pending.push(this.ask({ token: tokens[at % tokens.length]! }, agent))
    }
    const answers = await Promise.all(pending)
    agent.destroy()
    return answers
  }
}

export class Api extends Client {
  readonly #child: ChildProcess

  constructor (child: ChildProcess, url: string) {
    super(url)
    this.#child = child
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

  /** Whether its process has ended. */
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

  /** Several senders, each of which sends its next request when the last one is answered. */
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
}

/** The milliseconds below which a share of the answers came. */
export function percentile (answers: readonly Answer[], share: number): number {
  return ascending(answers.map(({ took }) => took))[Math.floor(answers.length * share)]!
}

/** The count of each status, or of each of other answers: `990 × 400, 10 × 503`. */
export function tally (statuses: ReadonlyArray<number | string>): string {
  const times = new Map<number | string, number>()
  for (const status of statuses) times.set(status, (times.get(status) ?? 0) + 1)
  return [...times].map(([status, count]) => `${count} × ${status}`).join(', ')
}
