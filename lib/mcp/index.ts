/**
 * `fastify-keycloak-bearer/mcp`: for servers of the Model Context Protocol, beside the route's `config.mcp`.
 *
 * ```ts
 * app.post('/notes', { config: { mcp: true } }, async (request) => {
 *   requireScopes(request, 'notes:write')
 * })
 * ```
 * @module
 */
export { requireScopes, type McpCaller } from './require-scopes.js'
export type { McpAuthInfo, McpRule, ToolRule, ToolRuleConfig, ToolRules } from '../../types/mcp.js'
