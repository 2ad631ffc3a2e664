// npm run bench:logout: the time from a logout to the refusal of its tokens, on three instances that share a Redis. Each instance is a
// process of its own, with a socket; redis-server must be installed. Time is taken from the sending of Keycloak's push, and from its
// answer, to the first 401 of each instance.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import keycloak, { redisStore } from '../index.js'
import { createTestRealm } from '../lib/testing/index.js'
import type { KeycloakOptions } from '../types/options.js'
import { freePort, RedisServer } from '../test/support/redis.js'
import { spreadOf } from './figures.js'

const TIMES = 100
const INSTANCES = 3

const agent = new Agent({ keepAlive: true })
if (process.argv[2] === undefined) await measure()
else await serve(JSON.parse(process.argv[2]))

async function serve ({ port, options }: { port: number, options: KeycloakOptions }): Promise<void> {
  const store = redisStore({ client: new Redis({ host: '127.0.0.1', port }) })
  const app = Fastify()
  await app.register(keycloak, { ...options, backchannelLogout: { path: '/backchannel-logout', clients: 'web' }, revocation: { store } })
  app.get('/me', { config: { authenticated: true } }, async () => 'me')
  await app.listen({ port: 0, host: '127.0.0.1' })
  process.send!((app.server.address() as AddressInfo).port)
}

async function measure (): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'logout-'))
  const redis = new RedisServer(await freePort(), folder)
  await redis.start()
  const realm = await createTestRealm()
  const children = Array.from({ length: INSTANCES }, () => fork(
    fileURLToPath(import.meta.url), [JSON.stringify({ port: redis.port, options: realm.options })], { execArgv: process.execArgv, env: { ...process.env, NODE_ENV: 'test' } }))
  const ports = await Promise.all(children.map(async (child) => (await once(child, 'message'))[0] as number))
  const sent: number[] = []
  const answered: number[] = []
  for (let at = 0; at < TIMES; at++) {
    const session = { username: 'alice', claims: { sid: `session-${at}` } }
    const token = realm.token(session)
    for (const port of ports) if (await ask(port, token) !== 200) throw new Error('a good token was refused')
    const logout = new URLSearchParams({ logout_token: realm.token({ kind: 'logout', ...session }) }).toString()
    const start = performance.now()
    const refused = ports.map((port) => untilRefused(port, token))
    if (await send(ports[at % INSTANCES]!, logout) !== 200) throw new Error('a good logout was refused')
    const answer = performance.now()
    const last = Math.max(...await Promise.all(refused))
    sent.push(last - start)
    answered.push(Math.max(0, last - answer))
  }
  console.log(`${TIMES} logouts, ${INSTANCES} instances, refused by all of them: ${show(sent)} after the push; ${show(answered)} after its answer`)
  for (const child of children) child.kill()
  agent.destroy()
  await redis.kill()
  await realm.close()
  rmSync(folder, { recursive: true })
}

async function untilRefused (port: number, token: string): Promise<number> {
  while (await ask(port, token) !== 401);
  return performance.now()
}

async function ask (port: number, token: string): Promise<number> {
  return call(port, { path: '/me', headers: { authorization: `Bearer ${token}` } })
}

async function send (port: number, body: string): Promise<number> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length }
  return call(port, { path: '/backchannel-logout', method: 'POST', headers }, body)
}

async function call (port: number, options: object, body?: string): Promise<number> {
  const [response] = await once(httpRequest({ host: '127.0.0.1', port, agent, ...options }).end(body), 'response')
  response.resume()
  await once(response, 'end')
  return response.statusCode
}

function show (times: number[]): string {
  const { median, max } = spreadOf(times)
  return `median ${median.toFixed(1)} ms, worst ${max.toFixed(1)} ms`
}
