import type { McpAuthInfo } from '../../types/mcp.js'
import type { Claims, User } from '../../types/user.js'
import { member, type JsonObject } from '../util/strict-json.js'

/** The caller in the form of the official TypeScript SDK. It is new for each request, since anybody may change it. */
export function authInfoOf (token: string, claims: Claims, user: User, resource: string | undefined): McpAuthInfo {
  const { exp } = claims
  const scope = member(claims as JsonObject, 'scope')
  const party = member(claims as JsonObject, 'azp') ?? member(claims as JsonObject, 'client_id')
  return {
    token,
    clientId: typeof party === 'string' ? party : '',
    scopes: typeof scope === 'string' ? scope.split(' ').filter((word) => word !== '') : [],
    expiresAt: exp,
    ...resource !== undefined && { resource: new URL(resource) },
    extra: { claims, user }
  }
}
