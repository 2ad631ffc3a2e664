// The realm of the tests of Keycloak's Authorization Services: resources of the API, and one of a user that has the name of one of them.
import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { call } from './helpers.js'
import { apiClient, loginClient, type OwnRealm, ownRealm, person } from './own-realm.js'
import { endpointsOf } from './setup.js'

const NAMES = { resources: 'resources', scopes: 'scopes', policies: 'applyPolicies' }

/** A permission: whoever has the role may do this to that. */
function permission (name: string, resource: string, scope: string, policies: string[]): object {
  return {
    name,
    type: 'scope',
    logic: 'POSITIVE',
    decisionStrategy: 'AFFIRMATIVE',
    config: { [NAMES.resources]: JSON.stringify([resource]), [NAMES.scopes]: JSON.stringify([scope]), [NAMES.policies]: JSON.stringify(policies) }
  }
}

function resource (name: string, scopes: string[], more: object = {}): object {
  return { name, type: 'urn:api:resource:invoice', ownerManagedAccess: false, scopes: scopes.map((scope) => ({ name: scope })), ...more }
}

function policy (role: string): object {
  return { name: `has-${role}`, type: 'role', logic: 'POSITIVE', decisionStrategy: 'UNANIMOUS', config: { roles: JSON.stringify([{ id: `api/${role}`, required: true }]) } }
}

const AUTHORIZATION = {
  policyEnforcementMode: 'ENFORCING',
  decisionStrategy: 'UNANIMOUS',
  allowRemoteResourceManagement: true,
  scopes: ['read', 'write', 'delete'].map((name) => ({ name })),
  resources: [
    resource('invoice', ['read', 'write', 'delete']),
    resource('invoice:7', ['read', 'write']),
    resource('dashboard', []),
    resource('report', ['read']),
    resource('invoice', ['read', 'write'], { owner: { name: 'dave' }, ownerManagedAccess: true })
  ],
  policies: [
    policy('reader'),
    policy('writer'),
    permission('invoice-read', 'invoice', 'read', ['has-reader', 'has-writer']),
    permission('invoice-write', 'invoice', 'write', ['has-writer']),
    permission('invoice-7-read', 'invoice:7', 'read', ['has-reader']),
    { name: 'dashboard', type: 'resource', logic: 'POSITIVE', decisionStrategy: 'AFFIRMATIVE', config: { resources: '["dashboard"]', applyPolicies: '["has-reader"]' } }
  ]
}

export interface UmaRealm extends OwnRealm {
  name: string
  endpoints: string
}

export async function umaRealm (t: Test): Promise<UmaRealm> {
  const name = `uma-${randomUUID()}`
  const realm = await ownRealm(t, {
    realm: name,
    accessTokenLifespan: 300,
    userManagedAccessAllowed: true,
    roles: { client: { api: [{ name: 'reader' }, { name: 'writer' }] } },
    users: [
      person('alice', { clientRoles: { api: ['reader'] } }),
      person('bob', { clientRoles: { account: ['manage-account', 'view-profile'] } }),
      person('carol', { clientRoles: { api: ['reader', 'writer'] } }),
      person('dave', { clientRoles: { account: ['manage-account', 'view-profile'] } })
    ],
    clients: [
      apiClient('api', 'api-secret', { authorizationServicesEnabled: true, authorizationSettings: AUTHORIZATION }),
      apiClient('other', 'other-secret'),
      loginClient('cli'),
      loginClient('light', { attributes: { 'client.use.lightweight.access.token.enabled': 'true' } })
    ]
  })
  return { ...realm, name, endpoints: endpointsOf(name) }
}

/** Dave shares a scope of his resource with bob, as the account console does. */
export async function share ({ issuer, token }: UmaRealm, id: string, scope: string): Promise<void> {
  const response = await call(`${issuer}/account/resources/${id}/permissions`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${await token('dave')}`, 'content-type': 'application/json' },
    body: JSON.stringify([{ username: 'bob', scopes: [scope] }])
  })
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
}
