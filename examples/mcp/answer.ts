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
