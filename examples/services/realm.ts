import { createTestRealm, type TestRealm } from 'fastify-keycloak-bearer/testing'

/** A realm in this process, with the clients, scopes and audiences that README sets up in Keycloak. */
export async function createRealm (tokenLifespan?: number): Promise<TestRealm> {
  const realm = await createTestRealm({ clientId: 'shop', clientSecret: 'the-secret-of-shop', tokenLifespan })
  await realm.services({
    scopes: {
      'stock:read': { audience: 'warehouse' },
      'parcels:read': { audience: 'warehouse' }
    }
  })
  return realm
}
