import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Test } from 'tap'
import { wait } from './app.js'

const START_TIMEOUT = 10_000

/** A redis-server of the test's own, on a port of 127.0.0.1 that stays the same. */
export class RedisServer {
  readonly port: number
  readonly #parameters: string[]
  #process: ChildProcess | undefined

  /** @param more settings of redis-server, by name */
  constructor (port: number, folder: string, more: Record<string, string | number> = {}) {
    this.port = port
    const settings = { port, bind: '127.0.0.1', dir: folder, save: '', appendonly: 'yes', appendfsync: 'always', ...more }
    this.#parameters = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
  }

  get options (): { host: string, port: number } {
    return { host: '127.0.0.1', port: this.port }
  }

  async start (): Promise<void> {
    const child = spawn('redis-server', this.#parameters, { stdio: 'ignore' })
    this.#process = child
    const failed = Promise.race([
      once(child, 'error').then(([error]) => {
        throw new Error(`These tests need redis-server, which does not start here (${error.code}): install it, on Debian with apt-get install redis-server.`)
      }),
      once(child, 'exit').then(() => { throw new Error('redis-server ended while it started') })
    ])
    failed.catch(() => {})
    await Promise.race([failed, this.#answers()])
  }

  /** As a crash would. */
  async kill (): Promise<void> {
    const child = this.#process
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  /** It takes connections and answers nothing, until `resume`. */
  pause (): void {
    this.#process!.kill('SIGSTOP')
  }

  resume (): void {
    this.#process!.kill('SIGCONT')
  }

  async #answers (): Promise<void> {
    for (const until = Date.now() + START_TIMEOUT; Date.now() < until; await wait(20)) {
      const socket = connect(this.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.on('connect', () => socket.write('PING\r\n'))
      const answer = await Promise.race([once(socket, 'data').then(String, () => ''), once(socket, 'close').then(() => '')])
      socket.destroy()
      if (answer.startsWith('+PONG')) return
    }
    throw new Error(`redis-server did not answer within ${START_TIMEOUT / 1000} s`)
  }
}

/** A redis-server that ends with the test. */
export async function redisFor (t: Test, more?: Record<string, string | number>): Promise<RedisServer> {
  const server = new RedisServer(await freePort(), t.testdir(), more)
  t.teardown(() => server.kill())
  await server.start()
  return server
}

/** The settings of a node of a cluster. It has no slots yet. */
export async function clusterNode (): Promise<Record<string, string | number>> {
  return { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1', 'cluster-port': await freePort() }
}

const taken = new Set<number>()

/** Below those that systems give to whoever asks, so that nobody gets it while the server is down. */
export async function freePort (): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    if (taken.has(port)) continue
    taken.add(port)
    const probe = createServer().listen(port, '127.0.0.1')
    const free = await Promise.race([once(probe, 'listening').then(() => true), once(probe, 'error').then(() => false)])
    if (!free) continue
    probe.close()
    await once(probe, 'close')
    return port
  }
}
