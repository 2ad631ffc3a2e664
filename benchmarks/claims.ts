// The claims of an access token as Keycloak 26 writes them, of the same length for all users.
import { randomUUID } from 'node:crypto'

/** @param number of the user */
export function claimsOf ({ issuer, exp }: { issuer: string, exp: number }, number = 0): Record<string, unknown> {
  const username = usernameOf(number)
  return {
    exp,
    iat: exp - 31 * 86_400,
    jti: `onrtac:${randomUUID()}`,
    iss: issuer,
    aud: ['api', 'account'],
    sub: randomUUID(),
    typ: 'Bearer',
    azp: 'web',
    sid: randomUUID(),
    acr: '1',
    realm_access: { roles: ['default-roles-acme', 'offline_access', 'uma_authorization'] },
    resource_access: {
      api: { roles: ['read-profile'] },
      account: { roles: ['manage-account', 'manage-account-links', 'view-profile'] }
    },
    scope: 'openid email profile',
    email_verified: true,
    name: `Given ${username}`,
    preferred_username: username,
    given_name: 'Given',
    family_name: username,
    email: `${username}@example.com`
  }
}

export function usernameOf (number: number): string {
  return `user-${String(number).padStart(6, '0')}`
}
