import { setTimeout as wait } from 'node:timers/promises'
import { Agent } from 'undici'
import type { Api } from './child.js'
import type { Issuer } from './issuer.js'
import type { Kind } from './kind.js'

/** `status` of a kind while things were `calm` or in `trouble`, and how often. */
export type Tally = Map<string, number>

export interface Load {
  counts: Tally
  unexpected: Tally
  /** Resolves when all requests that are in flight now are answered. */
  answered: () => Promise<void>
  /** No more requests are sent; resolves when those in flight are answered. */
  stop: () => Promise<void>
}

/** The size of a load. */
export interface Senders {
  /** Senders for each API, each with one request in flight. */
  senders: number
  /** Senders for each API of the kinds that wait. */
  patient: number
  /** Milliseconds between an answer and the sender's next request. */
  pause: number
}

const FULL: Senders = { senders: 8, patient: 100, pause: 0 }

/**
 * Keep some APIs busy.
 * @param trouble is something wrong with Keycloak now, or was it a moment ago?
 */
export function startLoad (apis: readonly Api[], kinds: readonly Kind[], { trouble }: Pick<Issuer, 'trouble'>, { senders: perApi, patient, pause }: Senders = FULL): Load {
  const counts: Tally = new Map()
  const unexpected: Tally = new Map()
  const inFlight = new Set<Promise<void>>()
  const agent = new Agent({ connections: perApi + patient, headersTimeout: 20_000 })
  let stopped = false
  const waiting = kinds.filter(({ waits }) => waits === true)
  const others = kinds.filter(({ waits }) => waits !== true)
  const senders = apis.flatMap((api) => [
    ...Array.from({ length: perApi }, () => keepSending(api, others)),
    ...Array.from({ length: waiting.length === 0 ? 0 : patient }, () => keepSending(api, waiting))
  ])
  return {
    counts,
    unexpected,
    async answered () { await Promise.all(inFlight) },
    async stop () {
      stopped = true
      await Promise.all(senders)
      await agent.destroy()
    }
  }

  async function keepSending (api: Api, kinds: readonly Kind[]): Promise<void> {
    for (;;) {
      if (stopped) return
      const request = send(api, kinds[Math.floor(Math.random() * kinds.length)]!)
      inFlight.add(request)
      await request
      inFlight.delete(request)
      if (pause > 0) await wait(pause)
    }
  }

  async function send (api: Api, kind: Kind): Promise<void> {
    const before = trouble()
    const status = await ask(api, kind)
    const troubled = before || trouble()
    // A rotation is no excuse for a 401: a request with the new key is let in, flood or not.
    const excused = kind.needsKeycloak && status === 503 && troubled
    count(counts, `${api.name}, ${kind.name}: ${status}`)
    if (status !== kind.expected && !excused) {
      count(unexpected, `${api.name}, ${kind.name}: ${status} instead of ${kind.expected}, ${troubled ? 'in trouble' : 'in calm'}`)
    }
  }

  async function ask (api: Api, { path, authorization }: Kind): Promise<number> {
    const value = authorization()
    try {
      const { statusCode, body } = await agent.request({ origin: api.url, path, method: 'GET', headers: value === undefined ? {} : { authorization: value } })
      await body.dump()
      return statusCode
    } catch {
      return 0
    }
  }
}

function count (tally: Tally, key: string): void {
  tally.set(key, (tally.get(key) ?? 0) + 1)
}
