// A realm that one test file makes by the admin API, and that goes when the test ends.
import type { Test } from 'tap'
import { addRealm, adminOf, ask } from './helpers.js'
import { endpointsOf, issuerOf } from './setup.js'

interface Representation { realm: string, [member: string]: unknown }

/** A user whose password is the name and `-pw`. */
export function person (username: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    username,
    enabled: true,
    email: `${username}@example.test`,
    emailVerified: true,
    firstName: username,
    lastName: 'Tester',
    credentials: [{ type: 'password', value: `${username}-pw` }],
    ...more
  }
}

/** The client of an API, with the secret that it introspects with. */
export function apiClient (clientId: string, secret: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { clientId, secret, publicClient: false, serviceAccountsEnabled: true, standardFlowEnabled: false, ...more }
}

/** A client that users log in with by password, whose tokens are for the API `api`. */
export function loginClient (clientId: string, more: { protocolMappers?: object[], [member: string]: unknown } = {}): Record<string, unknown> {
  const { protocolMappers = [], ...others } = more
  const audience = mapper('aud-api', 'oidc-audience-mapper', { 'included.client.audience': 'api' })
  return { clientId, publicClient: true, standardFlowEnabled: false, directAccessGrantsEnabled: true, protocolMappers: [audience, ...protocolMappers], ...others }
}

/** A mapper whose claim is in access tokens and in the answers to introspection. */
export function mapper (name: string, protocolMapper: string, config: Record<string, string>): object {
  return { name, protocol: 'openid-connect', protocolMapper, config: { 'access.token.claim': 'true', 'introspection.token.claim': 'true', ...config } }
}

export interface OwnRealm {
  issuer: string
  /** Calls of the admin API about this realm. */
  admin: ReturnType<typeof adminOf>
  /** The access token of a user, by the password grant of one of the realm's clients. */
  token (username: string, client?: string, scope?: string): Promise<string>
}

/** Makes the realm of the representation, over http and with tokens of a minute. */
export async function ownRealm (t: Test, representation: Representation): Promise<OwnRealm> {
  const { realm } = representation
  t.teardown(await addRealm({ enabled: true, sslRequired: 'none', accessTokenLifespan: 60, ...representation }))
  return {
    issuer: issuerOf(realm),
    admin: adminOf(realm),
    token: async (username, client = 'cli', scope = 'openid') => {
      const form = { grant_type: 'password', client_id: client, username, password: `${username}-pw`, scope }
      return (await ask('token', form, {}, endpointsOf(realm))).access_token
    }
  }
}
