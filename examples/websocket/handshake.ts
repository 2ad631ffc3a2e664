import type { FastifyRequest } from 'fastify'
import { bearerToken } from 'fastify-keycloak-bearer'

/** What is spoken over the connection. A client that sends its token as a subprotocol offers this one beside it. */
export const PROTOCOL = 'chat.v1'

const TOKEN = 'bearer.'

/**
 * The token of an upgrade: of the Authorization header, or of a subprotocol `bearer.<token>`, since that is all of a
 * handshake that a browser lets a page set. Never of the URL, which ends up in the access logs of every proxy.
 */
export function tokenOf (request: FastifyRequest): string | null {
  return bearerToken(request) ?? offered(request).find((protocol) => protocol.startsWith(TOKEN))?.slice(TOKEN.length) ?? null
}

/** The subprotocol the server agrees to: never the one that carries the token, which ws would echo by default. */
export function handleProtocols (protocols: Set<string>): string | false {
  return protocols.has(PROTOCOL) && PROTOCOL
}

/**
 * Does a page of another site open this connection? CORS does not hold for WebSockets: any page may open one, and the
 * browser sends the cookies of our site along. A client that is no browser sends no Origin.
 */
export function isForeign (request: FastifyRequest, origins: readonly string[]): boolean {
  const { origin } = request.headers
  return request.ws && origin !== undefined && !origins.includes(origin)
}

function offered ({ ws, headers }: FastifyRequest): string[] {
  return ws ? headers['sec-websocket-protocol']?.split(',').map((protocol) => protocol.trim()) ?? [] : []
}
