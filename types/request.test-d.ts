// What a handler knows of its caller follows from the config of its route.
import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyInstance, type FastifyPluginAsync, type FastifyRequest, type RouteOptions } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { expectError, expectType } from 'tsd'
import { z } from 'zod'
import keycloak, {
  type AuthenticatedHandler, type Claims, type DefaultUser, insufficientUserAuthentication, type KeycloakError, type KeycloakRequest, type KeycloakRouteConfig, type User
} from '../index.js'

const app = Fastify()
await app.register(keycloak, { issuer: 'https://sso.example.com/realms/acme', clientId: 'api', audience: 'api' })
app.get('/profile', { config: { permission: 'read-profile' } }, async (request) => ({ hello: request.user.username }))

// A route that demands a token has a user.
app.get('/', { config: { permission: 'a' } }, (request) => {
  expectType<User>(request.user)
  expectType<Claims>(request.auth)
})
app.get('/', { config: { permission: ['a', 'b'] } }, (request) => { expectType<User>(request.user) })
app.get('/', { config: { permission: { any: ['a', ['b', 'c']] } } }, (request) => { expectType<User>(request.user) })
app.get('/', { config: { permission: (claims) => claims.azp === 'web' } }, (request) => { expectType<User>(request.user) })
app.post('/', { config: { scope: 'write' } }, (request) => {
  expectType<User>(request.user)
  expectType<Claims>(request.auth)
})
app.put('/', { config: { scope: ['read', 'write'] } }, (request) => { expectType<User>(request.user) })
app.delete('/', { config: { authenticated: true } }, (request) => {
  expectType<User>(request.user)
  expectType<Claims>(request.auth)
})
app.all('/', { config: { authenticated: true, own: 1 } }, (request) => {
  expectType<User>(request.user)
  expectType<number>(request.routeOptions.config.own)
})
app.get('/', { config: { authenticated: true }, handler: (request) => { expectType<User>(request.user) } })
app.route({
  method: 'GET',
  url: '/',
  config: { permission: 'a' },
  handler: async (request) => {
    expectType<User>(request.user)
    expectType<Claims>(request.auth)
  }
})

app.get('/', { config: { acr: 'gold' } }, (request) => { expectType<User>(request.user) })
app.get('/', { config: { acr: ['gold', 'platinum'] } }, (request) => { expectType<Claims>(request.auth) })
app.get('/', { config: { maxAge: 300 } }, (request) => { expectType<User>(request.user) })

// Any other may have none.
app.get('/', (request) => {
  expectType<User | null>(request.user)
  expectType<Claims | null>(request.auth)
})
app.get('/', { config: {} }, (request) => { expectType<User | null>(request.user) })
app.get('/', { config: { own: 1 } }, (request) => { expectType<User | null>(request.user) })
app.get('/', { config: { public: true } }, (request) => {
  expectType<User | null>(request.user)
  expectType<Claims | null>(request.auth)
})
app.get('/', { config: { keycloak: false } }, (request) => {
  expectType<User | null>(request.user)
  expectType<Claims | null>(request.auth)
})
app.route({
  method: ['GET', 'POST'],
  url: '/',
  config: { public: true },
  handler: async (request) => { expectType<User | null>(request.user) }
})
app.route({ method: 'GET', url: '/', handler: async (request) => { expectType<User | null>(request.user) } })
declare const config: KeycloakRouteConfig
app.get('/', { config }, (request) => { expectType<User | null>(request.user) })
app.setNotFoundHandler((request) => { expectType<User | null>(request.user) })
app.setErrorHandler((_, request) => { expectType<User | null>(request.user) })

// Scopes and prefixes change nothing.
await app.register(async (api) => {
  api.get('/', { config: { authenticated: true } }, (request) => { expectType<User>(request.user) })
  api.get('/', (request) => { expectType<User | null>(request.user) })
}, { prefix: '/v1' })
async function routes (api: FastifyInstance) {
  api.get('/', { config: { scope: 'read' } }, (request) => { expectType<User>(request.user) })
}
await app.register(routes, { prefix: '/v2' })

