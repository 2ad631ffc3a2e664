import { Agent } from 'undici'
import type { Api } from './child.js'
import type { Issuer } from './issuer.js'
import type { Kind } from './kind.js'

/** `status` of a kind while things were `calm` or in `trouble`, and how often. */
export type Tally = Map<string, number>

export interface Load {
  counts: Tally
  unexpected: Tally
  /** All that is in flight is answered; no more is sent. */
  stop: () => Promise<void>
}

/** Senders for each API, each with one request in flight; and those of what waits. */
const SENDERS = 8
const PATIENT = 100

/**
 * Keep some APIs busy.
 * @param trouble is something wrong with Keycloak now, or was it a moment ago?
 */
export function startLoad (apis: readonly Api[], kinds: readonly Kind[], { trouble }: Pick<Issuer, 'trouble'>): Load {
  const counts: Tally = new Map()
  const unexpected: Tally = new Map()
  const agent = new Agent({ connections: SENDERS + PATIENT, headersTimeout: 20_000 })
  let stopped = false
  const waiting = kinds.filter(({ waits }) => waits === true)
  const others = kinds.filter(({ waits }) => waits !== true)
  const senders = apis.flatMap((api) => [
    ...Array.from({ length: SENDERS }, () => send(api, others)),
    ...Array.from({ length: waiting.length === 0 ? 0 : PATIENT }, () => send(api, waiting))
  ])
  return {
    counts,
    unexpected,
    async stop () {
      stopped = true
      await Promise.all(senders)
      await agent.destroy()
    }
  }

  async function send (api: Api, kinds: readonly Kind[]): Promise<void> {
    for (;;) {
      if (stopped) return
      const kind = kinds[Math.floor(Math.random() * kinds.length)]!
      const before = trouble()
      const status = await ask(api, kind)
      const troubled = before || trouble()
      // A rotation is no excuse for a 401: whoever comes with the new key is let in, flood or not.
      const excused = kind.needsKeycloak && status === 503 && troubled
      count(counts, `${api.name}, ${kind.name}: ${status}`)
      if (status !== kind.expected && !excused) {
        count(unexpected, `${api.name}, ${kind.name}: ${status} instead of ${kind.expected}, ${troubled ? 'in trouble' : 'in calm'}`)
      }
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
