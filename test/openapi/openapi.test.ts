import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import Fastify, { type FastifyInstance, type FastifySchema } from 'fastify'
import t, { type Test } from 'tap'
import keycloak, { openapi, type KeycloakOptions } from '../../index.js'

const REALM: KeycloakOptions = { issuer: 'https://sso.example.com/realms/acme', audience: 'api' }
const NEEDS_TOKEN = [{ KeycloakAuth: [] }]
const DEFAULT_RESPONSE = { 200: { description: 'Default Response' } }

type Operation = Record<string, any>
interface Document {
  security?: unknown
  components: { schemas: Record<string, any>, securitySchemes: Record<string, any> }
  paths: Record<string, Record<string, Operation>>
}

const handler = () => 'done'
const text = (description: string) => ({ description, type: 'string' })

function appFor (t: Test): FastifyInstance {
  const app = Fastify()
  t.teardown(() => app.close())
  return app
}

/** An app with both plugins, and a function that tells its document. */
async function documented (t: Test, options: FastifyDynamicSwaggerOptions = {}, realm: Partial<KeycloakOptions> = {}) {
  const app = appFor(t)
  await app.register(swagger, { openapi: {}, transform: openapi(), ...options })
  await app.register(keycloak, { ...REALM, ...realm })
  return { app, read: () => documentOf(app) }
}

async function documentOf (app: FastifyInstance): Promise<Document> {
  await app.ready()
  return JSON.parse(JSON.stringify(app.swagger()))
}

t.test('a bearer scheme is added, and security on just the routes that need a token', async t => {
  const { app, read } = await documented(t)
  app.get('/open', handler)
  app.get('/public', { config: { public: true } }, handler)
  app.get('/elsewhere', { config: { keycloak: false } }, handler)
  app.get('/me', { config: { authenticated: true } }, handler)
  app.get('/profile', { config: { permission: 'view-profile' } }, handler)
  app.get('/letters', { config: { scope: 'write' } }, handler)
  const { components, paths, security } = await read()
  t.strictSame(components.securitySchemes, { KeycloakAuth: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } })
  t.equal(security, undefined, 'nothing is demanded of the whole document')
  for (const url of ['/open', '/public', '/elsewhere']) {
    t.strictSame(paths[url]!.get, { responses: DEFAULT_RESPONSE }, url)
  }
  for (const url of ['/me', '/profile', '/letters']) {
    t.strictSame(paths[url]!.get!.security, NEEDS_TOKEN, url)
  }
})

t.test('with requireAuthentication every route but the public ones needs a token', async t => {
  const { app, read } = await documented(t, {}, { requireAuthentication: true })
  app.get('/anything', handler)
  app.get('/public', { config: { public: true } }, handler)
  app.get('/elsewhere', { config: { keycloak: false } }, handler)
  const { paths } = await read()
  t.strictSame(paths['/anything']!.get!.security, NEEDS_TOKEN)
  t.notOk(paths['/anything']!.get!.responses[403], 'any token will do')
  t.notOk(paths['/public']!.get!.security)
  t.notOk(paths['/elsewhere']!.get!.security)
})

t.test('401 and 503 where a token is needed, 403 where a permission is, and the default 200 stays', async t => {
  const { app, read } = await documented(t)
  app.get('/me', { config: { authenticated: true } }, handler)
  app.get('/profile', { config: { permission: 'view-profile' } }, handler)
  const { paths } = await read()
  t.strictSame(Object.keys(paths['/me']!.get!.responses), ['200', '401', '503'])
  t.strictSame(Object.keys(paths['/profile']!.get!.responses), ['200', '401', '403', '503'])
  t.match(paths['/profile']!.get!.responses, DEFAULT_RESPONSE)
  t.notOk(paths['/profile']!.get!.responses[200].content)
})

