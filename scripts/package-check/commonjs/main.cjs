// The same by require, where the module itself is registered.
const { deepEqual, equal, ok } = require('node:assert/strict')
const Fastify = require('fastify')
const keycloak = require('fastify-keycloak-bearer')
const manifest = require('fastify-keycloak-bearer/package.json')
const { createTestRealm } = require('fastify-keycloak-bearer/testing')

async function main () {
  const app = Fastify()
  const realm = await createTestRealm({ app })
  await app.register(keycloak, { ...realm.options })
  app.get('/profile', { config: { permission: 'view-profile' } }, async (request) => ({ hello: request.user.username }))

  const get = (token) => app.inject({ url: '/profile', headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
  equal((await get()).statusCode, 401)
  equal((await get(realm.token())).statusCode, 403)
  const reply = await get(realm.token({ roles: ['view-profile'] }))
  equal(reply.statusCode, 200)
  deepEqual(reply.json(), { hello: 'alice' })

  const error = await app.keycloak.verify('nonsense').catch((error) => error)
  ok(error instanceof keycloak.KeycloakError)
  equal(keycloak.default.openapi, keycloak.openapi)
  equal(keycloak.default.bearerToken, keycloak.bearerToken)
  equal(typeof keycloak.openapi(), 'function')
  ok(app.hasPlugin(manifest.name))
  await app.close()
}

main()
