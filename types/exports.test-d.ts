// What the package gives beside the plugin.
import swagger from '@fastify/swagger'
import Fastify, { type FastifyRequest, type LightMyRequestResponse } from 'fastify'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import { expectAssignable, expectError, expectType } from 'tsd'
import keycloak, {
  bearerToken, KeycloakError, openapi, type Claims, type Health, type KeycloakErrorCode, type KeycloakReasonCode, type RouteAccess
} from '../index.js'
import { createTestRealm, type TestRealm } from '../lib/testing/index.js'

const app = Fastify()

// fastify.keycloak
expectType<Promise<Claims>>(app.keycloak.verify('token'))
expectType<RouteAccess[]>(app.keycloak.routes())
expectType<'open' | 'optional' | 'authenticated' | 'restricted'>(app.keycloak.routes()[0].access)
expectType<Health>(app.keycloak.health())
expectType<boolean>(app.keycloak.health().ok)
expectType<number>(app.keycloak.health().keys.count)
expectType<boolean | undefined>(app.keycloak.health().introspection?.ok)
for (const health of Object.values(app.keycloak.health().issuers ?? {})) expectType<boolean>(health.ok)
expectError(app.keycloak.verify())
expectError(app.keycloak.verify(5))
expectError(app.keycloak.introspect('token'))

// Errors
declare const error: unknown
if (error instanceof KeycloakError) {
  expectType<number>(error.statusCode)
  expectType<KeycloakErrorCode>(error.code)
  expectType<string>(error.reason)
  expectType<KeycloakReasonCode>(error.reasonCode)
}
expectAssignable<KeycloakErrorCode>('token_expired')
expectError<KeycloakErrorCode>('expired')

// bearerToken
declare const request: FastifyRequest
expectType<string | null>(bearerToken(request))
expectType<typeof bearerToken>(keycloak.bearerToken)
app.register(keycloak, { issuer: 'https://sso.example.com/realms/acme', extractToken: bearerToken })

// openapi
expectType<typeof openapi>(keycloak.openapi)
app.register(swagger, { openapi: {}, transform: keycloak.openapi() })
app.register(swagger, { openapi: {}, transform: openapi(jsonSchemaTransform) })
app.register(swagger, { openapi: {}, transform: openapi({ scheme: 'oauth2', issuer: 'https://sso.example.com/realms/acme' }) })
app.register(swagger, { openapi: {}, transform: openapi(jsonSchemaTransform, { name: 'Login', scopes: { write: 'to write' } }) })
app.register(swagger, { openapi: {}, transform: openapi({ scheme: 'oauth2', issuers: [{ issuer: 'https://sso.example.com/realms/acme' }, { name: 'b', issuer: 'https://sso.example.com/realms/globex' }] }) })
app.register(swagger, { openapi: {}, transform: openapi({ issuers: [{ issuer: 'https://sso.example.com/realms/acme' }] }) })
expectError(openapi({ scheme: 'oauth2' }))
expectError(openapi({ scheme: 'oauth2', issuer: 'https://sso.example.com/realms/acme', issuers: [{ issuer: 'https://sso.example.com/realms/globex' }] }))
expectError(openapi({ scheme: 'oauth2', issuers: [{ name: 'acme' }] }))
expectError(openapi({ scheme: 'basic' }))
expectError(openapi({ nam: 'Login' }))

// ./testing
const realm = await createTestRealm({ app, algorithms: ['ES256'] })
expectType<TestRealm>(realm)
expectType<string>(realm.token({ username: 'bob', roles: ['admin'], kind: 'lightweight' }))
app.register(keycloak, realm.options)
app.register(keycloak, { ...realm.options, verifyTokensWithKeycloak: true })
app.register(keycloak, { issuers: [realm.options, { ...realm.options, name: 'another' }] })
app.register(keycloak, { issuers: async () => realm.options })
realm.token({ clientRoles: { billing: ['reader'] }, groups: ['/staff/it'], organizations: ['acme'], authorizedParty: 'cli' })
realm.token({ organizations: { acme: { id: 'fe4e18bb', groups: ['/admins'], plan: ['gold'] }, globex: {} } })
expectType<Promise<LightMyRequestResponse>>(realm.inject(app, { as: { username: 'bob', roles: ['admin'], age: 60 }, url: '/' }))
realm.inject(app, '/')
realm.inject(app, { as: null, method: 'POST', url: '/', payload: { a: 1 }, headers: { 'x-a': 'b' }, cookies: { c: 'd' } })
realm.inject(Fastify({ http2: true }), { as: realm.token(), url: '/' })
app.inject({ url: '/', headers: realm.headers() })
fetch('http://127.0.0.1', { headers: realm.headers({ roles: ['admin'] }) })
expectType<string>(realm.headers(realm.token()).authorization)
expectError(realm.inject({ as: {}, url: '/' }))
expectError(realm.inject(app, { as: { role: ['admin'] }, url: '/' }))
expectError(realm.inject(app, { as: ['admin'], url: '/' }))
expectError(realm.inject(app, { as: { roles: 'admin' }, url: '/' }))
expectError(realm.inject(app, { as: {}, urll: '/' }))
expectError(realm.headers({ age: '60' }))
expectError(realm.token({ kind: 'acess' }))
expectError(realm.token({ role: ['admin'] }))
expectError(realm.token({ clientRoles: { billing: 'reader' } }))
expectError(realm.token({ organizations: { acme: { id: 5 } } }))
expectError(realm.token({ organisations: ['acme'] }))
expectError(createTestRealm({ algorithms: ['HS256'] }))
const services = await realm.services({ clients: { worker: { secret: 'x', roles: ['read'] }, api: { keys: [{ kty: 'RSA' }] } }, scopes: { orders: { audience: 'orders', default: true } } })
realm.services({ resources: [{ name: 'invoice', scopes: ['read'], allow: (claims, scope) => claims.sub === scope }], refuse: ({ subject }) => subject === 'bob' ? { error: 'access_denied' } : undefined })
expectType<'client_credentials' | 'token-exchange' | 'uma-ticket'>(services.calls[0]!.grant)
realm.respond('token', (_request, _response, _body, next) => { setTimeout(next, 5) })
expectError(realm.services({ client: {} }))
expectError(realm.services({ resources: [{ name: 'invoice', allow: async () => true }] }))
const login = { redirectUris: [], users: { alice: { password: 'alice-pw' } } }
createTestRealm({ login: { ...login, registration: true, scopes: { 'notes:read': { audience: 'https://api.example.com/mcp' } }, resources: () => [] } })
createTestRealm({ login: { ...login, registration: { trustedHosts: ['localhost'] }, scopes: () => ({ 'notes:read': { audience: ['a', 'b'] }, plain: {} }) } })
expectError(createTestRealm({ login: { ...login, registration: 'on' } }))
expectError(createTestRealm({ login: { ...login, scopes: ['notes:read'] } }))