t.test('the answers share one schema, and name the headers that go with them', async t => {
  const { app, read } = await documented(t)
  app.get('/me', { config: { authenticated: true } }, handler)
  app.get('/profile', { config: { permission: 'view-profile' }, schema: { produces: ['text/html'] } }, handler)
  const { components, paths } = await read()
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/KeycloakError' } } }
  const { responses } = paths['/profile']!.get!
  for (const [status, header] of [[401, 'WWW-Authenticate'], [403, 'WWW-Authenticate'], [503, 'Retry-After']]) {
    t.strictSame(responses[status!].content, content, `${status}, whatever the route produces itself`)
    t.match(responses[status!].headers, { [header!]: { schema: { type: 'string' }, description: String } })
  }
  t.strictSame(paths['/me']!.get!.responses[401], responses[401])
  t.strictSame(Object.keys(components.schemas), ['KeycloakError'])
  const { KeycloakError } = components.schemas
  t.strictSame(KeycloakError.required, ['statusCode', 'code', 'error', 'message'])
  for (const code of ['not_authenticated', 'bad_authorization_header', 'token_not_valid', 'token_expired', 'user_inactive', 'permission_denied', 'keycloak_unavailable']) {
    t.ok(KeycloakError.properties.code.description.includes(`\`${code}\``), `${code} is explained`)
  }
})

t.test('403 says what is needed, but not how a function decides', async t => {
  const { app, read } = await documented(t)
  const rules = {
    '/role': { permission: 'view-profile' },
    '/scope': { scope: ['read', 'write'] },
    '/both': { permission: { any: ['editor', 'admin'] }, scope: 'write' },
    '/named': { permission: function isOwner () { return String(0) === 'top secret' } },
    '/nameless': { permission: [() => String(0) === 'top secret'] },
    '/claims/:org': { permission: { any: [{ realmRole: 'admin' }, { group: '/staff/**' }, [{ organization: { param: 'org' } }, { scope: 'write' }]] } }
  } as const
  for (const [url, config] of Object.entries(rules)) app.get(url, { config: config as {} }, handler)
  const { paths } = await read()
  const says = (url: string) => paths[url]!.get!.responses[403].description
  t.match(says('/role'), '`permission view-profile`')
  t.match(says('/scope'), '`scope read write`')
  t.match(says('/both'), '`permission any of (editor, admin) and scope write`')
  t.match(says('/named'), '`permission isOwner()`')
  t.match(says('/nameless'), '`permission all of (a function)`')
  t.match(says('/claims/{org}'), '`permission any of (realm role admin, group /staff/**, all of (member of the organization in :org, scope write))`')
  t.notMatch(JSON.stringify(paths), 'top secret')
})

t.test('a response that you declared stays as it is', async t => {
  const { app, read } = await documented(t)
  const declared: Record<string, [response: Record<string, unknown>, statuses: string[]]> = {
    '/200': [{ 200: text('fine') }, ['200', '401', '403', '503']],
    '/401': [{ 401: text('go away') }, ['401', '403', '503']],
    '/403': [{ 200: text('fine'), 403: text('go away') }, ['200', '401', '403', '503']],
    '/503': [{ 503: text('later') }, ['401', '403', '503']],
    '/4xx': [{ '4xx': text('go away') }, ['503', '4XX']],
    '/4XX': [{ '4XX': text('go away') }, ['503', '4XX']],
    '/5xx': [{ '5xx': text('later') }, ['401', '403', '5XX']],
    '/default': [{ default: text('something') }, ['default']],
    '/content': [{ 401: { description: 'go away', content: { 'text/plain': { schema: { type: 'string' } } } } }, ['401', '403', '503']],
    '/none': [{}, ['401', '403', '503']]
  }
  for (const [url, [response]] of Object.entries(declared)) app.get(url, { config: { permission: 'x' }, schema: { response } }, handler)
  const { paths } = await read()
  for (const [url, [response, statuses]] of Object.entries(declared)) {
    const { responses } = paths[url]!.get!
    t.strictSame(Object.keys(responses), statuses, url)
    for (const [status, { description }] of Object.entries(response as Record<string, { description: string }>)) {
      t.equal(responses[status.replace('xx', 'XX')].description, description, `${url} ${status}`)
    }
  }
  t.strictSame(paths['/content']!.get!.responses[401].content, { 'text/plain': { schema: { type: 'string' } } })
})

