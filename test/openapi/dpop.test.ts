// Tokens that are bound to a key, in the OpenAPI document: how they come, and what is answered.
import swagger from '@fastify/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import keycloak, { type KeycloakOptions, type KeycloakRouteConfig, openapi, type OpenapiOptions } from '../../index.js'
import { realmFor } from '../support/app.js'

const issuer = 'https://sso.example.com/realms/acme'
const info = { title: 'Letters', version: '1.0.0' }
const validator = new Validator()
const secret = 's'.repeat(32)

const BEARER = [{ KeycloakAuth: [] }]
const DPOP = [{ 'KeycloakAuth-DPoP': [] }]
const BOTH = [...BEARER, ...DPOP]

const handler = () => 'done'

async function documentOf (app: FastifyInstance): Promise<any> {
  await app.ready()
  const document = JSON.parse(JSON.stringify(app.swagger()))
  t.strictSame(await validator.validate(document), { valid: true })
  return document
}

/** A valid document of an API with a route of each kind. */
async function documented (t: Test, options: Partial<KeycloakOptions>, { version = '3.1.0', scheme = {} as OpenapiOptions, declared = {}, routes = {} as Record<string, KeycloakRouteConfig> } = {}) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: { openapi: version, info, ...declared }, transform: openapi(scheme) })
  await app.register(keycloak, { ...options.issuers === undefined && { issuer, audience: 'api' }, ...options } as KeycloakOptions)
  app.get('/open', handler)
  app.get('/me', { config: { authenticated: true } }, handler)
  if (options.dpop !== undefined || options.mtls !== undefined) app.get('/bound', { config: { senderConstrained: true } }, handler)
  for (const [url, config] of Object.entries(routes)) app.get(url, { config }, handler)
  const { components, paths } = await documentOf(app)
  return {
    schemes: components.securitySchemes,
    codes: components.schemas.KeycloakError.properties.code.description as string,
    securityOf: (url: string) => paths[url].get.security,
    responsesOf: (url: string) => paths[url].get.responses
  }
}

/** Options, and the requirements of a route for every token and of one for bound tokens. */
const REQUIREMENTS: ReadonlyArray<[options: Partial<KeycloakOptions>, any: object[], bound: object[] | undefined]> = [
  [{}, BEARER, undefined],
  [{ mtls: true }, BEARER, BEARER],
  [{ mtls: { required: true } }, BEARER, BEARER],
  [{ dpop: true }, BOTH, DPOP],
  [{ dpop: { required: true } }, DPOP, DPOP],
  [{ dpop: true, mtls: true }, BOTH, BOTH],
  [{ dpop: { required: true }, mtls: true }, BOTH, BOTH],
  [{ dpop: true, mtls: { required: true } }, BOTH, BOTH]
]

