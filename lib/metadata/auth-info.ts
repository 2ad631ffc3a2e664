import type { McpAuthInfo } from '../../types/mcp.js'
import type { Claims, User } from '../../types/user.js'
import { grantedWords } from '../access/scopes.js'
import { member, type JsonObject } from '../util/strict-json.js'

/** The caller in the form of the official TypeScript SDK. It is new for each request, since anybody may change it. */
export function authInfoOf (token: string, claims: Claims, user: User, resource: string | undefined): McpAuthInfo {
  const { exp } = claims
  const party = member(claims as JsonObject, 'azp') ?? member(claims as JsonObject, 'client_id')
  return {
    token,
    clientId: typeof party === 'string' ? party : '',
    scopes: grantedWords(claims as JsonObject).filter((word) => word !== ''),
    expiresAt: exp,
    ...resource !== undefined && { resource: new URL(resource) },
    extra: { claims, user }
  }
}
