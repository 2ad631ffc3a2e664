import { nearest } from '../util/spelling.js'

/** The keys of a route's config that belong to this plugin. */
export const OURS = ['permission', 'scope', 'authenticated', 'public', 'keycloak'] as const

/** Those that close a route. */
export const CLOSING = ['permission', 'scope', 'authenticated'] as const

/** Those that mean nothing beside config, where people write them by mistake. */
export const MISPLACED = ['permission', 'scope', 'authenticated', 'public'] as const

/** Keys whose misspelling leaves a route open, and the near words that belong to others. */
const EASILY_MISSPELLED = ['permission', 'authenticated']
const LEFT_ALONE = new Set(['permission', 'authenticated', 'permissive', 'authenticator'])

/** What others call a rule: keys that ask for more than a valid token, in small letters without separators. */
const FOR_RULES = new Set(['role', 'roles', 'scopes', 'scop', 'authorize', 'authorization', 'requiredroles', 'requiredscope', 'requiredscopes', 'requiredpermissions'])

/** The same for keys that ask for a valid token. */
const FOR_TOKENS = new Set(['auth', 'authentication', 'requireauthentication', 'requireauth', 'requiresauth', 'protected', 'secured'])

/** The key that a misspelled one means. */
export function meantBy (key: string): string | undefined {
  return LEFT_ALONE.has(key) ? undefined : nearest(key, EASILY_MISSPELLED, 2)
}

/**
 * Does a key look as if it closed a route, though it is none of ours?
 * @param isOpen is the route open to anonymous callers? Where it is not, a key that asks for a valid token has one.
 */
export function isLookalike (key: string, isOpen: boolean): boolean {
  const plain = key.toLowerCase().replaceAll(/[_-]/g, '')
  return FOR_RULES.has(plain) || (isOpen && FOR_TOKENS.has(plain)) || (plain === 'scope' && key !== 'scope')
}
