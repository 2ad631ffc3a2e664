// The contenders: the tokens they get and the base they are compared with; each is started, checked with good and bad tokens, and
// measured.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { load } from './load.js'
import { CORE, end, failure, here, messageOf, root, startNode } from './processes.js'
import { CLIENT, type Realm, type Requests } from './realm.js'
import { serverNode } from './server-node.js'

export interface Contender {
  /** For --only and for the tables. */
  name: string
  /** A server of servers.mjs or competitors.mjs. */
  module: string
  mode?: string
  /** The folder of a build of this package; by default this checkout. */
  build?: string
  /** The binary of Node; by default that of the option `--node`. */
  node?: string
  /** Distinct tokens, sent in turn. */
  tokens: 1 | 1000 | 100_000
  /** The contender that is measured in turn with this one. */
  base?: string
  /** It checks no token. */
  open?: true
  /** It may use each core, also that of the load. */
  everyCore?: true
  /** The port of the Redis of its replay store. */
  redis?: number
}

/** The tokens that a contender has to tell apart before it is measured. */
export interface Probes {
  good: string
  /** By the fault. */
  bad: Record<string, string>
}

export interface Measured {
  /** Requests per second. */
  rate: number
  /** Microseconds. */
  p50: number
  p99: number
  /** The share of its core that the server used: well below 1, the server was not the limit. */
  busy: number
  /** Requests per second of the server's processor time, which other processes of the machine disturb less. */
  perCpu: number
}

export interface Usage {
  cpu: NodeJS.CpuUsage
  memory: NodeJS.MemoryUsage
  /** Requests, and those among them whose token was in the cache, since decisions are counted. */
  decisions: { all: number, cached: number }
}

/** `collect`: after a garbage collection. `count`: decisions are counted from now on. */
export type Task = 'usage' | 'collect' | 'count'

export interface Server {
  port: number
  usage: (task?: Task) => Promise<Usage>
  /** An error that quotes the last output of the server. */
  failure: (problem: string) => Error
  end: () => Promise<void>
  /** Lets the server end by itself and write its files. */
  leave: () => Promise<void>
}

export const CONTENDERS: readonly Contender[] = [
  { name: 'bare', module: 'bare', tokens: 1, open: true },
  { name: 'ours', module: 'ours', tokens: 1, base: 'bare' },
  { name: 'ours-logout', module: 'ours', mode: 'revocation', tokens: 1, base: 'bare' },
  { name: 'ours-sync-user', module: 'ours', mode: 'syncUser', tokens: 1, base: 'bare' },
  { name: 'ours-ttl', module: 'ours', mode: 'cacheTtl', tokens: 1, base: 'bare' },
  { name: 'bare-1000', module: 'bare', tokens: 1000, open: true },
  { name: 'ours-1000', module: 'ours', tokens: 1000, base: 'bare-1000' },
  { name: 'verify-100k', module: 'verify', tokens: 100_000, open: true },
  { name: 'ours-100k', module: 'ours', mode: 'cache of 1,000', tokens: 100_000, base: 'verify-100k' },
  { name: 'ours-no-cache', module: 'ours', mode: 'cache: false', tokens: 100_000, base: 'verify-100k' },
  { name: 'ours-100k-pool', module: 'ours', mode: 'thread pool', tokens: 100_000, base: 'verify-100k' },
  { name: 'jose-100k', module: 'jose', tokens: 100_000, base: 'verify-100k' },
  { name: 'bare-call', module: 'bare-call', tokens: 1, open: true },
  { name: 'ours-introspection', module: 'ours', mode: 'introspection', tokens: 1, base: 'bare-call' },
  { name: 'jose', module: 'jose', tokens: 1, base: 'bare' },
  { name: 'fastify-jwt-cache', module: 'fastify-jwt', mode: 'cache', tokens: 1, base: 'bare' },
  { name: 'fastify-jwt-cache-1000', module: 'fastify-jwt', mode: 'cache', tokens: 1000, base: 'bare-1000' },
  { name: 'fastify-jwt', module: 'fastify-jwt', tokens: 1, base: 'bare' },
  { name: 'fastify-jwt-jwks-cache', module: 'fastify-jwt-jwks', mode: 'cache', tokens: 1, base: 'bare' },
  { name: 'fastify-jwt-jwks', module: 'fastify-jwt-jwks', tokens: 1, base: 'bare' },
  { name: 'express', module: 'express', tokens: 1, base: 'bare', open: true },
  { name: 'express-oauth2-jwt-bearer', module: 'express-oauth2-jwt-bearer', tokens: 1, base: 'express' },
  { name: 'keycloak-connect', module: 'keycloak-connect', tokens: 1, base: 'express' }
]

