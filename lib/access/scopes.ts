import type { Claims } from '../../types/user.js'
import { type JsonObject, member } from '../util/strict-json.js'

/** Does the `scope` claim, words with single spaces between them (RFC 6749 section 3.3), contain all these scopes? */
export function hasScopes (claims: Claims, scopes: readonly string[]): boolean {
  const scope = member(claims as JsonObject, 'scope')
  const granted = typeof scope === 'string' ? scope.split(' ') : []
  return scopes.every((scope) => granted.includes(scope))
}
