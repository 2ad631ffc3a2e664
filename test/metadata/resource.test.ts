// The option resource: the document by which clients find Keycloak (RFC 9728), and the challenges that name it.
import cors from '@fastify/cors'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import keycloak, { KeycloakError, type KeycloakOptions, type ResourceMetadata } from '../../index.js'
import { createTestRealm } from '../../lib/testing/index.js'
import { apiFor, ask, bearer, logging, realmFor, refusalOf, WARN } from '../support/app.js'

const RESOURCE = 'https://api.example.com/mcp'
const PATH = '/.well-known/oauth-protected-resource/mcp'
const PARAMETER = `resource_metadata="https://api.example.com${PATH}"`

/** The document as a client gets it over a socket. */
async function fetched (app: FastifyInstance, path = PATH, init?: RequestInit): Promise<Response> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  return fetch(app.listeningOrigin + path, init)
}

async function documentOf (app: FastifyInstance): Promise<ResourceMetadata> {
  return await (await fetched(app)).json() as ResourceMetadata
}

t.test('everybody may read the document, and caches may keep it', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  // Neither demands of the application nor what it allows to other origins count for the document.
  await app.register(cors, { origin: 'https://app.example.com', credentials: true })
  await app.register(keycloak, { ...realm.options, resource: RESOURCE, requireAuthentication: true })
  app.get('/notes', async () => 'notes')
  const got = await fetched(app, PATH, { headers: { origin: 'https://inspector.example', 'x-forwarded-host': 'evil.example', authorization: 'Bearer nonsense' } })
  t.equal(got.status, 200)
  t.same(await got.json(), { resource: RESOURCE, authorization_servers: [realm.issuer], bearer_methods_supported: ['header'] })
  t.match(Object.fromEntries(got.headers), { 'content-type': 'application/json; charset=utf-8', 'access-control-allow-origin': '*', 'cache-control': 'public, max-age=3600' })
  t.notOk(got.headers.has('access-control-allow-credentials'))
  const head = await fetched(app, PATH, { method: 'HEAD' })
  t.equal(head.status, 200)
  t.equal(await head.text(), '')
  const preflight = await fetched(app, PATH, { method: 'OPTIONS', headers: { origin: 'https://inspector.example', 'access-control-request-method': 'GET', 'access-control-request-headers': 'mcp-protocol-version' } })
  t.equal(preflight.status, 204)
  t.match(Object.fromEntries(preflight.headers), { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'GET, HEAD, OPTIONS', 'access-control-allow-headers': '*, Authorization' })
  t.equal((await fetched(app, PATH, { method: 'POST' })).status, 404)
  t.equal((await fetched(app, '/.well-known/oauth-protected-resource')).status, 404, 'it is the document of this path alone')
  t.equal((await fetched(app, '/notes')).status, 401)
  t.match(app.keycloak.routes()[0], { method: 'GET,HEAD,OPTIONS', url: PATH, access: 'open' })
})

t.test('the document follows from the options and never from the Host header', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { resource: RESOURCE }, { trustProxy: true })
  const answer = await app.inject({ url: PATH, headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher' } })
  t.equal(answer.json().resource, RESOURCE)
  t.notMatch(answer.body, 'evil')
})

t.test('the path of the resource stands behind the well-known one', async (t) => {
  const realm = await realmFor(t)
  for (const [resource, path] of [
    ['https://api.example.com', '/.well-known/oauth-protected-resource'], ['https://api.example.com/', '/.well-known/oauth-protected-resource'],
    ['http://localhost:3000/a/b.c', '/.well-known/oauth-protected-resource/a/b.c'], ['http://127.0.0.1:3000/mcp', PATH], ['http://[::1]:3000/mcp', PATH]
  ] as const) {
    const app = await apiFor(t, realm, { resource })
    t.equal((await app.inject(path)).json().resource, resource)
    const { origin } = new URL(resource)
    t.match((await app.inject('/me')).headers['www-authenticate'], `resource_metadata="${origin}${path}"`)
  }
})

