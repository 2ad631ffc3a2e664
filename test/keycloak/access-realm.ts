// The realm that the rules of routes are tried on: organizations, groups, roles of the realm and of two clients.
import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { apiClient, loginClient, mapper, ownRealm, person, type OwnRealm } from './own-realm.js'

/** What an API of this realm is registered with, beside the issuer. */
export const API = { clientId: 'api', clientSecret: 'api-secret', audience: 'api' }

export interface AccessRealm extends OwnRealm {
  /** Changes the settings of the mapper that writes the claim `organization`. */
  mapOrganizations (config: Record<string, string>): Promise<void>
  /** Adds a second mapper, for the groups and roles within organizations; answers a function that takes it away. */
  mapOrganizationGroups (config?: Record<string, string>): Promise<() => Promise<void>>
  organization (alias: string): Promise<{ id: string, path: string }>
  user (username: string): Promise<{ id: string }>
}

/**
 * alice is in the organizations acme and globex, in the group /staff/it/linux, and has a role of the realm and one of each API; bob is
 * in acme and in /staff, and has a role of Keycloak's own client; carol is in /staff-guests. All are in an organization that is disabled.
 */
export async function accessRealm (t: Test): Promise<AccessRealm> {
  const name = `access-${randomUUID()}`
  const realm = await ownRealm(t, {
    realm: name,
    roles: { realm: [{ name: 'admin' }], client: { api: [{ name: 'view-profile' }], orders: [{ name: 'read' }] } },
    groups: [{ name: 'staff', subGroups: [{ name: 'it', subGroups: [{ name: 'linux' }] }] }, { name: 'staff-guests' }],
    clients: [
      apiClient('api', API.clientSecret),
      apiClient('orders', 'orders-secret'),
      loginClient('cli', { protocolMappers: [groupMapper('true')] }),
      loginClient('short', { protocolMappers: [groupMapper('false')] }),
      loginClient('at-jwt', { attributes: { 'access.token.header.type.rfc9068': 'true' } })
    ],
    organizationsEnabled: true,
    organizations: [
      organization('acme', ['alice', 'bob'], { attributes: { plan: ['gold'], regions: ['eu', 'us'] } }),
      organization('globex', ['alice']),
      organization('closed', ['alice', 'bob', 'carol'], { enabled: false })
    ],
    users: [
      person('alice', { groups: ['/staff/it/linux'], realmRoles: ['admin'], clientRoles: { api: ['view-profile'], orders: ['read'] } }),
      person('bob', { groups: ['/staff'], clientRoles: { account: ['view-profile'] } }),
      person('carol', { groups: ['/staff-guests'] })
    ]
  })
  return { ...realm, ...await organizationsOf(realm) }
}

async function organizationsOf ({ admin }: OwnRealm): Promise<Omit<AccessRealm, keyof OwnRealm>> {
  const scope = (await admin('GET', '/client-scopes')).find(({ name }: { name: string }) => name === 'organization')
  const mappers = `/client-scopes/${scope.id}/protocol-mappers/models`
  const [membership] = scope.protocolMappers
  return {
    mapOrganizations: async (config) => {
      await admin('PUT', `${mappers}/${membership.id}`, { ...membership, config: { ...membership.config, ...config } })
    },
    mapOrganizationGroups: async (config = {}) => {
      const name = 'organization groups'
      await admin('POST', mappers, mapper(name, 'oidc-organization-group-membership-mapper', { 'claim.name': 'organization', ...config }))
      const { id } = (await admin('GET', mappers)).find((each: { name: string }) => each.name === name)
      return async () => { await admin('DELETE', `${mappers}/${id}`) }
    },
    organization: async (alias) => {
      const { id } = (await admin('GET', '/organizations')).find((each: { alias: string }) => each.alias === alias)
      return { id, path: `/organizations/${id}` }
    },
    user: async (username) => (await admin('GET', `/users?username=${username}&exact=true`))[0]
  }
}

function groupMapper (fullPath: 'true' | 'false'): object {
  return mapper('groups', 'oidc-group-membership-mapper', { 'claim.name': 'groups', 'full.path': fullPath })
}

function organization (alias: string, members: string[], more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: alias,
    alias,
    enabled: true,
    domains: [{ name: `${alias}.test`, verified: true }],
    members: members.map((username) => ({ username, membershipType: 'UNMANAGED' })),
    ...more
  }
}
