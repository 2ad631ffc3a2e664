import { randomUUID } from 'node:crypto'
import { audienceClaim, clientRoles } from '../grants.js'
import type { Claims } from '../jws.js'
import type { TokenSpec } from '../token-spec.js'
import type { RegisteredClient } from './clients.js'
import { PROTECTION } from './protection.js'
import type { ServiceScopes } from './scopes.js'

/** Claims of people, which the user behind a client has not. */
const NONE: Claims = { sid: undefined, name: undefined, given_name: undefined, family_name: undefined, email: undefined }

/**
 * The description of a token of client credentials, as Keycloak makes it.
 * @param scope the scope claim
 * @param ownClient the realm's `clientId`, whose service account may read its resources if it has any
 */
export function serviceAccount ({ id, rules }: RegisteredClient, scope: string, scopes: ServiceScopes, { ownClient, hasResources }: { ownClient: string, hasResources: boolean }): TokenSpec & { claims: Claims } {
  const { roles = [], realmRoles, clientRoles: others } = rules
  const granted = { roles: id === ownClient && hasResources ? [PROTECTION, ...roles] : roles, realmRoles, clientRoles: others }
  const audience = new Set([...scopes.audiences(scope), ...clientRoles(granted, { clientId: ownClient }).keys()])
  // Keycloak names a client in `aud` of its own tokens only by a mapper.
  audience.delete(id)
  return {
    username: `service-account-${id}`,
    ...granted,
    authorizedParty: id,
    scope,
    claims: {
      ...NONE,
      jti: `trrtcc:${randomUUID()}`,
      aud: audienceClaim([...audience]),
      email_verified: false,
      client_id: id,
      clientHost: '127.0.0.1',
      clientAddress: '127.0.0.1'
    }
  }
}