t.test('security that you declared stays as it is, none at all too', async t => {
  const { app, read } = await documented(t, { openapi: { components: { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'x-key' } } } } })
  app.get('/key', { config: { authenticated: true }, schema: { security: [{ key: [] }] } }, handler)
  app.get('/none', { config: { authenticated: true }, schema: { security: [] } }, handler)
  app.get('/optional', { schema: { security: [{}, { KeycloakAuth: [] }] } }, handler)
  const { components, paths } = await read()
  t.strictSame(paths['/key']!.get!.security, [{ key: [] }])
  t.strictSame(paths['/none']!.get!.security, [])
  t.strictSame(paths['/optional']!.get!.security, [{}, { KeycloakAuth: [] }], 'an open route may name our scheme')
  t.ok(paths['/none']!.get!.responses[401], 'the answers are documented all the same')
  t.strictSame(Object.keys(components.securitySchemes), ['key', 'KeycloakAuth'])
})

t.test('what you demand of the whole document is demanded along with the token', async t => {
  const securitySchemes = { key: { type: 'apiKey', in: 'header', name: 'x-key' }, basic: { type: 'http', scheme: 'basic' } } as const
  const { app, read } = await documented(t, { openapi: { security: [{ key: [] }, { basic: [] }], components: { securitySchemes } } })
  app.get('/open', handler)
  app.get('/me', { config: { authenticated: true } }, handler)
  const { security, paths } = await read()
  t.strictSame(security, [{ key: [] }, { basic: [] }])
  t.notOk(paths['/open']!.get!.security)
  t.strictSame(paths['/me']!.get!.security, [{ key: [], KeycloakAuth: [] }, { basic: [], KeycloakAuth: [] }])
})

t.test('the whole document may demand the scheme itself', async t => {
  const { app, read } = await documented(t, { openapi: { security: [{ KeycloakAuth: [] }] } })
  app.get('/public', { config: { public: true }, schema: { security: [] } }, handler)
  app.get('/me', { config: { authenticated: true } }, handler)
  const { paths } = await read()
  t.strictSame(paths['/public']!.get!.security, [])
  t.strictSame(paths['/me']!.get!.security, NEEDS_TOKEN)
})

t.test('a scheme and a schema of the same names are yours and stay', async t => {
  const securitySchemes = { KeycloakAuth: { type: 'apiKey', in: 'cookie', name: 'session' } } as const
  const schemas = { KeycloakError: { type: 'string', title: 'mine' }, KeycloakError2: { type: 'number', title: 'mine too' } } as const
  const { app, read } = await documented(t, { openapi: { components: { securitySchemes, schemas } } })
  app.get('/me', { config: { authenticated: true } }, handler)
  app.get('/profile', { config: { permission: 'view-profile' } }, handler)
  const { components, paths } = await read()
  t.strictSame(components.securitySchemes, securitySchemes)
  t.match(components.schemas, schemas)
  t.strictSame(Object.keys(components.schemas), ['KeycloakError', 'KeycloakError2', 'KeycloakError3'])
  for (const url of ['/me', '/profile']) {
    t.equal(paths[url]!.get!.responses[401].content['application/json'].schema.$ref, '#/components/schemas/KeycloakError3')
  }
})

t.test('a shared schema that is called KeycloakError stays yours', async t => {
  const { app, read } = await documented(t, { refResolver: { buildLocalReference: (json, _, __, at) => String(json.$id ?? at) } })
  app.addSchema({ $id: 'KeycloakError', type: 'string' })
  app.get('/me', { config: { authenticated: true }, schema: { response: { 200: { $ref: 'KeycloakError#' } } } }, handler)
  const { components, paths } = await read()
  t.match(components.schemas, { KeycloakError: { type: 'string' }, KeycloakError2: { type: 'object' } })
  t.equal(paths['/me']!.get!.responses[200].content['application/json'].schema.$ref, '#/components/schemas/KeycloakError')
  t.equal(paths['/me']!.get!.responses[401].content['application/json'].schema.$ref, '#/components/schemas/KeycloakError2')
})

