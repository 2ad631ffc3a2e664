import type { Claims } from '../../types/user.js'
import { type JsonObject, member } from '../util/strict-json.js'

/** RFC 6749 section 3.3: words with single spaces between them. */
export function hasScopes (claims: Claims, scopes: readonly string[]): boolean {
  const scope = member(claims as JsonObject, 'scope')
  const granted = typeof scope === 'string' ? scope.split(' ') : []
  return scopes.every((scope) => granted.includes(scope))
}
