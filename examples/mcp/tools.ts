import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import type { ToolRules } from 'fastify-keycloak-bearer/mcp'
import { z } from 'zod'
import type { Notes } from './notes.js'
import { userOf } from './user.js'

/** Who may call which tool. */
export const TOOLS = {
  // The refusal names no scope, so that a client asks for all that the metadata names, and registers with them.
  'list-notes': { authenticated: true },
  'write-note': 'notes:write',
  'clear-notes': { scope: 'notes:write', acr: 'gold' },
  // A tool that has been forgotten here.
  '*': false
} as const satisfies ToolRules

/** Client scopes of Keycloak's whose audience is this server. A token for a user who may only read has `notes` alone. */
export const SCOPES = ['notes', 'notes:write']

/** An MCP server with the tools. Nothing in it checks a token: the plugin has done that before a call arrives here. */
export function createServer (notes: Notes): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  server.registerTool('list-notes', { description: 'Your notes' }, ({ authInfo }) => {
    return say(JSON.stringify(notes.of(callerOf(authInfo))))
  })
  server.registerTool('write-note', { description: 'Adds a note', inputSchema: { text: z.string().min(1).max(1000) } }, ({ text }, { authInfo }) => {
    return notes.add(callerOf(authInfo), text) ? say('The note is written.') : { ...say('There is no room for more notes.'), isError: true }
  })
  server.registerTool('clear-notes', { description: 'Deletes your notes; asks for a second factor' }, ({ authInfo }) => {
    notes.clear(callerOf(authInfo))
    return say('The notes are deleted.')
  })
  return server
}

/** @throws {Error} if a tool is not in TOOLS, and so was called without a token */
function callerOf (authInfo: AuthInfo | undefined): string {
  const user = userOf(authInfo?.extra?.claims as { iss?: string, sub?: string } ?? {})
  if (user === undefined) throw new Error('The tool was called without a user')
  return user
}

function say (text: string) {
  return { content: [{ type: 'text' as const, text }] }
}
