import type { TestRealm } from 'fastify-keycloak-bearer/testing'

/** For each API that a token is for, the roles it gives there. */
export type Access = Partial<Record<'orders' | 'billing', string[]>>

/** A token as Keycloak makes it of client scopes: an audience for each API, and roles by client. */
export function tokenFor (realm: TestRealm, access: Access, username = 'alice'): string {
  const given = Object.entries(access).filter(([, roles]) => roles.length > 0)
  return realm.token({
    username,
    claims: {
      aud: Object.keys(access),
      resource_access: Object.fromEntries(given.map(([client, roles]) => [client, { roles }]))
    }
  })
}