/** The named contenders and their bases. */
export function chosen (names: readonly string[] | undefined): readonly Contender[] {
  if (names === undefined) return CONTENDERS
  const unknown = names.find((name) => !CONTENDERS.some((each) => each.name === name))
  if (unknown !== undefined) throw new Error(`--only: there is no contender "${unknown}"; there are ${CONTENDERS.map(({ name }) => name).join(', ')}`)
  const bases = CONTENDERS.flatMap(({ name, base }) => names.includes(name) && base !== undefined ? [base] : [])
  return CONTENDERS.filter(({ name }) => names.includes(name) || bases.includes(name))
}

export async function startIssuer (realm: Realm, jwks = realm.jwks): Promise<ChildProcess> {
  const { port, path } = realm
  const issuer = startNode(CORE.others, [here('servers.mjs'), JSON.stringify({ module: 'issuer', realm: { port, path, jwks, ...CLIENT } })])
  await messageOf(issuer, 'the issuer')
  return issuer
}

export async function startServer (contender: Contender, realm: Realm, flags: readonly string[] = []): Promise<Server> {
  const { name, module, mode = 'default', build = root, node = serverNode(), redis, everyCore } = contender
  const { issuer, publicJwk, username } = realm
  const child = startNode(everyCore ? undefined : CORE.server, [...flags, here('servers.mjs'), JSON.stringify({
    module, mode, build: entryOf(build), realm: { issuer, publicJwk, username, ...CLIENT }, redis
  })], node)
  const { port } = await messageOf<{ port: number }>(child, name)
  return {
    port,
    failure: (problem) => failure(child, `${name} ${problem}`),
    end: () => end(child),
    leave: async () => {
      const ended = once(child, 'exit', { signal: AbortSignal.timeout(10_000) })
      child.disconnect()
      await ended
    },
    usage: async (task: Task = 'usage') => {
      child.send(task)
      return await messageOf<Usage>(child, name)
    }
  }
}

/** The entry of a build. */
export function entryOf (folder: string): string {
  return pathToFileURL(join(resolve(folder), 'dist/esm/index.js')).href
}

/**
 * Checks that a good token is answered 200 with the body that all contenders give, and that bad tokens are refused.
 * @throws {Error} if one of them is answered otherwise
 */
export async function check ({ module, open }: Contender, { port, failure }: Server, { good, bad }: Probes, username: string): Promise<void> {
  if (open !== true) for (const [fault, token] of Object.entries(bad)) await refuses(fault, token)
  if (module === 'verify') await refuses('forged', bad.forged!)
  const [status, body] = await ask(port, good)
  const expected = JSON.stringify({ hello: username })
  if (status !== 200 || body !== expected) throw failure(`answered a good token ${status} ${body}, not 200 ${expected}`)

  async function refuses (fault: string, token: string): Promise<void> {
    const [status] = await ask(port, token)
    if (status !== 401 && status !== 403) throw failure(`answered a token that is ${fault} ${status}, not 401 or 403`)
  }
}

/**
 * @param isRefused whether each request has to be refused; by default none
 * @throws {Error} if a request is unanswered, or is refused and should not be
 */
export async function measure (server: Server, requests: Requests, seconds: number, isRefused = false, connections?: number): Promise<Measured> {
  const before = await server.usage()
  const { requests: answered, microseconds, p50, p99, refused, failed } = await load(server.port, requests, seconds, connections)
  const { cpu } = await server.usage()
  if (failed > 0) throw server.failure(`left ${failed} of ${answered} requests unanswered`)
  if (refused !== (isRefused ? answered : 0)) throw server.failure(`refused ${refused} of ${answered} requests`)
  const busy = cpu.user + cpu.system - before.cpu.user - before.cpu.system
  return { rate: answered / (microseconds / 1e6), p50, p99, busy: busy / microseconds, perCpu: answered / (busy / 1e6) }
}

async function ask (port: number, token: string): Promise<[status: number, body: string]> {
  const response = await fetch(`http://127.0.0.1:${port}/profile`, {
    headers: { authorization: `Bearer ${token}` }, redirect: 'manual', signal: AbortSignal.timeout(10_000)
  })
  return [response.status, await response.text()]
}
