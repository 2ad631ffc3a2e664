import type { WebSocket } from '@fastify/websocket'
import type { FastifyBaseLogger } from 'fastify'
import { KeycloakError } from 'fastify-keycloak-bearer'

/** Why a connection ends; below 4000 by RFC 6455 section 7.4 and its registry, 4000 and up are ours. */
export const CLOSED = { unauthorized: 4401, forbidden: 4403, unavailable: 1013, failed: 1011 } as const

/** A longer timer would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/** How long a token may be past its `exp` and still good, by the plugin's leeway: asked again each second, in milliseconds. */
const OVERTIME = 1000

export interface Terms {
  /** The `exp` of the token, in seconds since 1970. */
  exp: number
  /** Is the token good now, and may its user still be here? Throws what `fastify.keycloak.verify` throws. */
  allowed: () => Promise<boolean>
  /** Milliseconds between two checks. */
  checkEvery: number
  /** Milliseconds that a connection outlives the last check that could be made, while Keycloak cannot be asked. */
  grace: number
  log: FastifyBaseLogger
}

/**
 * Holds an open connection to its token: ends it when the token ends, is revoked or loses the permission.
 * @returns a check to make before anything is done for the client: `true` when it may be, `'unknown'` when nobody can
 * say now, `false` when the connection is over
 */
export function lease (socket: WebSocket, { exp, allowed, checkEvery, grace, log }: Terms): () => Promise<boolean | 'unknown'> {
  let confirmedAt = performance.now()
  let timer: NodeJS.Timeout
  schedule()
  socket.once('close', () => clearTimeout(timer))
  return check

  async function check (): Promise<boolean | 'unknown'> {
    if (socket.readyState !== socket.OPEN) return false
    try {
      if (!await allowed()) return end(CLOSED.forbidden, 'permission_denied')
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

  /** The next check is set before one is made: one that hangs must not delay the end at `exp`. */
  function schedule (): void {
    const left = exp * 1000 - Date.now()
    timer = setTimeout(() => {
      schedule()
      check()
    }, Math.min(left > 0 ? left : OVERTIME, checkEvery, LONGEST_TIMER))
  }

  function end (code: number, reason: string): false {
    clearTimeout(timer)
    socket.close(code, reason)
    return false
  }
}
