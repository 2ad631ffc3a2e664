import type { TestRealm } from '../../lib/testing/index.js'
import { until } from './app.js'

/** An introspection whose answers are given by hand. */
export interface HeldIntrospection {
  /** Tokens that were asked about, in their order, answered ones too. */
  readonly asked: string[]
  /** Tokens that are asked about now and have no answer. */
  open: () => string[]
  /** Says of those that are asked about now, of these tokens or of all, that they are active. */
  answer: (tokens?: readonly string[]) => void
  /** From now on each is answered at once, by this status or as active. */
  release: () => void
  /** Waits until so many were asked about. */
  until: (count: number) => Promise<void>
}

export function heldIntrospection (realm: TestRealm): HeldIntrospection {
  const asked: string[] = []
  const open = new Map<() => void, string>()
  realm.respond('introspect', (_request, response, body) => {
    const token = new URLSearchParams(body).get('token')!
    const answer = (): void => { response.end('{"active":true}') }
    open.set(answer, token)
    response.on('close', () => open.delete(answer))
    asked.push(token)
  })
  const answerAll = (tokens?: readonly string[]): void => {
    for (const [answer, token] of open) if (tokens === undefined || tokens.includes(token)) answer()
  }
  return {
    asked,
    open: () => [...open.values()],
    answer: answerAll,
    release () {
      realm.respond('introspect', (_request, response) => { response.end('{"active":true}') })
      answerAll()
    },
    until: (count) => until(() => asked.length >= count)
  }
}