// The hooks of a route run after the plugin's, those of an instance see every route.
app.get('/', {
  config: { permission: 'a' },
  onRequest: async (request) => { expectType<User>(request.user) },
  preValidation: (request, _, done) => {
    expectType<User>(request.user)
    done()
  },
  preHandler: [
    async (request) => { expectType<User>(request.user) },
    async (request) => { expectType<Claims>(request.auth) }
  ]
}, (request) => { expectType<User>(request.user) })
app.get('/', { preHandler: async (request) => { expectType<User | null>(request.user) } }, () => {})
app.addHook('onRequest', async (request) => { expectType<User | null>(request.user) })
app.addHook('preHandler', (request, _, done) => {
  expectType<User | null>(request.user)
  expectType<Claims | null>(request.auth)
  done()
})

// Generics: TypeScript infers all of them or none, so the config is said beside the others.
app.get<{ Params: { owner: string } }, { authenticated: true }>('/', { config: { authenticated: true } }, (request) => {
  expectType<User>(request.user)
  expectType<string>(request.params.owner)
})
app.get<{ Params: { owner: string } }>('/', { config: { authenticated: true } }, (request) => {
  expectType<User | null>(request.user)
})

// A type provider goes with it.
app.withTypeProvider<ZodTypeProvider>().get('/:owner', {
  schema: { params: z.object({ owner: z.string() }) },
  config: { authenticated: true }
}, (request) => {
  expectType<User>(request.user)
  expectType<string>(request.params.owner)
})

app.withTypeProvider<TypeBoxTypeProvider>().get('/:owner', {
  schema: { params: Type.Object({ owner: Type.Number() }) },
  config: { scope: 'read' },
  preHandler: [async (request) => { expectType<User>(request.user) }]
}, (request) => {
  expectType<User>(request.user)
  expectType<number>(request.params.owner)
})

// A rule that may be undefined is none.
declare const role: string | undefined
app.get('/', { config: { permission: role } }, (request) => { expectType<User | null>(request.user) })

// Plugins of each kind, and routes that are objects.
const asyncPlugin: FastifyPluginAsync = async (api) => {
  api.get('/', { config: { permission: 'a' } }, (request) => { expectType<User>(request.user) })
  api.get('/', (request) => { expectType<User | null>(request.user) })
  api.addHook('preHandler', async (request) => { expectType<User | null>(request.user) })
}
await app.register(asyncPlugin)
app.route({ method: 'GET', url: '/', handler: (request) => { expectType<User | null>(request.user) } } satisfies RouteOptions)
expectError({ method: 'GET', url: '/', config: { permision: 'a' }, handler: () => {} } satisfies RouteOptions)

// Handlers and helpers of their own say what they need.
const anybody = async (request: FastifyRequest) => request.user?.username
const somebody = async (request: FastifyRequest & KeycloakRequest<{ authenticated: true }>) => `${request.user.username} ${request.auth.exp}`
const hello = async ({ user }: KeycloakRequest<{ authenticated: true }>) => ({ hello: user.username })
app.get('/', anybody)
app.get('/', { config: { authenticated: true } }, anybody)
app.get('/', { config: { authenticated: true } }, hello)
app.get('/', { config: { permission: 'a' } }, async (request) => [await anybody(request), await somebody(request), hello(request)])
app.get('/', { config: { own: 1 } }, async (request) => anybody(request))
app.route({ method: 'GET', url: '/', config: { scope: 'read' }, handler: hello })
app.route({ method: 'GET', url: '/', config: { scope: 'read' }, handler: async (request) => somebody(request) })
const remove: AuthenticatedHandler<{ Params: { id: string } }> = async (request, reply) => {
  expectType<User>(request.user)
  expectType<Claims>(request.auth)
  expectType<string>(request.params.id)
  return reply.code(204).send()
}
app.delete<{ Params: { id: string } }, { scope: string }>('/:id', { config: { scope: 'write' } }, remove)
const both: AuthenticatedHandler = async (request, reply) => reply.send(request.user.username)
app.get('/', { config: { permission: 'a' } }, both)
app.get('/', { config: { permission: 'a' }, handler: both })
expectError(app.get('/', both))
expectError(app.get('/', { config: { public: true } }, both))
expectError(app.get('/', hello))
expectError(app.get('/', somebody))
expectError(app.get('/', { config: { public: true } }, hello))
expectError(app.get('/', { config: { public: true } }, async (request) => somebody(request)))

