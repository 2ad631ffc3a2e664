// An MCP server by the official SDK, on Fastify and behind the plugin.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import keycloak, { type KeycloakOptions, type KeycloakRouteConfig } from '../../index.js'

/** Any caller with the scope `mcp`; `write` needs one more. */
export const CONFIG = { scope: 'mcp', mcp: { tools: { whoami: { authenticated: true }, write: 'notes:write', '*': false } } } as const satisfies KeycloakRouteConfig

/** The same without a scope in the first challenge: a client that registers itself gets the scopes alone that it names then, all of the document. */
export const FOR_REGISTRATION = { mcp: CONFIG.mcp } as const satisfies KeycloakRouteConfig

/** Each tool answers what the SDK tells it of its caller. */
function createServer (): McpServer {
  const server = new McpServer({ name: 'test', version: '1.0.0' })
  for (const name of ['whoami', 'write', 'forgotten']) {
    server.registerTool(name, { description: name }, ({ authInfo }) => {
      const { clientId, scopes, resource, extra } = authInfo!
      return { content: [{ type: 'text', text: JSON.stringify({ name, clientId, scopes, resource, sub: (extra!.claims as { sub: string }).sub }) }] }
    })
  }
  return server
}

/**
 * A server without sessions, which listens.
 * @param options of the plugin, by the URL of the server
 */
export async function listeningServer (t: Test, options: (resource: string) => KeycloakOptions | Promise<KeycloakOptions>, config: KeycloakRouteConfig = CONFIG): Promise<{ app: FastifyInstance, url: string }> {
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(() => app.close())
  // The resource is known before the server listens, so the port has to be, too.
  const { port, release } = await freePort()
  const url = `http://127.0.0.1:${port}/mcp`
  await app.register(keycloak, { userIdClaim: 'sub', resource: url, ...await options(url) })
  app.post('/mcp', { config: config as typeof CONFIG }, async (request, reply) => {
    const server = createServer()
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true })
    reply.hijack()
    reply.raw.once('close', () => { void server.close() })
    await server.connect(transport)
    await transport.handleRequest(request.raw, reply.raw, request.body)
  })
  app.get('/mcp', async (_, reply) => reply.code(405).send())
  await release()
  await app.listen({ port, host: '127.0.0.1' })
  return { app, url }
}

async function freePort (): Promise<{ port: number, release: () => Promise<void> }> {
  const app = Fastify()
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }))
  return { port: Number(port), release: () => app.close() }
}