t.test('neither your options nor your schemas are changed, frozen ones do', async t => {
  const options = { components: { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'x-key' } }, schemas: {} } } as const
  const schema: FastifySchema = { summary: 'Who am I?', response: { 200: { type: 'string' } } }
  const before = structuredClone({ options, schema })
  Object.freeze(options.components)
  Object.freeze(options.components.securitySchemes)
  Object.freeze(schema.response)
  const { app, read } = await documented(t, { openapi: options })
  app.get('/me', { config: { authenticated: true }, schema }, handler)
  app.get('/open', { schema }, handler)
  const { paths } = await read()
  t.strictSame({ ...options }, before.options)
  t.strictSame(Object.entries(schema), Object.entries(before.schema))
  t.notOk(paths['/open']!.get!.security, 'a schema that routes share is documented for each of them')
  t.ok(paths['/me']!.get!.security)
})

t.test('the document does not change what the API sends', async t => {
  const { app, read } = await documented(t)
  app.setErrorHandler((error: Error & { code?: string }, _, reply) => reply.code(401).send({ mine: error.code }))
  app.get('/me', { config: { authenticated: true }, schema: { response: { 200: { type: 'string' } } } }, handler)
  await read()
  t.strictSame((await app.inject('/me')).json(), { mine: 'not_authenticated' })
})

t.test('hidden routes stay hidden and leave no trace', async t => {
  const { app, read } = await documented(t, { hideUntagged: false })
  app.get('/hidden', { config: { permission: 'x' }, schema: { hide: true } }, handler)
  app.get('/tagged', { config: { keycloak: false }, schema: { tags: ['X-HIDDEN'] } }, handler)
  const { paths, components } = await read()
  t.strictSame(paths, {})
  t.strictSame(components.schemas, {})
})

t.test('the order in which the two plugins are registered does not matter', async t => {
  for (const order of ['swagger first', 'keycloak first']) {
    const app = appFor(t)
    if (order === 'keycloak first') await app.register(keycloak, REALM)
    await app.register(swagger, { openapi: {}, transform: openapi() })
    if (order === 'swagger first') await app.register(keycloak, REALM)
    app.get('/me', { config: { authenticated: true } }, handler)
    app.get('/open', handler)
    const { paths } = await documentOf(app)
    t.strictSame(paths['/me']!.get!.security, NEEDS_TOKEN, order)
    t.notOk(paths['/open']!.get!.security, order)
  }
})

t.test('a route that was added before the plugin had loaded is documented by its config', async t => {
  const app = appFor(t)
  await app.register(swagger, { openapi: {}, transform: openapi() })
  app.register(keycloak, REALM)
  app.get('/open', handler)
  app.get('/me', { config: { authenticated: true } }, handler)
  app.get('/profile', { config: { permission: 'view-profile' } }, handler)
  app.get('/senseless', { config: { permission: '' } }, handler)
  const { paths } = await documentOf(app)
  t.notOk(paths['/open']!.get!.security)
  t.strictSame(paths['/me']!.get!.security, NEEDS_TOKEN)
  t.match(paths['/profile']!.get!.responses[403].description, 'view-profile')
  t.notOk(paths['/senseless']!.get!.security, 'a rule that means nothing does not break the document')
})

t.test('routes outside of the scope of the plugin get nothing', async t => {
  const app = appFor(t)
  await app.register(swagger, { openapi: {}, transform: openapi() })
  app.get('/outside', handler)
  await app.register(async (scope) => {
    await scope.register(keycloak, { ...REALM, requireAuthentication: true })
    scope.get('/inside', handler)
  })
  const { paths } = await documentOf(app)
  t.strictSame(paths['/outside']!.get, { responses: DEFAULT_RESPONSE })
  t.strictSame(paths['/inside']!.get!.security, NEEDS_TOKEN)
})

t.test('routes of child scopes, prefixes and parameters are documented where they are', async t => {
  const { app, read } = await documented(t)
  await app.register(async (v1) => {
    v1.get('/', { config: { authenticated: true } }, handler)
    await v1.register(async (admin) => {
      admin.delete('/users/:id', { config: { permission: 'admin' } }, handler)
    }, { prefix: '/admin' })
  }, { prefix: '/v1' })
  const { paths } = await read()
  t.strictSame(Object.keys(paths), ['/v1/', '/v1/admin/users/{id}'])
  t.strictSame(paths['/v1/']!.get!.security, NEEDS_TOKEN)
  t.strictSame(paths['/v1/admin/users/{id}']!.delete!.security, NEEDS_TOKEN)
  t.match(paths['/v1/admin/users/{id}']!.delete!.parameters, [{ name: 'id', in: 'path' }])
})

