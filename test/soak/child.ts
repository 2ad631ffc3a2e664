import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Health } from '../../types/instance.js'
import type { KeycloakOptions } from '../../types/options.js'

/** The memory and the sockets that an API uses. */
export interface Usage {
  /** Bytes of the heap, after a garbage collection. */
  memory: number
  sockets: number
}

/** An API in a process of its own. */
export interface Api {
  name: string
  url: string
  introspects: boolean
  faults: string[]
  usage: () => Promise<Usage>
  health: () => Promise<Health>
  /** Milliseconds that app.close() took. */
  close: () => Promise<number>
  kill: () => void
}

export async function startApi (name: string, options: KeycloakOptions): Promise<Api> {
  const child = fork(fileURLToPath(new URL('./api.ts', import.meta.url)), [JSON.stringify(options)], {
    execArgv: ['--import', 'tsx', '--expose-gc'],
    // Its realm is a test realm of another process.
    env: { ...process.env, NODE_ENV: 'test' }
  })
  const faults: string[] = []
  child.on('message', (message: { fault?: string }) => { if (message.fault !== undefined) faults.push(message.fault) })
  child.on('exit', (code) => { if (code !== 0 && code !== null) faults.push(`the process ended with ${code}`) })
  const { url } = await answer<{ url: string }>('url')
  return {
    name,
    url,
    introspects: options.verifyTokensWithKeycloak === true,
    faults,
    usage: () => question<Usage>('usage', 'memory'),
    health: async () => (await question<{ health: Health }>('health', 'health')).health,
    close: async () => (await question<{ closed: number }>('close', 'closed')).closed,
    kill: () => { child.kill('SIGKILL') }
  }

  async function question<T> (text: string, key: string): Promise<T> {
    child.send(text)
    return answer<T>(key)
  }

  async function answer<T> (key: string): Promise<T> {
    for (;;) {
      const [message] = await once(child, 'message', { signal: AbortSignal.timeout(30_000) })
      if (key in message) return message as T
    }
  }
}
