import type { FastifyReply, FastifyRequest } from 'fastify'

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
