import swagger from '@fastify/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import keycloak, { openapi, type OpenapiOptions } from '../../index.js'

const SSO = 'https://sso.example.com/realms'
const REALMS = [
  { issuer: `${SSO}/acme`, clientId: 'api', audience: 'api' },
  { issuer: `${SSO}/globex`, clientId: 'globex-api', audience: 'globex-api' },
  { name: 'staff', issuer: `${SSO}/my%20realm`, clientId: 'api', audience: 'api' }
]
const LOGINS = { scheme: 'oauth2', issuers: REALMS } as const

/** The valid document of an app that trusts three realms. */
async function documentOf (t: Test, options: OpenapiOptions, declared: object = {}) {
  const app = Fastify()
  t.teardown(() => app.close())
  const info = { title: 'Letters', version: '1.0.0' }
  await app.register(swagger, { openapi: { openapi: '3.1.0', info, ...declared }, transform: openapi(options) })
  await app.register(keycloak, { issuers: REALMS })
  app.get('/news', () => 'done')
  app.get('/me', { config: { authenticated: true } }, () => 'done')
  app.get('/letters', { config: { scope: 'read' } }, () => 'done')
  app.get('/globex', { config: { issuer: 'globex', scope: 'write' } }, () => 'done')
  app.get('/staff', { config: { issuer: ['staff', 'acme'], permission: 'reader' } }, () => 'done')
  await app.ready()
  const document = JSON.parse(JSON.stringify(app.swagger()))
  t.strictSame(await new Validator().validate(document), { valid: true })
  return {
    schemes: document.components.securitySchemes,
    securityOf: (url: string) => document.paths[url].get.security,
    responsesOf: (url: string) => document.paths[url].get.responses
  }
}

function loginAt (realm: string, scopes: string[]) {
  const endpoint = `${SSO}/${realm}/protocol/openid-connect`
  const offered = Object.fromEntries(['openid', ...scopes].map((scope) => [scope, '']))
  return { type: 'oauth2', flows: { authorizationCode: { authorizationUrl: `${endpoint}/auth`, tokenUrl: `${endpoint}/token`, scopes: offered } } }
}

t.test('oauth2 has one scheme for each realm, which offers the scopes of the routes that admit the realm', async (t) => {
  const { schemes } = await documentOf(t, LOGINS)
  t.strictSame(schemes, {
    'KeycloakAuth-acme': loginAt('acme', ['read']),
    'KeycloakAuth-globex': loginAt('globex', ['read', 'write']),
    'KeycloakAuth-staff': loginAt('my%20realm', ['read'])
  })
})

t.test('openIdConnect has one for each as well, by the name of your choice', async (t) => {
  const { schemes } = await documentOf(t, { scheme: 'openIdConnect', issuers: REALMS, name: 'Login' })
  t.strictSame(Object.keys(schemes), ['Login-acme', 'Login-globex', 'Login-staff'])
  t.equal(schemes['Login-staff'].openIdConnectUrl, `${SSO}/my%20realm/.well-known/openid-configuration`)
})

t.test('a route needs a token of one of the realms that it admits', async (t) => {
  const { securityOf, responsesOf } = await documentOf(t, LOGINS)
  t.equal(securityOf('/news'), undefined)
  t.strictSame(securityOf('/me'), [{ 'KeycloakAuth-acme': [] }, { 'KeycloakAuth-globex': [] }, { 'KeycloakAuth-staff': [] }])
  t.strictSame(securityOf('/letters'), [{ 'KeycloakAuth-acme': ['read'] }, { 'KeycloakAuth-globex': ['read'] }, { 'KeycloakAuth-staff': ['read'] }])
  t.strictSame(securityOf('/globex'), [{ 'KeycloakAuth-globex': ['write'] }])
  t.strictSame(securityOf('/staff'), [{ 'KeycloakAuth-acme': [] }, { 'KeycloakAuth-staff': [] }])
  t.match(responsesOf('/globex')[403].description, /issuer globex/)
})

t.test('bearer is one scheme for all realms', async (t) => {
  for (const options of [{}, { issuers: REALMS }]) {
    const { schemes, securityOf } = await documentOf(t, options)
    t.strictSame(schemes, { KeycloakAuth: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } })
    t.strictSame(securityOf('/globex'), [{ KeycloakAuth: [] }])
  }
})

t.test('a route whose realm the document does not list still needs a token', async (t) => {
  const { securityOf } = await documentOf(t, { scheme: 'oauth2', issuers: REALMS.slice(0, 1) })
  t.strictSame(securityOf('/globex'), [{ 'KeycloakAuth-acme': ['write'] }])
})

