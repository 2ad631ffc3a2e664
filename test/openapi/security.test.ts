// A document whose own `security` holds for all routes, as many have it: which routes are said to need a token then.
// OpenAPI 3.1.0, "Operation Object": a route's `security` takes the place of the document's, and an empty list removes it.
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import keycloak, { openapi, type KeycloakOptions, type OpenapiOptions } from '../../index.js'

const REALM: KeycloakOptions = { issuer: 'https://sso.example.com/realms/acme', audience: 'api' }
const handler = () => 'done'

type Security = NonNullable<NonNullable<FastifyDynamicSwaggerOptions['openapi']>['security']>
type Schemes = NonNullable<NonNullable<NonNullable<FastifyDynamicSwaggerOptions['openapi']>['components']>['securitySchemes']>

/** The schemes that users declare. */
const SCHEMES: Schemes = {
  key: { type: 'apiKey', in: 'header', name: 'x-key' },
  basic: { type: 'http', scheme: 'basic' },
  bearer: { type: 'http', scheme: 'Bearer' },
  login: { type: 'openIdConnect', openIdConnectUrl: 'https://sso.example.com/realms/acme/.well-known/openid-configuration' },
  header: { type: 'apiKey', in: 'header', name: 'authorization' }
}

interface Setup {
  security?: Security
  transform?: OpenapiOptions
  realm?: Partial<KeycloakOptions>
  version?: '3.0.3' | '3.1.0'
}

/** What each route is said to need, by `method url`; `undefined` where the document's word holds. */
async function securityOf (t: Test, { security, transform, realm, version = '3.1.0' }: Setup, routes: (app: FastifyInstance) => void | Promise<void>) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: { openapi: version, security, components: { securitySchemes: SCHEMES } }, transform: openapi(transform) })
  if (realm !== undefined) await app.register(keycloak, { ...REALM, ...realm })
  await routes(app)
  await app.ready()
  const document = JSON.parse(JSON.stringify(app.swagger()))
  t.match(await new Validator().validate(document), { valid: true }, 'the document is a valid one')
  t.strictSame(document.security, security, 'the document keeps its own')
  const operations = Object.entries<Record<string, { security?: unknown }>>(document.paths)
    .flatMap(([url, methods]) => Object.entries(methods).map(([method, operation]) => [`${method} ${url}`, operation.security]))
  return Object.fromEntries(operations) as Record<string, unknown>
}

/** A route of each kind. */
function each (app: FastifyInstance): void {
  app.get('/nothing', handler)
  app.get('/public', { config: { public: true } }, handler)
  app.get('/elsewhere', { config: { keycloak: false } }, handler)
  app.get('/me', { config: { authenticated: true } }, handler)
  app.get('/profile', { config: { permission: 'reader' } }, handler)
}

const OURS = [{ KeycloakAuth: [] }]

t.test('routes that need no token say so with an empty list, where the whole document demands one', async (t) => {
  for (const version of ['3.0.3', '3.1.0'] as const) {
    t.strictSame(await securityOf(t, { security: OURS, realm: {}, version }, each), {
      'get /nothing': [], 'get /public': [], 'get /elsewhere': [], 'get /me': OURS, 'get /profile': OURS
    })
  }
})

t.test('under requireAuthentication those are the public ones and those the plugin does not look at', async (t) => {
  t.strictSame(await securityOf(t, { security: OURS, realm: { requireAuthentication: true } }, each), {
    'get /nothing': OURS, 'get /public': [], 'get /elsewhere': [], 'get /me': OURS, 'get /profile': OURS
  })
})

t.test('where the document demands nothing, nothing has to be taken back', async (t) => {
  for (const security of [undefined, []]) {
    t.match(await securityOf(t, { security, realm: {} }, each), { 'get /nothing': undefined, 'get /public': undefined, 'get /elsewhere': undefined, 'get /me': OURS })
  }
})

t.test('the token may be demanded by another name, or by a scheme of yours', async (t) => {
  for (const [name, transform] of [['mine', { name: 'mine' }], ['bearer', {}], ['login', {}], ['header', {}], ['key', { name: 'key' }]] as const) {
    t.match(await securityOf(t, { security: [{ [name]: [] }], realm: {}, transform }, each), { 'get /nothing': [], 'get /public': [], 'get /elsewhere': [] }, name)
  }
})