for (const [options, any, bound] of REQUIREMENTS) {
  t.test(`a token comes by the schemes that the API takes: ${JSON.stringify(options)}`, async (t) => {
    for (const version of ['3.0.3', '3.1.0', '3.2.0']) {
      const { schemes, securityOf } = await documented(t, options, { version })
      t.strictSame(schemes.KeycloakAuth, { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' })
      t.equal(schemes['KeycloakAuth-DPoP'] !== undefined, options.dpop !== undefined)
      t.equal(securityOf('/open'), undefined)
      t.strictSame(securityOf('/me'), any)
      if (bound !== undefined) t.strictSame(securityOf('/bound'), bound)
    }
  })
}

t.test('the scheme DPoP says how a token comes, without bearerFormat, which OpenAPI allows for Bearer alone', async (t) => {
  const { schemes } = await documented(t, { dpop: true })
  t.match(schemes['KeycloakAuth-DPoP'], { type: 'http', scheme: 'dpop', description: /`Authorization: DPoP`.*header `DPoP` \(RFC 9449\)/ })
  t.strictSame(Object.keys(schemes['KeycloakAuth-DPoP']), ['type', 'scheme', 'description'])
})

t.test('with a login the scheme DPoP is an alternative, and of several issuers one for all', async (t) => {
  const one = await documented(t, { dpop: true }, { scheme: { scheme: 'oauth2', issuer }, routes: { '/write': { scope: 'write' } } })
  t.strictSame(one.securityOf('/write'), [{ KeycloakAuth: ['write'] }, { 'KeycloakAuth-DPoP': [] }])
  t.strictSame(one.securityOf('/bound'), DPOP)
  const issuers = ['acme', 'DPoP'].map((name) => ({ issuer: `https://sso.example.com/realms/${name}`, clientId: 'api', audience: 'api' }))
  const routes = { '/acme': { issuer: 'acme', scope: 'write' } }
  const several = await documented(t, { issuers, dpop: true } as never, { scheme: { scheme: 'openIdConnect', issuers }, routes })
  t.strictSame(Object.keys(several.schemes), ['KeycloakAuth-acme', 'KeycloakAuth-DPoP', 'KeycloakAuth-DPoP-2'], 'an issuer may be called DPoP')
  t.strictSame(several.securityOf('/acme'), [{ 'KeycloakAuth-acme': ['write'] }, { 'KeycloakAuth-DPoP-2': [] }])
  t.strictSame(several.securityOf('/bound'), [{ 'KeycloakAuth-DPoP-2': [] }])
  const unlisted = await documented(t, { issuers, dpop: true } as never, { scheme: { scheme: 'oauth2', issuers: [issuers[1]!] }, routes })
  t.strictSame(unlisted.securityOf('/acme'), [{ 'KeycloakAuth-DPoP': ['write'] }, { 'KeycloakAuth-DPoP-2': [] }], 'a realm that the document does not list')
})

t.test('a token that the whole document demands may come by either scheme, and open routes need none', async (t) => {
  const securitySchemes = { mine: { type: 'http', scheme: 'DPoP' } }
  for (const security of [[{ KeycloakAuth: [] }], [{ 'KeycloakAuth-DPoP': [] }]]) {
    const { securityOf } = await documented(t, { dpop: true }, { declared: { security } })
    t.strictSame([securityOf('/me'), securityOf('/bound')], [BOTH, DPOP])
  }
  const mine = await documented(t, { dpop: true }, { declared: { security: [{ mine: [] }], components: { securitySchemes } }, routes: { '/public': { public: true } } })
  t.strictSame(mine.securityOf('/public'), [], 'a scheme of yours that carries a token by DPoP')
})

t.test('401 says what is answered about proofs and nonces, if they are checked', async (t) => {
  const TOKEN = 'No access token, or one that is not valid.'
  const BOUND = 'No access token, one that is not valid, or one that is not bound to a key of the client.'
  const PROOF = ' Or `dpop_proof_not_valid`: the DPoP proof of a bound token is missing, not valid or was used before.'
  const NONCE = ' Or `dpop_nonce_required`: repeat the request with a proof that has the nonce of the header `DPoP-Nonce`.'
  const WITHOUT = ['WWW-Authenticate']
  const cases: ReadonlyArray<[options: Partial<KeycloakOptions>, me: string, bound: string | undefined, headers: string[]]> = [
    [{}, TOKEN, undefined, WITHOUT],
    [{ mtls: true }, TOKEN, BOUND, WITHOUT],
    [{ mtls: { required: true } }, BOUND, BOUND, WITHOUT],
    [{ dpop: true }, TOKEN + PROOF, BOUND + PROOF, WITHOUT],
    [{ dpop: { required: true } }, BOUND + PROOF, BOUND + PROOF, WITHOUT],
    [{ dpop: { nonce: { secret } }, mtls: true }, TOKEN + PROOF + NONCE, BOUND + PROOF + NONCE, ['WWW-Authenticate', 'DPoP-Nonce']]
  ]
  for (const [options, me, bound, headers] of cases) {
    const { codes, responsesOf } = await documented(t, options)
    t.equal(responsesOf('/me')[401].description, me)
    if (bound !== undefined) t.equal(responsesOf('/bound')[401].description, bound)
    t.strictSame(Object.keys(responsesOf('/me')[401].headers), headers)
    t.equal(/RFC 9449 section 7\.1/.test(responsesOf('/me')[401].headers['WWW-Authenticate'].description), options.dpop !== undefined)
    t.equal(codes.includes('`dpop_proof_not_valid` (401)'), me.includes(PROOF))
    t.equal(codes.includes('`dpop_nonce_required` (401)'), me.includes(NONCE))
  }
})

t.test('a document of two registrations explains the codes of both, whichever route comes first', async (t) => {
  const realm = await realmFor(t)
  for (const order of [[{ dpop: true }, {}], [{}, { dpop: true }]] as const) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(swagger, { openapi: { info }, transform: openapi() })
    for (const [at, options] of order.entries()) {
      await app.register(async (scope) => {
        await scope.register(keycloak, { ...realm.options, ...options })
        scope.get(`/${at}`, { config: { authenticated: true } }, handler)
      })
    }
    const { components, paths } = await documentOf(app)
    t.match(components.schemas.KeycloakError.properties.code.description, /`dpop_proof_not_valid`/)
    t.strictSame(order.map((options, at) => [paths[`/${at}`].get.security, Object.keys(options)]), order.map((options) => 'dpop' in options ? [BOTH, ['dpop']] : [BEARER, []]))
  }
})

t.test('a route that was added before the plugin had loaded is documented with Bearer alone', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: { info }, transform: openapi() })
  app.register(keycloak, { issuer, audience: 'api', dpop: true })
  app.get('/early', { config: { senderConstrained: true } }, handler)
  const { paths } = await documentOf(app)
  t.strictSame(paths['/early'].get.security, BEARER)
})

/** Configs, and whether a token that is let in may be denied by them. */
const PARTS: ReadonlyArray<[config: KeycloakRouteConfig, words: string | undefined]> = [
  [{ permission: 'reader' }, 'permission reader'],
  [{ issuer: 'acme' }, 'issuer acme'],
  [{ scope: 'read' }, 'scope read'],
  [{ senderConstrained: true }, undefined],
  [{ acr: 'gold' }, undefined],
  [{ maxAge: 300 }, undefined],
  [{ authenticated: true }, undefined]
]

t.test('403 is listed if the route has a rule that denies, in each combination, and says that rule alone', async (t) => {
  const combinations = Array.from({ length: 2 ** PARTS.length - 1 }, (_, at) => PARTS.filter((_, part) => ((at + 1) >> part) % 2 === 1))
  const routes = Object.fromEntries(combinations.map((parts, at) => [`/${at}`, Object.assign({}, ...parts.map(([config]) => config)) as KeycloakRouteConfig]))
  const { responsesOf } = await documented(t, { issuers: [{ issuer, clientId: 'api', audience: 'api' }], dpop: true } as never, { routes })
  for (const [at, parts] of combinations.entries()) {
    const words = parts.map(([, each]) => each).filter((each) => each !== undefined).join(' and ')
    const said = words === '' ? undefined : `The access token does not grant the required permission: \`${words}\`.`
    t.equal(responsesOf(`/${at}`)[403]?.description, said, JSON.stringify(routes[`/${at}`]))
  }
})
