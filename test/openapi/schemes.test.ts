import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import keycloak, { openapi, type OpenapiOptions } from '../../index.js'

const issuer = 'https://sso.example.com/realms/acme'

/** The document of an app with a route for each kind of rule. */
async function documentOf (t: Test, options?: OpenapiOptions, declared: object = {}) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: declared, transform: openapi(options) })
  await app.register(keycloak, { issuer, audience: 'api' })
  app.get('/me', { config: { authenticated: true } }, () => 'done')
  app.get('/letters', { config: { scope: ['read', 'write'] } }, () => 'done')
  app.get('/drafts', { config: { scope: 'write' } }, () => 'done')
  await app.ready()
  const { components, paths } = JSON.parse(JSON.stringify(app.swagger()))
  return { schemes: components.securitySchemes, securityOf: (url: string) => paths[url].get.security }
}

function oauth2 (scopes: Record<string, string>) {
  return {
    type: 'oauth2',
    flows: {
      authorizationCode: {
        authorizationUrl: `${issuer}/protocol/openid-connect/auth`,
        tokenUrl: `${issuer}/protocol/openid-connect/token`,
        scopes
      }
    }
  }
}

t.test('oauth2 is the authorization code flow of the realm, and offers the scopes that routes need', async t => {
  const { schemes, securityOf } = await documentOf(t, { scheme: 'oauth2', issuer })
  t.strictSame(schemes, { KeycloakAuth: oauth2({ openid: '', read: '', write: '' }) })
  t.strictSame(securityOf('/me'), [{ KeycloakAuth: [] }])
  t.strictSame(securityOf('/letters'), [{ KeycloakAuth: ['read', 'write'] }])
  t.strictSame(securityOf('/drafts'), [{ KeycloakAuth: ['write'] }])
})

t.test('the scopes of a login are a list, or say what they mean', async t => {
  const list = await documentOf(t, { scheme: 'oauth2', issuer, scopes: ['openid', 'email'] })
  t.strictSame(list.schemes.KeycloakAuth, oauth2({ openid: '', email: '', read: '', write: '' }))
  const scopes = { openid: 'Log in', write: 'Write letters' }
  const described = await documentOf(t, { scheme: 'oauth2', issuer, scopes })
  t.strictSame(described.schemes.KeycloakAuth, oauth2({ openid: 'Log in', write: 'Write letters', read: '' }))
  t.strictSame(scopes, { openid: 'Log in', write: 'Write letters' }, 'your object is not changed')
  const none = await documentOf(t, { scheme: 'oauth2', issuer, scopes: [] })
  t.strictSame(none.schemes.KeycloakAuth, oauth2({ read: '', write: '' }))
})

t.test('openIdConnect is the discovery of the realm', async t => {
  const { schemes, securityOf } = await documentOf(t, { scheme: 'openIdConnect', issuer })
  t.strictSame(schemes, { KeycloakAuth: { type: 'openIdConnect', openIdConnectUrl: `${issuer}/.well-known/openid-configuration` } })
  t.strictSame(securityOf('/letters'), [{ KeycloakAuth: ['read', 'write'] }])
})

t.test('bearer names no scopes, which OpenAPI 3.0 forbids', async t => {
  const { schemes, securityOf } = await documentOf(t, { scheme: 'bearer', issuer })
  t.strictSame(schemes, { KeycloakAuth: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } })
  t.strictSame(securityOf('/letters'), [{ KeycloakAuth: [] }])
})

t.test('a slash at the end of the issuer is not doubled', async t => {
  const { schemes } = await documentOf(t, { scheme: 'openIdConnect', issuer: `${issuer}/` })
  t.equal(schemes.KeycloakAuth.openIdConnectUrl, `${issuer}/.well-known/openid-configuration`)
})

t.test('the scheme may have another name', async t => {
  const { schemes, securityOf } = await documentOf(t, { name: 'acme.token' })
  t.strictSame(Object.keys(schemes), ['acme.token'])
  t.strictSame(securityOf('/me'), [{ 'acme.token': [] }])
})

t.test('by its name the routes refer to a scheme of your own, which is not changed', async t => {
  const mine = oauth2({ openid: 'Log in' })
  const { schemes, securityOf } = await documentOf(t, { name: 'mine' }, { components: { securitySchemes: { mine } } })
  t.strictSame(schemes, { mine: oauth2({ openid: 'Log in' }) })
  t.strictSame(securityOf('/letters'), [{ mine: ['read', 'write'] }], 'the scopes follow from its type')
})