t.test('the document has the members that the options and routes give it', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/early', { config: { scope: 'notes:early' } }, async () => 'early')
  app.get('/broken', { config: { scope: 5 as never } }, async () => 'broken')
  await app.register(keycloak, { ...realm.options, resource: { resource: RESOURCE, scopes: ['notes:handler', 'notes:read'], name: 'Notes "of" ours', documentation: 'https://api.example.com/docs' } })
  app.get('/read', { config: { scope: 'notes:read' } }, async () => 'read')
  app.get('/write', { config: { scope: ['notes:read', 'offline_access'], permission: [{ any: [{ scope: 'notes:write' }, { scope: 'notes:admin' }, 'admin'] }, (claims) => claims.azp === 'web'] } }, async () => 'write')
  t.same(await documentOf(app), {
    resource: RESOURCE,
    authorization_servers: [realm.issuer],
    scopes_supported: ['notes:early', 'notes:read', 'notes:write', 'notes:admin', 'notes:handler'],
    bearer_methods_supported: ['header'],
    resource_name: 'Notes "of" ours',
    resource_documentation: 'https://api.example.com/docs'
  })
  t.same(app.keycloak.resourceMetadata(), await documentOf(app))
  t.match((await app.inject('/early')).headers['www-authenticate'], 'scope="notes:early"')
  t.match((await app.inject({ url: '/nowhere', headers: bearer('nonsense') })).statusCode, 404)
})

t.test('the document says which tokens have to be bound to a key', async (t) => {
  const realm = await realmFor(t)
  const algorithms = ['ES256', 'PS256'] as const
  const cases: Array<[Partial<KeycloakOptions>, Partial<ResourceMetadata>]> = [
    [{}, {}],
    [{ dpop: { algorithms } }, { dpop_signing_alg_values_supported: [...algorithms] }],
    [{ dpop: { algorithms, required: true } }, { dpop_signing_alg_values_supported: [...algorithms], dpop_bound_access_tokens_required: true }],
    [{ mtls: true }, { tls_client_certificate_bound_access_tokens: true }],
    [{ mtls: { required: true } }, { tls_client_certificate_bound_access_tokens: true }],
    [{ dpop: { algorithms, required: true }, mtls: true }, { dpop_signing_alg_values_supported: [...algorithms], tls_client_certificate_bound_access_tokens: true }]
  ]
  for (const [options, members] of cases) {
    const app = await apiFor(t, realm, { resource: RESOURCE, ...options })
    t.same((await app.inject(PATH)).json(), { resource: RESOURCE, authorization_servers: [realm.issuer], bearer_methods_supported: ['header'], ...members })
  }
})

t.test('the document names all issuers', async (t) => {
  const [acme, globex] = [await createTestRealm({ name: 'acme' }), await createTestRealm({ name: 'globex' })]
  t.teardown(() => Promise.all([acme.close(), globex.close()]))
  const servers = [acme.issuer, globex.issuer]
  const { issuer, ...others } = acme.options
  const common = { ...others, audience: undefined }
  for (const options of [
    { ...common, issuers: [{ issuer }, { issuer: globex.issuer }], resource: RESOURCE },
    { ...common, issuers: (iss: string) => servers.includes(iss) ? { issuer: iss } : null, resource: { resource: RESOURCE, authorizationServers: servers } }
  ]) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(keycloak, options)
    app.get('/me', { config: { authenticated: true } }, async (request) => request.issuer)
    t.same((await app.inject(PATH)).json().authorization_servers, servers)
    t.equal(await ask(app, '/me', globex.token({ claims: { aud: RESOURCE } })), '200')
    t.equal(await ask(app, '/me', globex.token()), '401 token_not_valid', 'the audience of each is the resource')
    t.match((await app.inject('/me')).headers['www-authenticate'], PARAMETER)
  }
  const entry = { ...common, issuers: [{ issuer, audience: null }], resource: RESOURCE }
  t.match(await refusalOf(entry), 'option "issuers[0].audience" must not be null with resource')
})

