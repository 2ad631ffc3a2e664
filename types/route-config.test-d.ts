// A wrong route config does not compile.
import Fastify, { type FastifyRequest } from 'fastify'
import { expectAssignable, expectError, expectNotAssignable, expectType } from 'tsd'
import type { Claims, KeycloakRouteConfig, PermissionFunction, PermissionRule } from '../index.js'

const app = Fastify()

// Rules, nested as you like.
expectAssignable<PermissionRule>('a')
expectAssignable<PermissionRule>(['a', 'b'])
expectAssignable<PermissionRule>(['a', 'b'] as const)
expectAssignable<PermissionRule>({ any: ['a', { all: ['b', 'c'] }] })
expectAssignable<PermissionRule>(['a', { any: ['b', () => true] }, async () => false])

// Functions get typed claims and the request, and answer at once or later.
expectAssignable<PermissionFunction>(() => true)
expectAssignable<PermissionFunction>(async () => true)
app.get('/', {
  config: {
    permission: (claims, request) => {
      expectType<Claims>(claims)
      expectType<FastifyRequest>(request)
      return claims.sub === request.ip
    }
  }
}, () => {})
app.get('/', {
  config: {
    permission: {
      any: ['a', async (claims, request) => {
        expectType<Claims>(claims)
        expectType<FastifyRequest>(request)
        return claims.azp === 'web'
      }]
    }
  }
}, () => {})
expectError(app.get('/', { config: { permission: () => 'yes' } }, () => {}))
expectError(app.get('/', { config: { permission: async () => 1 } }, () => {}))
expectError(app.get('/', { config: { permission: (claims: Claims, { ip }: FastifyRequest, third: string) => third === claims.sub + ip } }, () => {}))

// Rules that mean nothing.
expectError(app.get('/', { config: { permission: 5 } }, () => {}))
expectError(app.get('/', { config: { permission: true } }, () => {}))
expectError(app.get('/', { config: { permission: null } }, () => {}))
expectError(app.get('/', { config: { permission: [] } }, () => {}))
expectError(app.get('/', { config: { permission: [5] } }, () => {}))
expectError(app.get('/', { config: { permission: {} } }, () => {}))
expectError(app.get('/', { config: { permission: { any: [] } } }, () => {}))
expectError(app.get('/', { config: { permission: { all: [] } } }, () => {}))
expectError(app.get('/', { config: { permission: { any: 'a' } } }, () => {}))
expectError(app.get('/', { config: { permission: { some: ['a'] } } }, () => {}))
expectError(app.get('/', { config: { permission: { any: ['a'], all: ['b'] } } }, () => {}))
expectError(app.get('/', { config: { permission: ['a', { any: [] }] } }, () => {}))
expectError(app.get('/', { config: { scope: 5 } }, () => {}))
expectError(app.get('/', { config: { scope: [] } }, () => {}))
expectError(app.get('/', { config: { scope: [5] } }, () => {}))
expectError(app.get('/', { config: { scope: { any: ['a'] } } }, () => {}))

// A stronger or more recent login.
app.get('/', { config: { acr: 'gold', maxAge: 300 } }, () => {})
app.get('/', { config: { acr: ['gold', 'platinum'] } }, () => {})
expectError(app.get('/', { config: { acr: 2 } }, () => {}))
expectError(app.get('/', { config: { acr: [] } }, () => {}))
expectError(app.get('/', { config: { acr: [2] } }, () => {}))
expectError(app.get('/', { config: { acr: { any: ['gold'] } } }, () => {}))
expectError(app.get('/', { config: { maxAge: '300' } }, () => {}))
expectError(app.get('/', { config: { maxAge: [300] } }, () => {}))

// What is on or off is said by one value.
expectError(app.get('/', { config: { authenticated: false } }, () => {}))
expectError(app.get('/', { config: { authenticated: 'yes' } }, () => {}))
expectError(app.get('/', { config: { public: false } }, () => {}))
expectError(app.get('/', { config: { public: 'yes' } }, () => {}))
expectError(app.get('/', { config: { keycloak: true } }, () => {}))

// The same by app.route, in a scope, and for a config of its own.
expectError(app.route({ method: 'GET', url: '/', config: { permission: 5 }, handler: () => {} }))
expectError(app.route({ method: 'GET', url: '/', config: { permision: 'a' }, handler: () => {} }))
app.register(async (api) => {
  expectError(api.get('/', { config: { authenticated: 'yes' } }, () => {}))
}, { prefix: '/v1' })
expectAssignable<KeycloakRouteConfig>({ permission: 'a', scope: 'b' })
expectNotAssignable<KeycloakRouteConfig>({ permission: [] })

// Misspelled, the route would be open.
expectError(app.get('/', { config: { permissions: 'a' } }, () => {}))
expectError(app.get('/', { config: { permision: 'a' } }, () => {}))
expectError(app.get('/', { config: { permisions: 'a' } }, () => {}))
expectError(app.get('/', { config: { permisson: 'a' } }, () => {}))
expectError(app.get('/', { config: { premission: 'a' } }, () => {}))
expectError(app.get('/', { config: { persmission: 'a' } }, () => {}))
expectError(app.get('/', { config: { Permission: 'a' } }, () => {}))
expectError(app.get('/', { config: { authenticate: true } }, () => {}))
expectError(app.get('/', { config: { autenticated: true } }, () => {}))
expectError(app.get('/', { config: { authentificated: true } }, () => {}))
expectError(app.get('/', { config: { Authenticated: true } }, () => {}))

expectError(app.get('/', { config: { acrs: 'gold' } }, () => {}))
expectError(app.get('/', { config: { acrValues: 'gold' } }, () => {}))
expectError(app.get('/', { config: { acr_values: 'gold' } }, () => {}))
expectError(app.get('/', { config: { loa: 'gold' } }, () => {}))
expectError(app.get('/', { config: { max_age: 300 } }, () => {}))
expectError(app.get('/', { config: { maxage: 300 } }, () => {}))
expectError(app.get('/', { config: { maxAuthAge: 300 } }, () => {}))

// Beside config it would be open as well.
expectError(app.get('/', { acr: 'gold' }, () => {}))
expectError(app.get('/', { maxAge: 300 }, () => {}))
expectError(app.get('/', { permission: 'a' }, () => {}))
expectError(app.get('/', { scope: 'a', config: {} }, () => {}))
expectError(app.get('/', { authenticated: true }, () => {}))
expectError(app.post('/', { public: true, handler: () => {} }))
expectError(app.route({ method: 'GET', url: '/', permission: 'a', handler: () => {} }))

// Other plugins have words of their own.
app.get('/', { config: { auth: true, roles: ['a'], scopes: 'b', rateLimit: { max: 5 } } }, () => {})
