// The package in an ES module: the lines of the README, and every export.
import { deepEqual, equal, ok } from 'node:assert/strict'
import Fastify from 'fastify'
import keycloak, { bearerToken, KeycloakError, openapi } from 'fastify-keycloak-bearer'
import { createTestRealm } from 'fastify-keycloak-bearer/testing'

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
ok(error instanceof KeycloakError)
equal(keycloak.openapi, openapi)
equal(keycloak.bearerToken, bearerToken)
equal(typeof openapi(), 'function')
ok(app.hasPlugin('fastify-keycloak-bearer'))
await app.close()