t.test('audience is the resource unless it is given', async (t) => {
  const realm = await realmFor(t)
  const tokens = { resource: realm.token({ claims: { aud: RESOURCE } }), both: realm.token({ claims: { aud: ['account', RESOURCE] } }), api: realm.token({ claims: { aud: 'api' } }), slash: realm.token({ claims: { aud: `${RESOURCE}/` } }) }
  for (const [options, accepted] of [
    [{ resource: RESOURCE, audience: undefined }, ['resource', 'both']],
    [{ resource: { resource: RESOURCE }, audience: undefined }, ['resource', 'both']],
    [{ resource: RESOURCE, audience: 'api' }, ['api']],
    [{ resource: RESOURCE, audience: ['api', RESOURCE] }, ['resource', 'both', 'api']]
  ] as Array<[Partial<KeycloakOptions>, string[]]>) {
    const app = await apiFor(t, realm, options)
    for (const [name, token] of Object.entries(tokens)) t.equal(await ask(app, '/me', token), accepted.includes(name) ? '200' : '401 token_not_valid', `${name} with ${JSON.stringify(options)}`)
  }
})

t.test('every challenge names the document, and the scopes that the route needs', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { resource: RESOURCE })
  const rule = { scope: ['notes:read', 'offline_access'], permission: [{ any: ['admin', { scope: 'notes:write' }, { scope: 'notes:admin' }] }] } as const
  app.get('/notes', { config: { scope: rule.scope, permission: { any: ['admin', { scope: 'notes:write' }, { scope: 'notes:admin' }] }, acr: 'gold' } }, async () => 'notes')
  app.get('/own', async () => { throw new KeycloakError('permission_denied', 'not yours', 'notes:own') })
  const challenge = async (url: string, token?: string): Promise<string> => {
    const { statusCode, headers } = await app.inject({ url, headers: token === undefined ? {} : bearer(token) })
    return `${statusCode} ${String(headers['www-authenticate'])}`
  }
  const SCOPE = 'scope="notes:read notes:write"'
  const denied = `403 Bearer realm="test", error="insufficient_scope", error_description="You do not have permission to perform this action.", ${SCOPE}, ${PARAMETER}`
  t.equal(await challenge('/notes'), `401 Bearer realm="test", ${SCOPE}, ${PARAMETER}`)
  t.equal(await challenge('/notes', realm.token({ expired: true })), `401 Bearer realm="test", error="invalid_token", error_description="The access token has expired.", ${SCOPE}, ${PARAMETER}`)
  t.equal(await challenge('/notes', realm.token({ scope: 'openid' })), denied, 'a scope of config is missing')
  t.equal(await challenge('/notes', realm.token({ scope: 'notes:read offline_access' })), denied, 'a scope of permission is missing')
  t.match(await challenge('/notes', realm.token({ scope: 'notes:read notes:write offline_access' })), new RegExp(`^401 .*error="insufficient_user_authentication".*${SCOPE}, acr_values="gold", ${PARAMETER}$`))
  t.equal(await challenge('/me'), `401 Bearer realm="test", ${PARAMETER}`)
  t.match(await challenge('/profile', realm.token()), new RegExp(`^403 .*, ${PARAMETER}$`))
  t.match(await challenge('/open', 'nonsense'), new RegExp(`^401 .*, ${PARAMETER}$`))
  t.match(await challenge('/own'), new RegExp(`^403 .*scope="notes:own", ${PARAMETER}$`))
  const error = await app.keycloak.verify('nonsense').catch((error: { headers: Record<string, string> }) => error)
  t.match((error as { headers: object }).headers, { 'www-authenticate': new RegExp(`, ${PARAMETER}$`) })
})

