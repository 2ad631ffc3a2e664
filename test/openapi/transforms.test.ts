import swagger, { type SwaggerTransform } from '@fastify/swagger'
import Fastify, { type FastifyInstance } from 'fastify'
import {
  jsonSchemaTransform, jsonSchemaTransformObject, serializerCompiler, validatorCompiler, type ZodTypeProvider
} from 'fastify-type-provider-zod'
import t, { type Test } from 'tap'
import { z } from 'zod'
import keycloak, { openapi } from '../../index.js'

const REALM = { issuer: 'https://sso.example.com/realms/acme', audience: 'api' }
const NEEDS_TOKEN = [{ KeycloakAuth: [] }]

async function appWith (t: Test, transform: SwaggerTransform, more: object = {}): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: {}, transform, ...more })
  await app.register(keycloak, REALM)
  return app
}

async function documentOf (app: FastifyInstance): Promise<any> {
  await app.ready()
  return JSON.parse(JSON.stringify(app.swagger()))
}

t.test('after the transform of fastify-type-provider-zod', async t => {
  const app = await appWith(t, openapi(jsonSchemaTransform), { transformObject: jsonSchemaTransformObject })
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  const api = app.withTypeProvider<ZodTypeProvider>()
  const body = z.object({ name: z.string() })
  const schema = { summary: 'Rename', body, response: { 200: z.object({ id: z.number() }), 403: z.string().describe('mine') } }
  api.put('/me', { config: { permission: 'rename' }, schema }, () => ({ id: 1 }))
  api.get('/plain', { config: { authenticated: true } }, () => ({}))
  api.get('/open', { schema: { response: { 200: z.string() } } }, () => 'done')
  api.get('/hidden', { config: { authenticated: true }, schema: { hide: true } }, () => 'done')
  const { paths, components } = await documentOf(app)
  const { put } = paths['/me']
  t.equal(put.summary, 'Rename')
  t.match(put.requestBody.content['application/json'].schema, { properties: { name: { type: 'string' } } })
  t.match(put.responses[200].content['application/json'].schema, { properties: { id: { type: 'number' } } })
  t.equal(put.responses[403].description, 'mine')
  t.match(put.responses[401].content['application/json'].schema, { $ref: '#/components/schemas/KeycloakError' })
  t.strictSame(put.security, NEEDS_TOKEN)
  t.strictSame(paths['/plain'].get.security, NEEDS_TOKEN)
  t.strictSame(Object.keys(paths['/plain'].get.responses), ['200', '401', '503'])
  t.notOk(paths['/open'].get.security)
  t.notOk(paths['/hidden'])
  t.ok(components.schemas.KeycloakError, 'transformObject keeps it')
  const { statusCode } = await app.inject({ method: 'PUT', url: '/me', payload: { name: 'x' } })
  t.equal(statusCode, 401, 'the serializer of zod has no word in it')
})

t.test('what the other transform made of schema and URL is kept', async t => {
  const app = await appWith(t, openapi(({ schema, url }) => ({
    schema: { ...schema, tags: ['v2'], security: url === '/own' ? [] : undefined },
    url: `/v2${url}`
  })))
  app.get('/me', { config: { authenticated: true } }, () => 'done')
  app.get('/own', { config: { authenticated: true } }, () => 'done')
  const { paths } = await documentOf(app)
  t.match(paths['/v2/me'].get, { tags: ['v2'], security: NEEDS_TOKEN })
  t.strictSame(paths['/v2/own'].get.security, [])
})

t.test('what the other transform leaves out is the route\'s own', async t => {
  const nothing = (() => ({})) as unknown as SwaggerTransform
  const app = await appWith(t, openapi(nothing))
  app.get('/me', { config: { authenticated: true }, schema: { summary: 'Who am I?' } }, () => 'done')
  const { paths } = await documentOf(app)
  t.match(paths['/me'].get, { summary: 'Who am I?', security: NEEDS_TOKEN })
})

t.test('another transform goes with options, and an undefined one is none', async t => {
  for (const other of [jsonSchemaTransform, undefined]) {
    const app = await appWith(t, openapi(other, { name: 'mine' }))
    app.get('/me', { config: { authenticated: true } }, () => 'done')
    t.strictSame((await documentOf(app)).paths['/me'].get.security, [{ mine: [] }])
  }
})

t.test('the other transform sees what @fastify/swagger handed over, in Swagger 2.0 too', async t => {
  const app = await appWith(t, openapi(({ schema, url, route, swaggerObject, openapiObject }) => {
    t.equal(route.url, url)
    t.ok(swaggerObject)
    t.notOk(openapiObject)
    return { schema: { ...schema, summary: 'Who am I?' }, url }
  }), { openapi: null })
  app.get('/me', { config: { authenticated: true } }, () => 'done')
  t.match(await documentOf(app), { swagger: '2.0', paths: { '/me': { get: { summary: 'Who am I?' } } } })
})

t.test('a route with a transform of its own is documented by that, so wrap it', async t => {
  const tagged: SwaggerTransform = ({ schema, url }) => ({ schema: { ...schema, tags: ['own'] }, url })
  const app = await appWith(t, openapi({ scheme: 'oauth2', issuer: REALM.issuer }))
  app.get('/me', { config: { authenticated: true } }, () => 'done')
  app.get('/wrapped', { config: { scope: 'write', swaggerTransform: openapi(tagged) } }, () => 'done')
  app.get('/own', { config: { authenticated: true, swaggerTransform: tagged } }, () => 'done')
  app.get('/off', { config: { authenticated: true, swaggerTransform: false } }, () => 'done')
  const { components, paths } = await documentOf(app)
  t.match(paths['/wrapped'].get, { tags: ['own'], security: [{ KeycloakAuth: ['write'] }] })
  t.equal(components.securitySchemes.KeycloakAuth.type, 'oauth2')
  t.ok('write' in components.securitySchemes.KeycloakAuth.flows.authorizationCode.scopes)
  t.strictSame(Object.keys(components.schemas), ['KeycloakError'], 'they share the schema of the error')
  t.notOk(paths['/own'].get.security)
  t.notOk(paths['/off'].get.security)
})
