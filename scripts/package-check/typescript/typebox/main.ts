// With @fastify/type-provider-typebox: the schema types the content of a request, the config types its caller.
import Fastify from 'fastify'
import keycloak, { type AuthenticatedHandler, type KeycloakRequest } from 'fastify-keycloak-bearer'
import { type FastifyPluginAsyncTypebox, type Static, Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'

const app = Fastify().withTypeProvider<TypeBoxTypeProvider>()
app.register(keycloak, { issuer: 'https://sso.example.com/realms/acme' })

const document = Type.Object({ id: Type.Number() })
const body = Type.Object({ title: Type.String() })
const reply = { 200: Type.Object({ id: Type.Number(), title: Type.String(), by: Type.String() }) }

app.post('/documents/:id', { schema: { params: document, body, response: reply }, config: { permission: 'write' } }, async (request) => {
  const id: number = request.params.id
  return { id, title: request.body.title, by: request.user.username }
})
app.route({
  method: 'PUT',
  url: '/documents/:id',
  schema: { params: document, body },
  config: { permission: { any: ['write', async (claims, { ip }) => claims.sub === ip] } },
  preValidation: async (request) => { request.log.info(request.user.username) },
  preHandler: [async (request) => { request.log.info(request.auth.iss) }],
  handler: async (request) => {
    const id: number = request.params.id
    return `${id} ${request.body.title} ${request.user.username}`
  }
})
app.get('/documents/:id', { schema: { params: document } }, async (request) => {
  const id: number = request.params.id
  // @ts-expect-error no config, maybe no user
  return `${id} ${request.user.username}`
})
// @ts-expect-error the schema says number
app.get('/number/:id', { schema: { params: document }, config: { authenticated: true } }, async ({ params, user }) => user.username + params.id.toUpperCase())
app.get('/misspelled/:id', { schema: { params: document }, config: { authenticated: true } }, async ({ user }) =>
  // @ts-expect-error misspelled
  user.usrname)
// @ts-expect-error misspelled, the route would be open
app.get('/open/:id', { schema: { params: document }, config: { permision: 'write' } }, async ({ params }) => params.id)
// @ts-expect-error the reply lacks what its schema asks for
app.get('/reply/:id', { schema: { params: document, response: reply }, config: { authenticated: true } }, async ({ params }) => ({ id: params.id }))

// A handler that is declared elsewhere names its needs of the caller and of the schema.
const hello = async ({ user, params }: KeycloakRequest<{ authenticated: true }> & { params: Static<typeof document> }) => `${user.username} ${params.id}`
app.get('/elsewhere/:id', { schema: { params: document }, config: { authenticated: true } }, async (request) => hello(request))
app.get('/direct/:id', { schema: { params: document }, config: { scope: 'read' } }, hello)
const both: AuthenticatedHandler = async ({ user, log }, reply) => {
  log.info(user.username)
  return reply.code(204).send()
}
app.get('/both/:id', { schema: { params: document }, config: { scope: 'read' } }, both)
// @ts-expect-error no config, maybe no user
app.get('/nobody/2/:id', { schema: { params: document } }, both)
// @ts-expect-error no config, maybe no user
app.get('/nobody/:id', { schema: { params: document } }, hello)

export const routes: FastifyPluginAsyncTypebox = async (api) => {
  api.get('/:id', { schema: { params: document }, config: { scope: ['read'] } }, async (request) => {
    const id: number = request.params.id
    return `${id} ${request.user.username}`
  })
  api.addHook('preHandler', async (request) => {
    // @ts-expect-error this hook sees the other routes too
    request.log.info(request.user.username)
  })
}
app.register(routes, { prefix: '/v1' })
