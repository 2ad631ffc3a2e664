// Strict TypeScript, compiled and run: the lines of the README, and the types of their values.
import { deepEqual, equal, ok } from 'node:assert/strict'
import Fastify, { type FastifyInstance } from 'fastify'
import keycloak, { KeycloakError, openapi, type Claims, type DefaultUser, type KeycloakOptions } from 'fastify-keycloak-bearer'
import { requireScopes, type McpAuthInfo } from 'fastify-keycloak-bearer/mcp'
import { createTestRealm, type TestRealm } from 'fastify-keycloak-bearer/testing'

const app: FastifyInstance = Fastify()
const realm: TestRealm = await createTestRealm({ app })
const options: KeycloakOptions = { ...realm.options }
await app.register(keycloak, options)
app.get('/profile', { config: { permission: 'read-profile' } }, async (request) => ({ hello: request.user.username }))

app.get('/me', { config: { authenticated: true } }, async (request) => {
  const user: DefaultUser = request.user
  const claims: Claims = request.auth
  return { user, until: claims.exp, admin: request.hasPermission({ any: ['admin'] }) }
})
app.post('/mcp', { config: { mcp: { tools: { 'write-note': 'notes:write' } } } }, async (request) => {
  requireScopes(request, 'notes:read')
  const user: DefaultUser = request.user
  const { auth } = request.raw as { auth?: McpAuthInfo }
  return { user, client: auth?.clientId }
})
app.get('/open', async (request) => {
  // @ts-expect-error an open route may have no user
  const user: DefaultUser = request.user
  return { user }
})
app.get('/name', { config: { authenticated: true } }, async (request) => {
  // @ts-expect-error misspelled
  return { name: request.user.usrname }
})
// @ts-expect-error a rule that means nothing
equal(typeof (() => app.get('/wrong', { config: { permission: 5 } }, async () => {})), 'function')
// @ts-expect-error misspelled
equal(typeof (() => app.register(keycloak, { issuer: '', audiance: 'api' })), 'function')

const get = (token?: string) => app.inject({ url: '/profile', headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
equal((await get()).statusCode, 401)
equal((await get(realm.token())).statusCode, 403)
const reply = await get(realm.token({ roles: ['read-profile'] }))
equal(reply.statusCode, 200)
deepEqual(reply.json(), { hello: 'alice' })
ok(await app.keycloak.verify('nonsense').catch((error: unknown) => error) instanceof KeycloakError)
equal(keycloak.openapi, openapi)
await app.close()
