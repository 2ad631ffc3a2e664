import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { FastifyInstance } from 'fastify'
import { answer, whenClosed } from './answer.js'
import type { Notes } from './notes.js'
import { createServer, TOOLS } from './tools.js'

/**
 * Each request stands for itself, so that any instance can answer it, and nothing is remembered of a client. Everybody may see the list
 * of tools: the route is public, and the tools have rules. They are for tools alone: a server that had resources or prompts would show
 * them to everybody, as it shows the list of tools.
 */
export async function stateless (app: FastifyInstance, { path, notes }: { path: string, notes: Notes }): Promise<void> {
  app.post(path, { config: { public: true, mcp: { tools: TOOLS } } }, async (request, reply) => {
    const server = createServer(notes)
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true })
    whenClosed(reply, () => { server.close() })
    await server.connect(transport)
    return answer(request, reply, transport)
  })

  // There is no stream that could be opened, and no session that could be ended.
  app.route({ method: ['GET', 'DELETE'], url: path, handler: (_, reply) => reply.code(405).header('allow', 'POST').send({ error: 'Method Not Allowed' }) })
}