t.test('names that differ by characters that OpenAPI does not have stay apart', async (t) => {
  const [acme, globex, staff] = REALMS
  const issuers = [{ ...acme!, name: 'é' }, { ...globex!, name: 'globex' }, { ...staff!, name: 'staff' }, { ...staff!, name: 'ü', issuer: `${SSO}/other` }]
  const { schemes } = await documentOf(t, { scheme: 'oauth2', issuers })
  t.strictSame(Object.keys(schemes), ['KeycloakAuth-_', 'KeycloakAuth-globex', 'KeycloakAuth-staff', 'KeycloakAuth-_-2'])
})

t.test('a realm is called by the end of its URL, decoded where that is text', async (t) => {
  const issuers = ['acme', 'my%20realm', 'bytes%FF'].map((name) => ({ issuer: `${SSO}/${name}` }))
  const { schemes } = await documentOf(t, { scheme: 'openIdConnect', issuers })
  t.strictSame(Object.keys(schemes), ['KeycloakAuth-acme', 'KeycloakAuth-my_realm', 'KeycloakAuth-bytes_FF'])
})

t.test('what the document demands of all routes stays, but for the tokens of realms that a route does not admit', async (t) => {
  const key = { type: 'apiKey', in: 'header', name: 'x-key' }
  const declared = { components: { securitySchemes: { key } }, security: [{ key: [], 'KeycloakAuth-acme': ['profile'] }, { key: [], 'KeycloakAuth-globex': [] }] }
  const { securityOf } = await documentOf(t, LOGINS, declared)
  t.strictSame(securityOf('/news'), [{ key: [] }])
  t.strictSame(securityOf('/globex'), [{ key: [], 'KeycloakAuth-globex': ['write'] }])
  t.strictSame(securityOf('/staff'), [
    { key: [], 'KeycloakAuth-acme': ['profile'] }, { key: [], 'KeycloakAuth-staff': [] }, { key: [], 'KeycloakAuth-acme': [] }
  ])
})

t.test('a wrong list throws one sentence that says what it must be', (t) => {
  const list = 'option "issuers" must be an array of realms with their public URL, such as [{ name: "acme", issuer: "https://sso.example.com/realms/acme" }], not'
  const url = 'the public URL of the realm, such as https://sso.example.com/realms/acme'
  const wrong: Array<[options: unknown, message: string]> = [
    [{ scheme: 'oauth2', issuers: [] }, `${list} an empty array`],
    [{ scheme: 'oauth2', issuers: [`${SSO}/acme`] }, 'option "issuers.0" must be an object with issuer, and name if it is not the realm\'s, not a string'],
    [{ scheme: 'oauth2', issuers: async () => null }, `${list} a function`],
    [{ scheme: 'oauth2', issuers: [{ name: 'acme' }] }, `option "issuers.0.issuer" must be ${url}, not undefined`],
    [{ scheme: 'oauth2', issuers: [{ issuer: 'sso.example.com' }] }, `option "issuers.0.issuer" must be ${url}, not one that does not begin with http:// or https://`],
    [{ issuers: [{ issuer: `${SSO}/acme`, name: '' }] }, 'option "issuers.0.name" must be the name that the realm has in the option issuers of the plugin, not an empty string'],
    [{ scheme: 'oauth2', issuer: `${SSO}/acme`, issuers: REALMS }, 'option "issuer" goes without issuers; write it into the list'],
    [{ scheme: 'oauth2', issuers: [...REALMS, { issuer: 'https://other.example.com/realms/acme/' }] }, 'option "issuers" has the name "acme" twice; give one of them a name of its own']
  ]
  for (const [options, message] of wrong) t.throws(() => openapi(options as never), { name: 'TypeError', message: `fastify-keycloak-bearer: openapi(): ${message}` })
  t.end()
})

t.test('members that all objects inherit are no names of realms', async (t) => {
  const inherited = Object.prototype as { name?: string }
  inherited.name = 'mallory'
  t.teardown(() => { delete inherited.name })
  const transform = openapi({ scheme: 'oauth2', issuers: [{ issuer: `${SSO}/acme` }, { issuer: `${SSO}/globex` }] })
  const document: { components?: { securitySchemes?: object } } = {}
  transform({ schema: {}, url: '/', route: { url: '/', method: 'GET', handler: () => {} }, openapiObject: document })
  t.strictSame(Object.keys(document.components!.securitySchemes!), ['KeycloakAuth-acme', 'KeycloakAuth-globex'])
})
