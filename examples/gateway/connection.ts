import type { FastifyReply, FastifyRequest } from 'fastify'
import { WebSocket } from 'ws'

/** The longest message of a WebSocket, in bytes, and the time that an upstream has to take one, in milliseconds. */
const MAX_PAYLOAD = 64 * 1024
const HANDSHAKE_TIMEOUT = 5000

/** The connection to a client. @fastify/http-proxy closes it with the message of an error, which has the address of the upstream. */
class ClientSocket extends WebSocket {
  override close (code?: number, reason?: string | Buffer): void {
    super.close(code, code === 1011 ? 'upstream_unavailable' : reason)
  }
}

/** The options of ws for the connections to clients, and for those to upstreams. The types of ws take no class of one's own. */
export const clientSide: object = { WebSocket: ClientSocket, maxPayload: MAX_PAYLOAD }
export const upstreamSide = { maxPayload: MAX_PAYLOAD, handshakeTimeout: HANDSHAKE_TIMEOUT }

/**
 * Ends a response or a WebSocket that is still open when the token ends. The answer of an ordinary request has ended long before; a stream of
 * events and a WebSocket have not.
 * @throws {KeycloakError} if the token has ended already
 */
export function endWithToken (request: FastifyRequest, reply: FastifyReply): void {
  const { authSignal } = request
  if (authSignal === null) return
  authSignal.throwIfAborted()
  authSignal.addEventListener('abort', () => {
    if (request.headers.upgrade !== undefined) reply.raw.socket?.write(closeFrame(4401, authSignal.reason.code))
    reply.raw.destroy()
  })
}

/** A frame that closes a WebSocket with a code and a reason of up to 123 characters (RFC 6455 section 5.5.1). */
function closeFrame (code: number, reason: string): Buffer {
  return Buffer.from([0x88, 2 + reason.length, code >> 8, code & 0xff, ...Buffer.from(reason)])
}
