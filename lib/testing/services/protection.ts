import type { IncomingMessage } from 'node:http'
import type { Claims } from '../jws.js'
import { uuidOf } from '../users.js'
import { isBoundToKey, subjectClaims } from './exchange.js'
import type { UmaResource } from './rules.js'
import { idOf } from './uma.js'

/** The role of the client that its service account has, if the client has resources. Keycloak asks only others for it. */
export const PROTECTION = 'uma_protection'

/** The resources of a client, and the answer to the question whether a token is active. */
export interface ProtectedResources {
  readonly clientId: string
  /** Undefined if the client does not support permissions. */
  readonly resources: readonly UmaResource[] | undefined
  isActive (token: string): boolean
}

type Answer = [status: number, body: object]

const NOT_FOUND: Answer = [404, { error: 'HTTP 404 Not Found' }]

/** Keycloak's Protection API (UMA 2.0 Federated Authorization section 3.2.5) with the answers of 26.7; it finds resources by name and owner. */
export function foundResources ({ method, url = '', headers }: IncomingMessage, api: ProtectedResources): Answer {
  if (method !== 'GET') return NOT_FOUND
  const refusal = refusalOf(headers.authorization, api)
  if (refusal !== undefined) return refusal
  const query = new URLSearchParams(url.split('?')[1])
  const max = query.get('max') ?? '-1'
  if (!/^-?\d{1,9}$/.test(max)) return NOT_FOUND
  const found = api.resources!.filter((resource) => isFound(resource, query, api)).sort((one, other) => one.name.localeCompare(other.name))
  const page = Number(max) < 0 ? found : found.slice(0, Number(max))
  return [200, page.map((resource) => query.get('deep') === 'true' ? described(resource, api) : idOf(resource))]
}

/** Undefined for a token of the client's own service account, or of a user of the client who has the role. */
function refusalOf (authorization: string | undefined, { clientId, resources, isActive }: ProtectedResources): Answer | undefined {
  if (authorization !== undefined && !/^(Bearer|DPoP) \S+$/i.test(authorization)) return [401, { error: 'HTTP 401 Unauthorized' }]
  const claims = subjectClaims(/^Bearer (.+)/i.exec(authorization ?? '')?.[1] ?? null, isActive)
  if (claims === null || isBoundToKey(claims)) return [403, { error: 'invalid_bearer_token', error_description: 'Could not obtain bearer access_token from request.' }]
  if (claims.azp !== clientId || resources === undefined) {
    return [403, { error: 'invalid_clientId', error_description: `Client application [${String(claims.azp)}] is not registered as a resource server.` }]
  }
  if (claims.sub === uuidOf(`service-account-${clientId}`) || hasRole(claims, clientId)) return undefined
  return [403, { error: 'invalid_scope', error_description: `Requires ${PROTECTION} scope.` }]
}

function hasRole ({ resource_access: access }: Claims, clientId: string): boolean {
  return (access as Record<string, { roles: string[] }> | undefined)?.[clientId]?.roles.includes(PROTECTION) === true
}

/** Names are compared in upper and lower case alike, and in part without `exactName`. */
function isFound (resource: UmaResource, query: URLSearchParams, api: ProtectedResources): boolean {
  const [name, wanted] = [resource.name.toLowerCase(), query.get('name')?.toLowerCase() ?? '']
  const owner = query.get('owner')
  const by = ownerOf(resource, api)
  if (owner !== null && owner !== by.name && owner !== by.id) return false
  return query.get('exactName') === 'true' && wanted !== '' ? name === wanted : name.includes(wanted)
}

function ownerOf ({ owner }: UmaResource, { clientId }: ProtectedResources): { id: string, name: string } {
  const isClient = owner === undefined || owner === clientId
  return isClient ? { id: uuidOf(`client ${clientId}`), name: clientId } : { id: uuidOf(owner), name: owner }
}

function described (resource: UmaResource, api: ProtectedResources): object {
  const owner = ownerOf(resource, api)
  const { name, scopes = [] } = resource
  return {
    name,
    owner,
    ownerManagedAccess: owner.name !== api.clientId,
    attributes: {},
    _id: idOf(resource),
    uris: [],
    // Keycloak leaves the member out for a resource without scopes.
    ...(scopes.length > 0 && { scopes: scopes.map((scope) => ({ id: uuidOf(`scope ${scope}`), name: scope })) })
  }
}
