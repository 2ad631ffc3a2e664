import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { answer, whenClosed } from './answer.js'
import type { Notes } from './notes.js'
import { Sessions, type Session, type SessionLimits } from './sessions.js'
import { createServer, TOOLS } from './tools.js'
import { userOf } from './user.js'

type Transport = StreamableHTTPServerTransport

interface StatefulOptions {
  path: string
  notes: Notes
  limits: Partial<SessionLimits>
}

/**
 * With sessions, every request needs a token, because a session belongs to a user: for everybody else it does not exist, whatever
 * their Mcp-Session-Id is.
 */
export async function stateful (app: FastifyInstance, { path, notes, limits }: StatefulOptions): Promise<void> {
  const sessions = new Sessions<Transport>(limits)
  app.addHook('preClose', async () => sessions.close())

  app.route({
    method: ['GET', 'POST', 'DELETE'],
    url: path,
    config: { mcp: { tools: TOOLS } },
    handler: async (request, reply) => {
      const { auth, authSignal, headers: { 'mcp-session-id': id } } = request
      // The body may have come after a logout, or after the client had left.
      authSignal.throwIfAborted()
      const user = userOf(auth)
      if (user === undefined) return reply.code(403).send({ error: 'The token has no sub' })
      if (id === undefined) return begin(user, request, reply)
      const session = sessions.find(String(id), user)
      if (session === undefined) return reply.code(404).send({ error: 'There is no such session' })
      return inSession(session, request, reply)
    }
  })

  async function begin (owner: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (!isInitializeRequest(request.body)) return reply.code(400).send({ error: 'Mcp-Session-Id is missing' })
    const session = sessions.open(owner, (id) => new StreamableHTTPServerTransport({ sessionIdGenerator: () => id }))
    if (session === undefined) return reply.code(503).header('retry-after', '60').send({ error: 'There are too many sessions' })
    await createServer(notes).connect(session.transport)
    return inSession(session, request, reply)
  }

  async function inSession ({ id, transport }: Session<Transport>, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { method, authSignal } = request
    whenClosed(reply, sessions.use(id))
    authSignal!.addEventListener('abort', () => {
      // An expired token ends its stream: the client comes back with a new one. A logout ends the session.
      if (authSignal!.reason.code !== 'token_expired') sessions.end(id)
      else if (method === 'GET') transport.closeStandaloneSSEStream()
    })
    await answer(request, reply, transport)
    if (method === 'DELETE') sessions.end(id)
  }
}
