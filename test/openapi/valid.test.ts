import swagger from '@fastify/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import Fastify, { type FastifyInstance } from 'fastify'
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import t from 'tap'
import { z } from 'zod'
import keycloak, { openapi, type OpenapiOptions } from '../../index.js'
import { bearer, realmFor } from '../support/app.js'

const issuer = 'https://sso.example.com/realms/acme'
/** Compiles each version once. */
const validator = new Validator()
const info = { title: 'Letters', version: '1.0.0' }

const SCHEMES: Record<string, OpenapiOptions> = {
  bearer: {},
  oauth2: { scheme: 'oauth2', issuer },
  openIdConnect: { scheme: 'openIdConnect', issuer }
}

async function documentOf (app: FastifyInstance): Promise<any> {
  await app.ready()
  return JSON.parse(JSON.stringify(app.swagger()))
}

for (const version of ['3.0.3', '3.0.4', '3.1.0', '3.1.1', '3.2.0']) {
  for (const [name, options] of Object.entries(SCHEMES)) {
    t.test(`the document is valid as OpenAPI ${version} with ${name}`, async t => {
      const app = Fastify()
      t.teardown(() => app.close())
      const securitySchemes = { key: { type: 'apiKey', in: 'header', name: 'x-key' } } as const
      await app.register(swagger, { openapi: { openapi: version, info, components: { securitySchemes } }, transform: openapi(options) })
      await app.register(keycloak, { issuer, audience: 'api' })
      app.addSchema({ $id: 'letter', type: 'object', properties: { text: { type: 'string' } } })
      const response = { 200: { $ref: 'letter#' }, '4xx': { type: 'string' } }
      app.get('/open', () => 'done')
      app.get('/me', { config: { authenticated: true } }, () => 'done')
      app.get('/letters/:id', { config: { permission: { any: ['reader', 'admin'] }, scope: ['read'] } }, () => 'done')
      app.post('/letters', { config: { scope: ['read', 'write'] }, schema: { body: { $ref: 'letter#' }, response, security: [{ key: [] }] } }, () => ({}))
      app.route({ method: ['PUT', 'PATCH'], url: '/letters/:id', config: { permission: 'writer' }, schema: { response }, handler: () => ({}) })
      // Before 3.2 it is @fastify/swagger that writes an invalid QUERY for it.
      if (version === '3.2.0') app.all('/all', { config: { authenticated: true } }, () => 'done')
      const document = await documentOf(app)
      t.equal(document.openapi, version)
      t.strictSame(await validator.validate(document), { valid: true })
      t.strictSame(await validator.validate(app.swagger({ yaml: true })), { valid: true })
    })
  }

  t.test(`the document is valid as OpenAPI ${version} after the transform of fastify-type-provider-zod`, async t => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(swagger, { openapi: { openapi: version, info }, transform: openapi(jsonSchemaTransform) })
    await app.register(keycloak, { issuer, audience: 'api' })
    app.setValidatorCompiler(validatorCompiler)
    app.setSerializerCompiler(serializerCompiler)
    app.get('/me', { config: { permission: 'x' }, schema: { response: { 200: z.object({ name: z.string().nullable() }) } } }, () => ({ name: null }))
    t.strictSame(await validator.validate(await documentOf(app)), { valid: true })
  })
}

t.test('the error bodies that the API sends are the documented ones', async t => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: { info }, transform: openapi() })
  await app.register(keycloak, {
    ...realm.options,
    syncUser: (profile) => profile.username === 'bob' ? null : profile
  })
  app.get('/profile', { config: { permission: 'view-profile' }, schema: { response: { 200: { type: 'string' } } } }, () => 'done')
  const { components, paths } = await documentOf(app)

  async function answer (headers: Record<string, string>): Promise<string> {
    const reply = await app.inject({ url: '/profile', headers })
    const documented = paths['/profile'].get.responses[reply.statusCode]
    const { $ref } = documented.content['application/json'].schema
    const schema = z.fromJSONSchema(components.schemas[$ref.split('/').at(-1)])
    t.equal(schema.safeParse(reply.json()).error, undefined, reply.body)
    t.notOk(schema.safeParse({ ...reply.json<object>(), code: undefined }).success, 'the schema is no empty one')
    t.match(reply.headers['content-type'], /^application\/json/)
    for (const header of Object.keys(documented.headers)) t.ok(reply.headers[header.toLowerCase()], `${reply.statusCode} has ${header}`)
    const { code } = reply.json()
    t.ok(components.schemas.KeycloakError.properties.code.description.includes(`\`${code}\` (${reply.statusCode})`), `${code} is explained`)
    return `${reply.statusCode} ${code}`
  }

  t.equal(await answer({}), '401 not_authenticated')
  t.equal(await answer({ authorization: 'Bearer' }), '401 bad_authorization_header')
  t.equal(await answer(bearer(realm.token({ forged: true }))), '401 token_not_valid')
  t.equal(await answer(bearer(realm.token({ expired: true }))), '401 token_expired')
  t.equal(await answer(bearer(realm.token({ username: 'bob' }))), '401 user_inactive')
  t.equal(await answer(bearer(realm.token())), '403 permission_denied')
  t.equal((await app.inject({ url: '/profile', headers: bearer(realm.token({ roles: ['view-profile'] })) })).body, 'done')
  realm.rotateKeys()
  realm.error()
  t.equal(await answer(bearer(realm.token())), '503 keycloak_unavailable')
})
