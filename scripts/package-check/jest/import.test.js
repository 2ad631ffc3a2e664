// An import that babel turns into a require.
import { expect, test } from '@jest/globals'
import Fastify from 'fastify'
import keycloak, { KeycloakError, openapi } from 'fastify-keycloak-bearer'
import { createTestRealm } from 'fastify-keycloak-bearer/testing'

test('the default import is the plugin', async () => {
  const app = Fastify()
  const realm = await createTestRealm({ app })
  await app.register(keycloak, { ...realm.options })
  app.get('/profile', { config: { permission: 'read-profile' } }, async (request) => ({ hello: request.user.username }))

  const get = (token) => app.inject({ url: '/profile', headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
  expect((await get()).statusCode).toBe(401)
  expect((await get(realm.token())).statusCode).toBe(403)
  expect((await get(realm.token({ roles: ['read-profile'] }))).json()).toEqual({ hello: 'alice' })
  await expect(app.keycloak.verify('nonsense')).rejects.toBeInstanceOf(KeycloakError)
  expect(keycloak.openapi).toBe(openapi)
  await app.close()
})
