import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'

/** A kid that looks like those of the realm. */
export function kidLike (name: string): string {
  return createHash('sha256').update(name).digest('base64url')
}

/** A token that is being verified, and its outcome when that is over. */
export function underWay (app: FastifyInstance, token: string): { outcome: string | undefined, over: Promise<void> } {
  const state = { outcome: undefined as string | undefined, over: Promise.resolve() }
  state.over = app.keycloak.verify(token).then(() => { state.outcome = 'good' }, ({ code }) => { state.outcome = code })
  return state
}
