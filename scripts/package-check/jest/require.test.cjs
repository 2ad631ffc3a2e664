const { expect, test } = require('@jest/globals')
const Fastify = require('fastify')
const keycloak = require('fastify-keycloak-bearer')
const { createTestRealm } = require('fastify-keycloak-bearer/testing')

test('what require gives is registered', async () => {
  const app = Fastify()
  const realm = await createTestRealm({ app })
  await app.register(keycloak, { ...realm.options })
  app.get('/profile', { config: { permission: 'read-profile' } }, async (request) => ({ hello: request.user.username }))

  const get = (token) => app.inject({ url: '/profile', headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
  expect((await get()).statusCode).toBe(401)
  expect((await get(realm.token())).statusCode).toBe(403)
  expect((await get(realm.token({ roles: ['read-profile'] }))).json()).toEqual({ hello: 'alice' })
  await app.close()
})
