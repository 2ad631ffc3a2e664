// The types of the caller in a route, for every way to write a route.
import Fastify, { type FastifyInstance, type FastifyPluginAsync, type FastifyPluginCallback } from 'fastify'
import keycloak, { type Claims, type User } from 'fastify-keycloak-bearer'
import fp from 'fastify-plugin'
import { anybody, audit, bare, hello, me, owner, profile, remove, rename } from './handlers.js'

const app = Fastify()
await app.register(keycloak, { issuer: 'https://sso.example.com/realms/acme' })

// Handlers from elsewhere.
app.get('/hello', { config: { authenticated: true } }, hello)
app.get('/hello/2', { config: { permission: ['a', 'b'] }, handler: hello })
app.get('/anybody', anybody)
app.get('/anybody/2', { config: { scope: 'read' } }, anybody)
app.get<{ Params: { owner: string } }, { scope: 'read' }>('/documents/:owner', { config: { scope: 'read' } }, owner)
app.delete('/documents/:owner', { config: { permission: ['a', { any: ['b', (claims) => claims.azp === 'web'] }] } }, remove)
app.delete('/documents/:owner/2', { config: { scope: 'write' }, preHandler: audit, handler: remove })
app.route({ method: 'DELETE', url: '/documents/:owner/3', config: { authenticated: true }, handler: remove })
app.put<{ Params: { owner: string }, Body: { to: string } }, { scope: string }>('/documents/:owner', { config: { scope: 'write' } }, rename)
app.route(profile)
app.route(me)
app.route(bare)
// @ts-expect-error no config: there may be no user
app.get('/nobody', hello)
// @ts-expect-error no config: there may be no user
app.route({ method: 'GET', url: '/nobody/2', handler: hello })
// @ts-expect-error anonymous callers come here too
app.get('/nobody/3', { config: { public: true } }, hello)
// @ts-expect-error no config: there may be no user
app.get('/nobody/5', remove)
// @ts-expect-error no config: there may be no user
app.get('/nobody/6', { schema: {} }, remove)
// @ts-expect-error anonymous callers come here too
app.get('/nobody/7', { config: { public: true } }, remove)
// @ts-expect-error no config: there may be no user
app.route({ method: 'GET', url: '/nobody/8', handler: remove })
// @ts-expect-error no config: there may be no user
app.get('/nobody/4', { preHandler: audit }, anybody)

// The hooks of a route, one or several.
app.route({
  method: ['GET', 'POST'],
  url: '/hooks',
  config: { permission: 'a' },
  onRequest: [audit, async (request) => { request.log.info(request.user.username) }],
  preParsing: async (request, _reply, payload) => {
    request.log.info(request.user.username)
    return payload
  },
  preValidation: [async ({ auth }) => { const claims: Claims = auth; return claims }],
  preHandler (request, _reply, done) {
    const user: User = request.user
    request.log.info(user.username)
    done()
  },
  preSerialization: async (request, _reply, payload) => ({ payload, by: request.user.username }),
  onSend: async (request, _reply, payload) => `${payload} ${request.user.username}`,
  onResponse: async (request) => { request.log.info(request.auth.sub) },
  handler: async (request) => request.user.username
})
app.get('/hooks/2', { config: { authenticated: true }, preHandler: audit, onRequest: audit }, hello)
app.get('/hooks/3', { config: { authenticated: true }, preHandler: [audit, audit] }, async ({ user }) => user.username)

// A config that is a union.
declare const admin: boolean
app.get('/either', { config: admin ? { permission: 'admin' } : { authenticated: true } }, async ({ user }) => user.username)
// @ts-expect-error public after all, perhaps
app.get('/perhaps', { config: admin ? { permission: 'admin' } : { public: true } }, async ({ user }) => user.username)
const closed = { authenticated: true } as const
app.get('/const', { config: closed }, async ({ user }) => user.username)
app.get('/const/2', { config: { ...closed, own: 1 } }, async ({ user, routeOptions }) => [user.username, routeOptions.config.own])
declare const role: string | undefined
// @ts-expect-error no role, no rule
app.get('/undefined', { config: { permission: role } }, async ({ user }) => user.username)

// Generics: TypeScript infers all or none, so a config that is not written out has no type...
app.get<{ Params: { id: string } }>('/generics/:id', { config: { authenticated: true } }, async (request) => {
  const id: string = request.params.id
  // @ts-expect-error
  return [id, request.user.username]
})
// ... and a config that is written out must be there, its type as wide as its use allows.
app.get<{ Params: { id: string } }, { permission: string }>('/generics/4/:id', { config: { permission: 'a' } }, async ({ user, params }) => [params.id, user.username])
app.get<{ Params: { id: string } }, { permission: 'a' }>('/generics/2/:id', { config: { permission: 'a' } }, async (request) => {
  const id: string = request.params.id
  return [id, request.user.username]
})
app.get<{ Params: { id: string } }, { authenticated: true }>('/generics/3/:id', {
  // @ts-expect-error another config than was said
  config: { permission: 'a' }
}, async (request) => request.user.username)

// Plugins.
const inPlugin: FastifyPluginAsync<{ own: string }> = async (api, { own }) => {
  api.get('/', { config: { permission: own } }, async (request) => request.user.username)
  // @ts-expect-error no config: there may be no user
  api.get('/open', async (request) => request.user.username)
  // @ts-expect-error misspelled
  api.get('/misspelled', { config: { permision: own } }, anybody)
}
const withCallback: FastifyPluginCallback = (api, _options, done) => {
  api.get('/', { config: { authenticated: true } }, (request, reply) => { reply.send(request.user.username) })
  done()
}
async function asFunction (api: FastifyInstance) {
  api.post('/', { config: { scope: 'write' } }, async (request) => request.user.username)
  // A hook of a scope sees routes without config too.
  api.addHook('onRequest', async (request) => {
    // @ts-expect-error
    request.log.info(request.user.username)
    request.log.info(request.user?.username)
  })
  // @ts-expect-error and 404
  api.setNotFoundHandler(async (request) => request.user.username)
  // @ts-expect-error and 401
  api.setErrorHandler(async (_, request) => request.user.username)
}
app.register(inPlugin, { own: 'a', prefix: '/v1' })
app.register(withCallback)
app.register(asFunction)
app.register(fp(async (api) => {
  api.get('/fp', { config: { authenticated: true } }, async (request) => request.user.username)
}))
app.register(import('./plugin.js'))

// Other types of Fastify's: HTTP/2, another logger.
const secure = Fastify({ http2: true })
secure.register(keycloak, { issuer: 'https://sso.example.com/realms/acme' })
secure.get('/', { config: { authenticated: true } }, async (request) => request.user.username)
