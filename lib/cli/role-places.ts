import { shown } from '../util/shown.js'
import { isObject, type JsonObject, member } from '../util/strict-json.js'

/** The places where a token has a role, and the rules that look there; `undefined` if it has the role nowhere. */
export function rolePlaces (claims: object, role: string): string | undefined {
  const ofRealm = hasRole(member(claims as JsonObject, 'realm_access'), role) ? [`realm_access.roles (write { realmRole: "${role}" }, or permissionPath: "realm_access.roles")`] : []
  const clients = member(claims as JsonObject, 'resource_access')
  const ofClients = (isObject(clients) ? Object.entries(clients) : [])
    .filter(([client, access]) => hasRole(access, role) && shown(client) !== undefined)
    .map(([client]) => `resource_access.${client}.roles (write { clientRole: "${role}", client: "${client}" }, or clientId: "${client}")`)
  const places = [...ofRealm, ...ofClients]
  return places.length === 0 ? undefined : `the token has the role at ${places.join(' and at ')}`
}

function hasRole (access: unknown, role: string): boolean {
  const roles = member(Object(access), 'roles')
  return Array.isArray(roles) && roles.includes(role)
}