t.test('without the option a 403 names all scopes of its rule if one is missing, and a 401 none', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/notes', { config: { scope: 'notes:read', permission: ['admin', { scope: 'notes:write' }] } }, async () => 'notes')
  const challenge = async (token?: string): Promise<string> => String((await app.inject({ url: '/notes', headers: token === undefined ? {} : bearer(token) })).headers['www-authenticate'])
  t.equal(await challenge(), 'Bearer realm="test"')
  for (const scope of ['openid', 'notes:read', 'notes:write']) t.match(await challenge(realm.token({ scope })), /, scope="notes:read notes:write"$/)
  t.notMatch(await challenge(realm.token({ scope: 'notes:write notes:read' })), 'scope=', 'a role is missing, and no scope')
  t.throws(() => app.keycloak.resourceMetadata(), { message: 'resourceMetadata() needs the option resource, the URL of this API' })
  t.equal((await app.inject(PATH)).statusCode, 404)
})

t.test('both schemes of a challenge name the document', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { resource: RESOURCE, dpop: true })
  const { headers } = await app.inject('/me')
  t.equal(headers['www-authenticate'], `Bearer realm="test", ${PARAMETER}, DPoP realm="test", algs="ES256 ES384 ES512 EdDSA PS256 RS256", ${PARAMETER}`)
  const error = await app.keycloak.verify('nonsense').catch((error: { headers: Record<string, string> }) => error)
  t.match((error as { headers: object }).headers, { 'www-authenticate': new RegExp(`${PARAMETER}.*${PARAMETER}$`) })
})

t.test('under a prefix the start says how to serve the document at the root, and that works', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = Fastify({ logger: log.logger })
  t.teardown(() => app.close())
  let scope: FastifyInstance | undefined
  await app.register(async (api) => {
    scope = api
    await api.register(keycloak, { ...realm.options, resource: RESOURCE })
    api.get('/me', { config: { authenticated: true } }, async () => 'me')
  }, { prefix: '/mcp' })
  app.get(PATH, async () => scope!.keycloak.resourceMetadata())
  t.equal((await documentOf(app)).resource, RESOURCE)
  t.equal((await fetched(app, `/mcp${PATH}`)).status, 404)
  t.match((await app.inject('/mcp/me')).headers['www-authenticate'], PARAMETER)
  t.match(log.lines.find(({ code }) => code === 'resource_unserved'), {
    level: WARN,
    msg: `fastify-keycloak-bearer is registered under the prefix "/mcp", so it does not serve the document of the option resource, which clients look for at https://api.example.com${PATH}. Add the route GET ${PATH} at the root of the application, and answer keycloak.resourceMetadata() of this scope there`
  })
})

t.test('a route of the application that has the path of the document stops the start', async (t) => {
  const realm = await realmFor(t)
  for (const method of ['GET', 'OPTIONS'] as const) {
    const app = Fastify()
    t.teardown(() => app.close())
    app.route({ method, url: PATH, exposeHeadRoute: false, handler: async () => 'mine' })
    await t.rejects(async () => { await app.register(keycloak, { ...realm.options, resource: RESOURCE }) }, { message: `fastify-keycloak-bearer: the route ${method} ${PATH} is there already; leave it out, since the option resource serves it` })
  }
})

