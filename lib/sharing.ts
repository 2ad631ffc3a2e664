import type { JsonObject } from './json.js'

/** Ask Keycloak about a token; `signal` says that its caller went away. */
export type Ask = (token: string, signal?: AbortSignal) => Promise<JsonObject>

/** How many answers are kept. */
const MAX_KEPT = 1000

/** An answer, or the call that will bring it. */
interface Shared {
  answer: Promise<JsonObject>
  until: number
  /** How many callers wait for the call; an answer that is there waits for nobody. */
  waiting: number
  answered: boolean
  abort: AbortController
}

/**
 * One call in flight for a token, and its answer for so many milliseconds from when it was asked for. What failed is
 * asked again. A call is called off when the last of those who wait for it is gone.
 */
export function sharing (ask: Ask, ttl: number): Ask {
  const kept = new Map<string, Shared>()

  return (token, signal) => {
    dropEnded()
    // A call in flight is joined however long it takes.
    const shared = kept.get(token) ?? start(token)
    shared.waiting++
    signal?.addEventListener('abort', () => {
      shared.waiting--
      if (shared.waiting === 0 && !shared.answered) shared.abort.abort()
    })
    return shared.answer
  }

  function start (token: string): Shared {
    const abort = new AbortController()
    const shared: Shared = { answer: ask(token, abort.signal), until: performance.now() + ttl, waiting: 0, answered: false, abort }
    kept.set(token, shared)
    const forget = (): void => { if (kept.get(token) === shared) kept.delete(token) }
    abort.signal.addEventListener('abort', forget)
    shared.answer.then(() => { shared.answered = true }, forget)
    if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value!)
    return shared
  }

  /** Their order is that in which they end. */
  function dropEnded (): void {
    const now = performance.now()
    for (const [token, { answered, until }] of kept) {
      if (now < until) break
      if (answered) kept.delete(token)
    }
  }
}
