import type { FastifyRequest } from 'fastify'
import { bearerToken } from 'fastify-keycloak-bearer'
import type { WebSocket } from 'ws'

const PROTOCOL = 'graphql-transport-ws'
const TOKEN = 'bearer.'

/**
 * The token of a request: of the Authorization header, or of a subprotocol `bearer.<token>`, because a page cannot set headers of a
 * WebSocket. A token in the payload of `connection_init` comes after the upgrade and does not count.
 */
export function tokenOf (request: FastifyRequest): string | null {
  return bearerToken(request) ?? offered(request).find((protocol) => protocol.startsWith(TOKEN))?.slice(TOKEN.length) ?? null
}

/** The subprotocol that the server agrees to: never the one that carries the token. */
export function handleProtocols (protocols: Set<string>): string | false {
  return protocols.has(PROTOCOL) && PROTOCOL
}

/**
 * Ends the connection when its token ends. 4403 is the code after which a client of graphql-ws connects again; it does not after
 * 4401. `onabort` instead of a listener, because a client may send `connection_init` several times.
 */
export function endWithToken (socket: WebSocket, { authSignal }: FastifyRequest): void {
  if (authSignal === null) return
  const end = (): void => socket.close(4403, authSignal.reason.code)
  if (authSignal.aborted) end()
  else authSignal.onabort = end
}

function offered ({ ws, headers }: FastifyRequest): string[] {
  return ws ? headers['sec-websocket-protocol']?.split(',').map((protocol) => protocol.trim()) ?? [] : []
}