t.test('HEAD routes say what their GET route says', async t => {
  const { app, read } = await documented(t, { exposeHeadRoutes: true })
  app.get('/profile', { config: { permission: 'view-profile' } }, handler)
  app.get('/named', { config: { permission: 'view-profile' }, schema: { operationId: 'named' } }, handler)
  app.get('/open', handler)
  const { paths } = await read()
  t.strictSame(paths['/profile']!.head, paths['/profile']!.get)
  t.strictSame(paths['/named']!.head, { ...paths['/named']!.get, operationId: 'named-head' })
  t.notOk(paths['/open']!.head!.security)
})

t.test('a route for all methods is documented for each', async t => {
  const { app, read } = await documented(t)
  app.all('/all', { config: { permission: 'x' } }, handler)
  app.route({ method: ['PUT', 'PATCH'], url: '/some', config: { authenticated: true }, handler })
  const { paths } = await read()
  for (const method of ['get', 'post', 'delete', 'options']) {
    t.strictSame(paths['/all']![method]!.security, NEEDS_TOKEN, method)
    t.ok(paths['/all']![method]!.responses[403], method)
  }
  t.strictSame(Object.keys(paths['/some']!), ['put', 'patch'])
  t.strictSame(paths['/some']!.put, paths['/some']!.patch)
})

t.test('links of a route without responses still find its 200', async t => {
  const { app, read } = await documented(t)
  app.get('/me', { config: { authenticated: true }, links: { 200: { next: { operationId: 'next' } } } }, handler)
  const { paths } = await read()
  t.strictSame(paths['/me']!.get!.responses[200].links, { next: { operationId: 'next' } })
})

t.test('the document can be had as YAML, without anchors, and again and again', async t => {
  const { app, read } = await documented(t, {}, {})
  app.get('/me', { config: { authenticated: true } }, handler)
  app.get('/profile', { config: { permission: 'view-profile', scope: 'write' } }, handler)
  const first = await read()
  const yaml = app.swagger({ yaml: true })
  t.match(yaml, '- KeycloakAuth: []')
  t.match(yaml, '$ref: "#/components/schemas/KeycloakError"')
  t.notMatch(yaml, /[&*]a\d/)
  t.strictSame(await read(), first)
  t.equal(app.swagger({ yaml: true }), yaml)
})

t.test('several documents of one app each have their own', async t => {
  const { app, read } = await documented(t)
  const transform = openapi({ name: 'second' })
  await app.register(swagger, { openapi: {}, decorator: 'other' as 'swagger', transform })
  app.get('/me', { config: { authenticated: true } }, handler)
  const { components } = await read()
  const other = (app as unknown as { other: () => Document }).other()
  t.strictSame(Object.keys(components.securitySchemes), ['KeycloakAuth'])
  t.strictSame(Object.keys(other.components.securitySchemes), ['second'])
  t.match(other.paths['/me']!.get!.security, [{ second: [] }])
})

t.test('Swagger UI serves it', async t => {
  const { app } = await documented(t)
  await app.register(swaggerUi, { routePrefix: '/docs' })
  app.get('/me', { config: { authenticated: true } }, handler)
  const reply = await app.inject('/docs/json')
  t.equal(reply.statusCode, 200)
  t.strictSame(reply.json().paths['/me'].get.security, NEEDS_TOKEN)
  t.strictSame(Object.keys(reply.json().paths), ['/me'])
  t.equal((await app.inject('/docs/yaml')).statusCode, 200)
})

t.test('a Swagger 2.0 document is left alone', async t => {
  const app = appFor(t)
  await app.register(swagger, { transform: openapi() })
  await app.register(keycloak, REALM)
  app.get('/me', { config: { authenticated: true } }, handler)
  await app.ready()
  t.match(app.swagger(), { swagger: '2.0', paths: { '/me': { get: { responses: DEFAULT_RESPONSE } } } })
  t.notMatch(JSON.stringify(app.swagger()), 'Keycloak')
})

t.test('the default export carries it too', async t => {
  t.equal(keycloak.openapi, openapi)
})
