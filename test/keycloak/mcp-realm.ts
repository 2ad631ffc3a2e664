// A realm for an MCP server, set up as docs/mcp.md says.
import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { type OwnRealm, ownRealm, person } from './own-realm.js'

export const REDIRECT = 'http://127.0.0.1:8765/callback'

/** The scopes, whose audience is the server. */
const SCOPES = ['mcp', 'notes:write']

/**
 * @param url of the MCP server
 * @param hasResource does a client have the URL as its `resource_url`, as the feature `resource-indicators` needs it?
 */
export async function mcpRealm (t: Test, url: string, hasResource = false): Promise<OwnRealm> {
  const realm = await ownRealm(t, { realm: `mcp-${randomUUID()}`, users: [person('alice')] })
  for (const name of SCOPES) {
    await realm.admin('POST', '/client-scopes', {
      name,
      protocol: 'openid-connect',
      attributes: { 'include.in.token.scope': 'true' },
      protocolMappers: [{ name: 'audience', protocol: 'openid-connect', protocolMapper: 'oidc-audience-mapper', config: { 'included.custom.audience': url, 'access.token.claim': 'true', 'introspection.token.claim': 'true' } }]
    })
  }
  await realm.admin('POST', '/clients', { clientId: 'desktop', publicClient: true, redirectUris: [REDIRECT], defaultClientScopes: ['basic', 'profile'], optionalClientScopes: SCOPES })
  if (hasResource) await realm.admin('POST', '/clients', { clientId: url, attributes: { resource_url: url } })
  await allowRegistration(realm)
  return realm
}

/** Clients client registration, anonymous access policies: this machine's clients with the scopes may register. */
async function allowRegistration ({ admin }: OwnRealm): Promise<void> {
  const policies: Array<{ id: string, providerId: string, subType: string, config: Record<string, string[]> }> =
    await admin('GET', '/components?type=org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy')
  const changes: Record<string, Record<string, string[]>> = {
    'trusted-hosts': { 'trusted-hosts': ['127.0.0.1'], 'host-sending-registration-request-must-match': ['true'], 'client-uris-must-match': ['true'] },
    'allowed-client-templates': { 'allow-default-scopes': ['true'], 'allowed-client-scopes': SCOPES }
  }
  for (const policy of policies) {
    const config = policy.subType === 'anonymous' ? changes[policy.providerId] : undefined
    if (config !== undefined) await admin('PUT', `/components/${policy.id}`, { ...policy, config: { ...policy.config, ...config } })
  }
}
