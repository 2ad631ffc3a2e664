import type { Claims } from '../jws.js'
import { OAuthError } from '../login/reply.js'
import { uuidOf } from '../users.js'
import type { UmaResource } from './rules.js'

/** A permission as the answers have it. */
export interface Permission {
  scopes?: string[]
  rsid: string
  rsname: string
}

/** A resource and the scopes that were asked for; undefined: all of them. */
interface Asked {
  resource: UmaResource
  scopes: readonly string[] | undefined
}

/**
 * The permissions that a user has of those that are asked for, as Keycloak's Authorization Services decide: a part of them is granted,
 * and a name stands for the resources of all owners.
 * @param asked the parameters `permission`; none asks for everything
 * @throws {OAuthError} in Keycloak's words
 */
export function permissionsOf (claims: Claims, asked: readonly string[], resources: readonly UmaResource[]): Permission[] {
  const everything = resources.map((resource) => ({ resource, scopes: undefined }))
  const granted = new Map<UmaResource, Set<string>>()
  for (const { resource, scopes } of asked.length === 0 ? everything : resolved(asked, resources)) {
    const allowed = grantedBy(resource, scopes, claims)
    if (allowed !== undefined) granted.set(resource, new Set([...granted.get(resource) ?? [], ...allowed]))
  }
  if (granted.size === 0) throw new OAuthError('access_denied', 'not_authorized', 403)
  return [...granted].map(([resource, scopes]) => ({ ...(scopes.size > 0 && { scopes: [...scopes] }), rsid: idOf(resource), rsname: resource.name }))
}

/** The id that answers have. */
export function idOf ({ id, owner = '', name }: UmaResource): string {
  return id ?? uuidOf(JSON.stringify([owner, name]))
}

/** An unknown resource is an error only if no other permission names a known one. */
function resolved (asked: readonly string[], resources: readonly UmaResource[]): Asked[] {
  const known = new Set(resources.flatMap(({ scopes = [] }) => scopes))
  let unknown: string | undefined
  const found = asked.flatMap((permission) => {
    const [name, scopes] = parsed(permission, known)
    const named = resources.filter((resource) => isNamed(resource, name) && (scopes === undefined || overlap(resource, scopes)))
    if (named.length === 0 && name !== '') unknown ??= name
    // A permission without a name asks for all resources that have its scopes, and without a scope for nothing.
    return name === '' && scopes === undefined ? [] : named.map((resource) => ({ resource, scopes }))
  })
  if (found.length === 0 && unknown !== undefined) throw new OAuthError('invalid_resource', `Resource with id [${unknown}] does not exist.`)
  return found
}

/** `invoice#read,write`: a second `#` ends the scopes, and unknown ones beside a known one are ignored. */
function parsed (permission: string, known: ReadonlySet<string>): [name: string, scopes: readonly string[] | undefined] {
  const [name, list = ''] = permission.split('#')
  const scopes = list.split(',').filter((scope) => scope !== '')
  if (scopes.length === 0) return [name!, undefined]
  const used = scopes.filter((scope) => known.has(scope))
  if (used.length === 0) throw new OAuthError('invalid_scope', `One of the given scopes [${scopes.sort().join(', ')}] is invalid`)
  return [name!, used]
}

function isNamed (resource: UmaResource, name: string): boolean {
  return name === '' || name === resource.name || name === idOf(resource)
}

function overlap ({ scopes = [] }: UmaResource, asked: readonly string[]): boolean {
  return asked.some((scope) => scopes.includes(scope))
}

/** The scopes that the policy grants, none for a resource without scopes; undefined if it grants nothing. */
function grantedBy (resource: UmaResource, asked: readonly string[] | undefined, claims: Claims): string[] | undefined {
  const { scopes = [] } = resource
  if (scopes.length === 0) return resource.allow(claims, undefined) === true ? [] : undefined
  const allowed = scopes.filter((scope) => (asked === undefined || asked.includes(scope)) && resource.allow(claims, scope) === true)
  return allowed.length > 0 ? allowed : undefined
}
