import type { UmaGrant } from '../../../types/uma.js'
import { notValid, unavailable } from '../../errors.js'
import { refusalIn, refusedBy } from '../../keycloak/refusals.js'
import type { TokenReply } from '../../keycloak/token-endpoint.js'
import { isObject, type JsonObject, member, parseArray } from '../../util/strict-json.js'
import type { UmaRefusal } from './decider.js'

/** Levels of a list of permissions: the list, a permission, its claims or scopes, the values of a claim. */
const MAX_DEPTH = 4

/** The permissions that Keycloak grants, or its reason to grant none. */
export type UmaAnswer = readonly UmaGrant[] | UmaRefusal

/** By error of a response with the status 400: the resource or the scope is the question's fault, and no outage. */
const UNKNOWN: ReadonlyMap<string | undefined, UmaRefusal> = new Map([
  ['invalid_resource', 'uma_resource_unknown'],
  ['invalid_scope', 'uma_scope_unknown']
])

/** By description of `invalid_request`: the client of `resourceServer` decides nothing. */
const NO_RESOURCE_SERVER = /^(Unknown resource server id: |Client does not support permissions$)/

/**
 * Reads the response to a question for permissions.
 * @throws {KeycloakError} token_not_valid if Keycloak refuses the token of the question; keycloak_unavailable for what is no answer
 */
export function readAnswer (reply: TokenReply): UmaAnswer {
  const { status, body, error, description } = reply
  if (status === 200) return readGrants(body)
  // Keycloak says the same of a realm that is switched off, in other words.
  if (status === 403 && error === 'access_denied' && refusalIn(status, body) === undefined) return []
  if (status === 400) {
    const unknown = UNKNOWN.get(error)
    if (unknown !== undefined) return unknown
    if (error === 'unauthorized_client' && description === 'Invalid identity') throw notValid('uma_token_refused')
    if (error === 'invalid_request' && NO_RESOURCE_SERVER.test(description ?? '')) throw unavailable('uma_resource_server', 'bad-response', status)
  }
  throw refusedBy(status, body)
}

function readGrants (body: string): UmaGrant[] {
  const grants: UmaGrant[] = []
  for (const permission of parseArray(body, MAX_DEPTH) ?? malformed()) {
    if (!isObject(permission)) return malformed()
    const grant = grantOf(permission)
    if (grant !== undefined) grants.push(grant)
  }
  return grants
}

/** @returns `undefined` for scopes without a resource, which no rule asks for */
function grantOf (permission: JsonObject): UmaGrant | undefined {
  const id = member(permission, 'rsid')
  const name = member(permission, 'rsname')
  const scopes = member(permission, 'scopes')
  if (id === undefined && name === undefined) return undefined
  if (typeof id !== 'string' || id === '' || typeof name !== 'string') return malformed()
  // A resource without scopes has no such member.
  if (scopes !== undefined && !(Array.isArray(scopes) && scopes.every((scope) => typeof scope === 'string'))) return malformed()
  return Object.freeze({ id, name, scopes: Object.freeze([...new Set<string>(scopes)]) })
}

function malformed (): never {
  throw unavailable('uma_answer_malformed')
}