t.test('what means nothing stops the start with one sentence', async (t) => {
  const issuer = 'https://sso.example.com/realms/acme'
  const URL_OF = 'the https URL of this API as clients call it, such as https://api.example.com/mcp'
  const MEMBERS = `${URL_OF}, or an object with resource, scopes, name, documentation and authorizationServers`
  const faults: Array<[string, string]> = [
    ['my-client', 'one that does not begin with https://: the id of a client in Keycloak belongs into clientId'],
    ['/mcp', 'one that does not begin with https://: the id of a client in Keycloak belongs into clientId'],
    ['https://api.example.com/mcp#x', 'one with a fragment (#)'], ['https://api.example.com/mcp#', 'one with a fragment (#)'],
    ['https://api.example.com/mcp?x=1', 'one with a query (?)'], ['https://api.example.com/mcp?', 'one with a query (?)'],
    ['https://me:pw@api.example.com/mcp', 'one with a user name'],
    ['https://api.example.com/mcp/', 'one with a slash at its end: leave the slash out, since clients and Keycloak compare each character'],
    ['https://api.example.com/m%63p', 'one with encoded characters in its path: give the API a path of letters, digits, "-", "_", "." and "~"'],
    ['https://api.example.com/a:b', 'one with special characters in its path: give the API a path of letters, digits, "-", "_", "." and "~"'],
    ['https://api.example.com/*', 'one with special characters in its path: give the API a path of letters, digits, "-", "_", "." and "~"'],
    ['https://api.example.com/a//b', 'one with special characters in its path: give the API a path of letters, digits, "-", "_", "." and "~"'],
    ['https://api.example.com/ü', 'one with special characters in its path: give the API a path of letters, digits, "-", "_", "." and "~"'],
    ['https://API.example.com/mcp', 'another spelling of "https://api.example.com/mcp": write that'],
    ['https://api.example.com:443', 'another spelling of "https://api.example.com": write that'],
    ['https://api.example.com/a/../mcp', 'another spelling of "https://api.example.com/mcp": write that'],
    ['https://:443/', 'one whose host or port is not valid'], ['https://api.example.com:99999/mcp', 'one whose host or port is not valid'],
    ['http://api.example.com/mcp', 'one with http:// to another machine: tokens would be sent there without encryption'],
    [' https://api.example.com/mcp', 'one with white space around it: write .trim()']
  ]
  for (const [resource, found] of faults) {
    t.equal(await refusalOf({ issuer, resource }), `fastify-keycloak-bearer: option "resource" must be ${MEMBERS}, not ${found}`)
    t.equal(await refusalOf({ issuer, resource: { resource } }), `fastify-keycloak-bearer: option "resource.resource" must be ${URL_OF}, not ${found}`)
  }
  const cases: Array<[unknown, string]> = [
    [5, `option "resource" must be ${MEMBERS}, not 5`], [null, `option "resource" must be ${MEMBERS}, not null: leave it out instead`], [true, `option "resource" must be ${MEMBERS}, not true`],
    ['', `option "resource" must be ${MEMBERS}, not an empty string`], [new URL(RESOURCE), `option "resource" must be ${MEMBERS}, not a URL object: write its href`],
    [{ resource: RESOURCE, scope: ['a'] }, 'option "resource.scope" is unknown; write "resource.scopes"'],
    [{ resource: RESOURCE, scopes: 'a' }, 'option "resource.scopes" must be an array of scopes, such as ["write"], not a string'],
    [{ resource: RESOURCE, scopes: ['a b'] }, 'option "resource.scopes.0" must be a word of the scope claim such as "write", not another string'],
    [{ resource: RESOURCE, scopes: ['offline_access'] }, 'option "resource.scopes.0" must be a word of the scope claim such as "write", not "offline_access": clients that want refresh tokens ask for it by themselves'],
    [{ resource: RESOURCE, name: '' }, 'option "resource.name" must be the name of this API for people, not an empty string'],
    [{ resource: RESOURCE, documentation: 'docs' }, 'option "resource.documentation" must be the URL of a page, such as https://api.example.com/docs, not a string'],
    [{ resource: RESOURCE, authorizationServers: [issuer] }, 'option "resource.authorizationServers" goes with a function issuers alone; otherwise it is the issuers']
  ]
  for (const [resource, sentence] of cases) t.equal(await refusalOf({ issuer, resource }), `fastify-keycloak-bearer: ${sentence}`)
  t.equal(await refusalOf({ issuer, resource: RESOURCE, audience: null }), 'fastify-keycloak-bearer: option "audience" must not be null with resource, since a token for another API would be accepted; leave it out, and aud must have the resource')
  t.match(await refusalOf({ issuers: [{ issuer }], resource: { resource: RESOURCE, authorizationServers: issuer } }), 'goes with a function issuers alone')
  t.match(await refusalOf({ issuers: () => null, resource: RESOURCE }), 'option "resource.authorizationServers" must name the issuers when issuers is a function')
  t.match(await refusalOf({ issuers: () => null, audience: null, resource: { resource: RESOURCE, authorizationServers: issuer } }), 'option "audience" must not be null with resource')
  t.match(await refusalOf({ issuers: [{ issuer, resource: RESOURCE }] }), 'option "issuers[0].resource" counts for all issuers')
})
