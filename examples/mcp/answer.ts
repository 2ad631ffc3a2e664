import type { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Lets the transport answer, with the headers that plugins have set, such as those of CORS. */
export async function answer (request: FastifyRequest, reply: FastifyReply, transport: StreamableHTTPServerTransport): Promise<void> {
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(name, value)
  try {
    await transport.handleRequest(request.raw, reply.raw, request.body)
  } catch (error) {
    // Fastify does not answer for a reply that was taken from it.
    request.log.error(error)
    reply.raw.destroy()
  }
}

/** Calls a function when the response has ended, or the client has left: at once if it has left already, because no event tells then. */
export function whenClosed ({ raw }: FastifyReply, close: () => void): void {
  if (raw.destroyed) close()
  else raw.once('close', close)
}
