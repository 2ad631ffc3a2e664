import type { Claims } from './jws.js'
import type { TokenSpec } from './token-spec.js'

/** The settings of the realm that decide on the claims of this file. */
interface GrantingRealm {
  name: string
  clientId: string
}

/** The roles that Keycloak gives every user for its own client `account`. */
const ACCOUNT = ['manage-account', 'manage-account-links', 'view-profile']

/** The scopes that a client has by default, and the word that asks for the organizations of the token. */
export function scopeOf ({ scope, organizations }: TokenSpec): string {
  if (scope !== undefined) return scope
  const aliases = organizations === undefined ? [] : aliasesOf(organizations)
  if (aliases.length === 0) return 'openid email profile'
  return `openid organization:${aliases.length === 1 ? aliases[0] : '*'} email profile`
}

/** `realm_access`; Keycloak leaves it out instead of an empty list of roles. */
export function realmRoles ({ realmRoles: roles }: TokenSpec, { name }: GrantingRealm): Claims {
  const granted = roles ?? [`default-roles-${name}`, 'offline_access', 'uma_authorization']
  return granted.length > 0 ? { realm_access: { roles: granted } } : {}
}

/** The roles by client: `account`, the realm's client, others. Keycloak leaves a client out that has no role. */
export function clientRoles ({ roles = [], clientRoles: others = {} }: TokenSpec, { clientId }: Pick<GrantingRealm, 'clientId'>): Map<string, { roles: string[] }> {
  const byClient = new Map<string, readonly string[]>([['account', ACCOUNT], ...Object.entries(others)])
  if (roles.length > 0) byClient.set(clientId, [...roles, ...(Object.hasOwn(others, clientId) ? others[clientId]! : [])])
  return new Map([...byClient].filter(([, granted]) => granted.length > 0).map(([client, granted]) => [client, { roles: [...new Set(granted)] }]))
}

/** The clients that a token is for: the realm's client, and each client of which the user has a role. */
export function audienceOf (spec: TokenSpec, realm: Pick<GrantingRealm, 'clientId'>): string[] {
  return [...new Set([realm.clientId, ...clientRoles(spec, realm).keys()])]
}

/** Keycloak writes an audience of one as a string (RFC 7519 section 4.1.3), and leaves out an empty one. */
export function audienceClaim (audience: readonly string[]): string | readonly string[] | undefined {
  return audience.length > 1 ? audience : audience[0]
}

/** `groups` and `organization`, by Keycloak's mappers as shipped; a realm has the claim only for a user who is in one. */
export function memberships ({ groups = [], organizations = [] }: TokenSpec): Claims {
  return {
    ...(groups.length > 0 && { groups }),
    ...(aliasesOf(organizations).length > 0 && { organization: organizations })
  }
}

function aliasesOf (organizations: NonNullable<TokenSpec['organizations']>): readonly string[] {
  return isList(organizations) ? organizations : Object.keys(organizations)
}

function isList (organizations: NonNullable<TokenSpec['organizations']>): organizations is readonly string[] {
  return Array.isArray(organizations)
}