t.test('what is demanded besides the token stays demanded', async (t) => {
  const open = async (security: Security) => (await securityOf(t, { security, realm: {} }, each))['get /public']
  t.equal(await open([{ key: [] }]), undefined, 'the key alone, of all routes')
  t.equal(await open([{ key: [] }, { basic: [] }]), undefined)
  t.strictSame(await open([{ KeycloakAuth: [], key: [] }]), [{ key: [] }], 'both together')
  t.strictSame(await open([{ KeycloakAuth: [], key: [] }, { bearer: [], basic: [] }]), [{ key: [] }, { basic: [] }])
  t.strictSame(await open([{ KeycloakAuth: [] }, { key: [] }]), [], 'the key was only another way for those without a token')
})

t.test('a document that leaves the token to the caller says what is true of open routes', async (t) => {
  t.strictSame(await securityOf(t, { security: [{}, { KeycloakAuth: [] }], realm: {} }, each), {
    'get /nothing': undefined, 'get /public': undefined, 'get /elsewhere': [], 'get /me': OURS, 'get /profile': OURS
  })
})

t.test('the security that a route declares is its own', async (t) => {
  t.strictSame(await securityOf(t, { security: OURS, realm: {} }, (app) => {
    for (const config of [{}, { public: true }, { keycloak: false }] as const) {
      app.get(`/${Object.keys(config).join('')}`, { config: config as {}, schema: { security: [{}, { KeycloakAuth: [] }] } }, handler)
    }
    app.get('/key', { config: { keycloak: false }, schema: { security: [{ key: [] }] } }, handler)
  }), { 'get /': [{}, ...OURS], 'get /public': [{}, ...OURS], 'get /keycloak': [{}, ...OURS], 'get /key': [{ key: [] }] })
})

t.test('an open route keeps its schema, its default response and its place among the hidden', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: { security: OURS }, transform: openapi() })
  await app.register(keycloak, REALM)
  const schema = { summary: 'How is it?', response: { 200: { type: 'string', description: 'Well.' } } }
  app.get('/health', { schema }, handler)
  app.get('/bare', handler)
  app.get('/hidden', { schema: { hide: true } }, handler)
  await app.ready()
  const { paths } = JSON.parse(JSON.stringify(app.swagger()))
  t.strictSame(Object.keys(paths), ['/health', '/bare'])
  t.match(paths['/health'].get, { summary: 'How is it?', security: [], responses: { 200: { description: 'Well.' } } })
  t.strictSame(paths['/bare'].get, { security: [], responses: { 200: { description: 'Default Response' } } })
  t.notOk('security' in schema)
})

t.test('routes that the plugin does not guard are left to the document', async (t) => {
  const security = await securityOf(t, { security: OURS }, async (app) => {
    app.get('/outside', handler)
    app.get('/outside/explicit', { config: { keycloak: false } }, handler)
    await app.register(async (scope) => {
      await scope.register(keycloak, REALM)
      scope.get('/one', handler)
    })
    await app.register(async (scope) => {
      await scope.register(keycloak, { ...REALM, requireAuthentication: true })
      scope.get('/two', handler)
      scope.get('/two/public', { config: { public: true } }, handler)
    })
  })
  t.strictSame(security, { 'get /outside': undefined, 'get /outside/explicit': [], 'get /one': [], 'get /two': OURS, 'get /two/public': [] })
})

t.test('a route that was added before the plugin had loaded is open by what it says alone', async (t) => {
  const security = await securityOf(t, { security: OURS }, (app) => {
    app.register(keycloak, REALM)
    each(app)
    app.get('/senseless', { config: { public: 'yes' as never } }, handler)
  })
  t.strictSame(security, {
    'get /nothing': undefined, 'get /public': [], 'get /elsewhere': [], 'get /me': OURS, 'get /profile': OURS, 'get /senseless': undefined
  })
})

t.test('a Swagger 2.0 document is left alone', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { swagger: { security: [{ key: [] }], securityDefinitions: { key: { type: 'apiKey', in: 'header', name: 'authorization' } } }, transform: openapi() })
  await app.register(keycloak, REALM)
  app.get('/public', { config: { public: true } }, handler)
  await app.ready()
  t.notOk('security' in JSON.parse(JSON.stringify(app.swagger())).paths['/public'].get)
})