t.test('scopes that the whole document demands of the scheme are kept', async t => {
  const { securityOf } = await documentOf(t, { scheme: 'oauth2', issuer }, { security: [{ KeycloakAuth: ['openid', 'read'] }] })
  t.strictSame(securityOf('/letters'), [{ KeycloakAuth: ['openid', 'read', 'write'] }])
})

t.test('a wrong call throws one sentence that says what it must be', async t => {
  const wrong: Array<[parameters: unknown[], message: string]> = [
    [[{ scheme: 'basic' }], 'option "scheme" must be "bearer", "oauth2" or "openIdConnect", not another string'],
    [[{ scheme: null }], 'option "scheme" must be "bearer", "oauth2" or "openIdConnect", not null: leave it out instead'],
    [[{ scheme: 'oauth2' }], 'option "issuer" must be the public URL of the realm, such as https://sso.example.com/realms/acme, when scheme is "oauth2"'],
    [[{ scheme: 'openIdConnect', issuer: undefined }], 'option "issuer" must be the public URL of the realm, such as https://sso.example.com/realms/acme, when scheme is "openIdConnect"'],
    ...([
      ['', 'one that does not begin with http:// or https://'],
      ['sso.example.com', 'one that does not begin with http:// or https://'],
      ['ftp://sso.example.com', 'one that does not begin with http:// or https://'],
      ['https://a:b@sso.example.com', 'one with a user name'],
      [`${issuer}?x`, 'one with a query (?)'],
      ['https://[', 'one whose host or port is not valid'],
      [7, '7']
    ] as const).map(([value, found]): [unknown[], string] => [
      [{ issuer: value }],
      `option "issuer" must be the public URL of the realm, such as https://sso.example.com/realms/acme, not ${found}`
    ]),
    [[{ scopes: 'openid' }], 'option "scopes" must be an array of scopes, or an object of scopes and their meanings, not a string'],
    [[{ scopes: [''] }], 'option "scopes.0" must be the name of a scope, such as "openid", not an empty string'],
    [[{ scopes: { openid: true } }], 'option "scopes.openid" must be the meaning of the scope, in words, not true'],
    [[{ name: '' }], 'option "name" must be a name of letters, digits, ".", "_" and "-", such as "KeycloakAuth", not an empty string'],
    [[{ name: 'my scheme' }], 'option "name" must be a name of letters, digits, ".", "_" and "-", such as "KeycloakAuth", not another string'],
    [[{ isuer: issuer }], 'option "isuer" is unknown; write "issuer"'],
    [[{ scheme: 'oauth2', Issuer: issuer }], 'option "Issuer" is unknown; write "issuer"'],
    [[{ audience: 'api' }], 'option "audience" is unknown'],
    [[null], 'the options must be an object, not null'],
    [['oauth2'], 'the options must be an object, not a string'],
    [[[]], 'the options must be an object, not an empty array'],
    [[(input: unknown) => input, 'oauth2'], 'the options must be an object, not a string'],
    [[{ name: 'mine' }, (input: unknown) => input], 'the transform comes first, then the options'],
    [[{ schema: {}, url: '/', route: {}, openapiObject: {} }], 'it makes a transform and is not one itself: write transform: openapi()']
  ]
  for (const [parameters, message] of wrong) {
    const call = openapi as (...parameters: unknown[]) => unknown
    t.throws(() => call(...parameters), { name: 'TypeError', message: `fastify-keycloak-bearer: openapi(): ${message}` }, message)
  }
})

t.test('options that are undefined are left out', async t => {
  const { schemes } = await documentOf(t, { scheme: undefined, issuer: undefined, scopes: undefined, name: undefined })
  t.strictSame(Object.keys(schemes), ['KeycloakAuth'])
})

t.test('the types refuse what would throw', async t => {
  // @ts-expect-error oauth2 needs an issuer
  t.throws(() => openapi({ scheme: 'oauth2' }))
  // @ts-expect-error no such scheme
  t.throws(() => openapi({ scheme: 'basic', issuer }))
  // @ts-expect-error no such option
  t.throws(() => openapi({ isuer: issuer }))
  // @ts-expect-error the transform comes first
  t.throws(() => openapi({ issuer }, ({ schema, url }) => ({ schema, url })))
  const scheme = process.argv.length > 100 ? 'oauth2' : 'bearer'
  t.type(openapi({ scheme, issuer }), 'function')
})
