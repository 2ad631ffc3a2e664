// One contender, running: started, asked whether it tells good tokens from bad ones, and measured.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Contender } from './contenders.js'
import { load } from './load.js'
import { here } from './paths.js'
import { CORE, end, failure, saying, startNode } from './processes.js'
import { CLIENT, type Realm, type Requests } from './realm.js'

/** What a contender is asked before it is measured. */
export interface Questions {
  good: string
  bad: Record<string, string>
}

export interface Measured {
  /** Requests per second. */
  rate: number
  /** Microseconds. */
  p50: number
  p99: number
  /** Share of its core that the server took: well below 1 means that it was not what limited the load. */
  busy: number
  /** Requests per second of the server's CPU time, which other processes on the machine disturb less. */
  perCpu: number
}

export interface Usage {
  cpu: NodeJS.CpuUsage
  memory: NodeJS.MemoryUsage
}

export interface Server {
  port: number
  usage: () => Promise<Usage>
  /** An error with what it wrote last. */
  failure: (problem: string) => Error
  end: () => Promise<void>
  /** Lets it end by itself, and write what it has to write. */
  leave: () => Promise<void>
}

export async function startIssuer (realm: Realm, jwks = realm.jwks): Promise<ChildProcess> {
  const { port, path } = realm
  const issuer = startNode(CORE.others, [here('issuer.mjs'), JSON.stringify({ port, path, jwks, ...CLIENT })])
  const { error } = await saying<{ error?: string }>(issuer, 'the issuer')
  if (error !== undefined) throw new Error(`the issuer cannot listen: ${error}`)
  return issuer
}

export async function startServer ({ module, mode, name }: Contender, realm: Realm, flags: readonly string[] = []): Promise<Server> {
  const { issuer, publicJwk, username } = realm
  const child = startNode(CORE.server, [...flags, here('contenders/serve.mjs'), JSON.stringify({
    contender: module, mode: mode ?? 'default', realm: { issuer, publicJwk, username, ...CLIENT }
  })])
  const { port } = await saying<{ port: number }>(child, name)
  return {
    port,
    failure: (problem) => failure(child, `${name} ${problem}`),
    end: () => end(child),
    leave: async () => {
      const ended = once(child, 'exit', { signal: AbortSignal.timeout(10_000) })
      child.disconnect()
      await ended
    },
    usage: async () => {
      child.send('usage')
      return await saying<Usage>(child, name)
    }
  }
}

/**
 * A good token is 200 with the answer that all give; a bad one is refused.
 * @throws {Error} when it is otherwise
 */
export async function examine ({ module, open }: Contender, { port, failure }: Server, { good, bad }: Questions, username: string): Promise<void> {
  if (open !== true) for (const [kind, token] of Object.entries(bad)) await refuses(kind, token)
  if (module === 'verify') await refuses('forged', bad.forged!)
  const [status, body] = await ask(port, good)
  const expected = JSON.stringify({ hello: username })
  if (status !== 200 || body !== expected) throw failure(`answered a good token ${status} ${body}, not 200 ${expected}`)

  async function refuses (kind: string, token: string): Promise<void> {
    const [status] = await ask(port, token)
    if (status !== 401 && status !== 403) throw failure(`answered a token that is ${kind} ${status}, not 401 or 403`)
  }
}

export async function measure (server: Server, requests: Requests, seconds: number): Promise<Measured> {
  const before = await server.usage()
  const { requests: answered, microseconds, p50, p99, failed } = await load(server.port, requests, seconds)
  const { cpu } = await server.usage()
  if (failed > 0) throw server.failure(`failed ${failed} of ${answered} requests`)
  const busy = cpu.user + cpu.system - before.cpu.user - before.cpu.system
  return { rate: answered / (microseconds / 1e6), p50, p99, busy: busy / microseconds, perCpu: answered / (busy / 1e6) }
}

async function ask (port: number, token: string): Promise<[status: number, body: string]> {
  const response = await fetch(`http://127.0.0.1:${port}/profile`, {
    headers: { authorization: `Bearer ${token}` }, redirect: 'manual', signal: AbortSignal.timeout(10_000)
  })
  return [response.status, await response.text()]
}
