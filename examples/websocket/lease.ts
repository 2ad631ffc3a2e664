import type { WebSocket } from '@fastify/websocket'
import type { FastifyBaseLogger } from 'fastify'
import { KeycloakError } from 'fastify-keycloak-bearer'

/** Close codes. Those below 4000 are of RFC 6455 section 7.4 and its registry, the others are this application's. */
export const CLOSED = { unauthorized: 4401, forbidden: 4403, unavailable: 1013, failed: 1011 } as const

/** A longer timer would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1

export interface Terms {
  /** `request.authSignal`: fires when the token ends, and at a logout. */
  signal: AbortSignal
  /** Is the token active at Keycloak, and may its user still be here? Throws what `fastify.keycloak.verify` throws. `undefined`: not asked. */
  allowed: (() => Promise<boolean>) | undefined
  /** Milliseconds between two calls of `allowed`. */
  checkEvery: number
  /** Milliseconds that a connection outlives the last check that could be made, while Keycloak cannot be asked. */
  grace: number
  log: FastifyBaseLogger
}

/**
 * Holds an open connection to its token: ends it when the token ends, is revoked or loses the permission.
 * @returns a check to make before anything is done for the client: `true` if it may be, `'unknown'` if nobody can tell now, `false`
 * if the connection is over
 */
export function lease (socket: WebSocket, { signal, allowed, checkEvery, grace, log }: Terms): () => Promise<boolean | 'unknown'> {
  let confirmedAt = performance.now()
  const timer = allowed && setInterval(check, Math.min(checkEvery, LONGEST_TIMER))
  socket.once('close', () => clearInterval(timer))
  if (signal.aborted) endByToken()
  else signal.addEventListener('abort', endByToken)
  return check

  async function check (): Promise<boolean | 'unknown'> {
    if (socket.readyState !== socket.OPEN) return false
    try {
      if (allowed !== undefined && !await allowed()) return end(CLOSED.forbidden, 'permission_denied')
      confirmedAt = performance.now()
      return socket.readyState === socket.OPEN
    } catch (error) {
      if (!(error instanceof KeycloakError)) {
        log.error(error)
        return end(CLOSED.failed, 'internal_error')
      }
      if (error.statusCode !== 503) return end(CLOSED.unauthorized, error.code)
      return performance.now() - confirmedAt < grace ? 'unknown' : end(CLOSED.unavailable, error.code)
    }
  }

  function endByToken (): void {
    end(CLOSED.unauthorized, signal.reason.code)
  }

  function end (code: number, reason: string): false {
    clearInterval(timer)
    socket.close(code, reason)
    return false
  }
}