// The default user has four properties, and no other.
app.get('/', { config: { authenticated: true } }, ({ user }) => {
  expectType<DefaultUser>(user)
  expectType<string>(user.username)
  expectType<string | undefined>(user.email)
  expectError(user.usrname)
  expectError(user.username = 'mallory')
})

// Claims that Keycloak always writes have their types, a mapper's own are unknown; all are read-only.
app.get('/', { config: { authenticated: true } }, ({ auth }) => {
  expectType<number>(auth.exp)
  expectType<string | undefined>(auth.sub)
  expectType<readonly string[] | undefined>(auth.realm_access?.roles)
  expectType<readonly string[] | undefined>(auth.resource_access?.api?.roles)
  expectType<unknown>(auth.tenant)
  expectError(auth.sub = 'mallory')
  expectError(auth.realm_access?.roles?.push('admin'))
})

// request.hasPermission takes the rules of a route but asynchronous ones.
app.get('/', (request) => {
  expectType<boolean>(request.hasPermission('a'))
  request.hasPermission(['a', { any: ['b', 'c'] }])
  request.hasPermission({ all: ['a', (claims) => claims.azp === 'web'] })
  request.hasPermission((claims, { ip }) => {
    expectType<Claims>(claims)
    expectType<string>(ip)
    return claims.sub === 'x'
  })
  const names: string[] = []
  request.hasPermission(names)
  expectError(request.hasPermission())
  expectError(request.hasPermission(5))
  expectError(request.hasPermission(undefined))
  expectError(request.hasPermission({ some: ['a'] }))
  expectError(request.hasPermission({ any: ['a'], all: ['b'] }))
  expectError(request.hasPermission(async () => true))
  expectError(request.hasPermission(['a', async () => true]))
  expectError(request.hasPermission({ any: [async () => true] }))
  expectError(request.hasPermission(() => 'yes'))
})

// The signal of an open connection is there if the route demands a token.
app.get('/', (request) => expectType<AbortSignal | null>(request.authSignal))
app.get('/', { config: { authenticated: true } }, (request) => expectType<AbortSignal>(request.authSignal))

// A demand for a login has a level, a greatest age, or both.
app.get('/', (request) => {
  expectType<AbortSignal | null>(request.authSignal)
  expectType<boolean>(request.hasAuthentication({ acr: 'gold' }))
  request.hasAuthentication({ maxAge: 300 })
  request.hasAuthentication({ acr: ['gold', 'platinum'], maxAge: 300 })
  const strong = { acr: 'gold', maxAge: 300 }
  request.hasAuthentication(strong)
  expectType<KeycloakError>(insufficientUserAuthentication(strong))
  expectType<KeycloakError>(insufficientUserAuthentication({ acr: ['gold', 'platinum'] } as const))
  expectError(request.hasAuthentication())
  expectError(request.hasAuthentication({}))
  expectError(request.hasAuthentication('gold'))
  expectError(request.hasAuthentication({ acr: [] }))
  expectError(request.hasAuthentication({ acr: 2 }))
  expectError(request.hasAuthentication({ maxAge: '300' }))
  expectError(request.hasAuthentication({ acr: 'gold', max_age: 300 }))
  expectError(insufficientUserAuthentication({}))
  expectError(insufficientUserAuthentication({ acrValues: 'gold' }))
})
