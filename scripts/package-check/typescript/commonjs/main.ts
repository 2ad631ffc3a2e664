// TypeScript that becomes CommonJS, by `import` and by `import = require`.
import { deepEqual, equal } from 'node:assert/strict'
import Fastify from 'fastify'
import keycloak, { openapi, type KeycloakOptions } from 'fastify-keycloak-bearer'
import { requireScopes } from 'fastify-keycloak-bearer/mcp'
import { createTestRealm } from 'fastify-keycloak-bearer/testing'
import required = require('fastify-keycloak-bearer')

async function main () {
  const app = Fastify()
  const realm = await createTestRealm({ app })
  const options: KeycloakOptions = { ...realm.options }
  await app.register(keycloak, options)
  app.get('/profile', { config: { permission: 'read-profile' } }, async (request) => ({ hello: request.user.username }))

  equal(typeof requireScopes, 'function')
  const get = (token?: string) => app.inject({ url: '/profile', headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
  equal((await get()).statusCode, 401)
  equal((await get(realm.token())).statusCode, 403)
  const reply = await get(realm.token({ roles: ['read-profile'] }))
  equal(reply.statusCode, 200)
  deepEqual(reply.json(), { hello: 'alice' })
  equal(required.default, keycloak)
  equal(required.openapi, openapi)
  await app.close()
}

main()
