// config.mcp, and what fastify-keycloak-bearer/mcp gives.
import Fastify, { type FastifyRequest } from 'fastify'
import { expectAssignable, expectError, expectType } from 'tsd'
import type { Claims, McpAuthInfo, McpRule, ResourceMetadata, ToolRule, User } from '../index.js'
import { requireScopes } from '../lib/mcp/index.js'

const app = Fastify()

// A route for MCP demands a token, unless it is public.
app.post('/mcp', { config: { mcp: true } }, async (request) => {
  expectType<User>(request.user)
  expectType<Claims>(request.auth)
  expectType<void>(requireScopes(request, 'notes:write', 'notes:read'))
})
app.post('/tools', { config: { mcp: { tools: { 'write-note': 'notes:write', 'delete-note': { scope: 'notes:write', acr: 'gold' }, help: { public: true }, '*': false } } } }, async (request) => expectType<User>(request.user))
app.post('/public', { config: { mcp: true, public: true } }, async (request) => expectType<User | null>(request.user))

expectAssignable<McpRule>({ tools: { a: ['notes:read', 'notes:write'] } })
expectAssignable<ToolRule>({ permission: ['admin', { realmRole: 'staff' }], issuer: 'acme', maxAge: 300 })
expectError(app.post('/', { config: { mcp: false } }, () => {}))
expectError(app.post('/', { config: { MCP: true } }, () => {}))
expectError(app.post('/', { config: { mpc: true } }, () => {}))
expectError(app.post('/', { config: { mcps: true } }, () => {}))
expectError(app.post('/', { config: { mcpTools: { a: 'b' } } }, () => {}))
expectError(app.post('/', { config: { mcp_tools: { a: 'b' } } }, () => {}))
expectError(app.post('/', { config: { mcp: true, tools: { a: 'b' } } }, () => {}))
expectError(app.post('/', { config: { tools: { a: 'b' } } }, () => {}))
expectError(app.post('/', { config: { mcp: { tools: { a: 5 } } } }, () => {}))
expectError(app.post('/', { config: { mcp: { tools: { a: true } } } }, () => {}))
expectError(app.post('/', { config: { mcp: { tools: { a: { scopes: 'b' } } } } }, () => {}))
expectError(app.post('/', { config: { mcp: { tool: { a: 'b' } } } }, () => {}))
expectError(app.post('/', { mcp: true }, () => {}))

declare const request: FastifyRequest
expectError(requireScopes(request))
expectError(requireScopes(request, 5))
expectError(requireScopes('notes:write'))

/** The SDK's AuthInfo, of version 1 and 2. */
interface AuthInfo { token: string, clientId: string, scopes: string[], expiresAt?: number, resource?: URL, extra?: Record<string, unknown> }
declare const auth: McpAuthInfo
expectAssignable<AuthInfo>(auth)
expectType<number>(auth.expiresAt)
expectType<{ claims: Claims, user: User }>(auth.extra)

expectType<ResourceMetadata>(app.keycloak.resourceMetadata())
