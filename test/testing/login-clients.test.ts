// Clients that find the realm by its metadata (RFC 8414), register themselves (RFC 7591), and ask for scopes and resources that
// carry the audience (RFC 8707).
import { decodeJwt } from 'jose'
import t from 'tap'
import { createTestRealm, type LoginOptions, type TestRealm } from '../../lib/testing/index.js'
import { ask, apiFor } from '../support/app.js'
import {
  authorizationUrl, codeOf, endpoint, exchange, isActive, ledTo, logIn, ORIGIN, post, realmWithLogin, REDIRECT, refresh, refusal, tokensOf
} from '../support/login.js'

const MCP = 'http://127.0.0.1:3000/mcp'
const SCOPES: LoginOptions['scopes'] = { 'notes:read': { audience: MCP }, 'notes:write': { audience: [MCP, 'archive'] }, plain: {} }

interface Registered {
  client_id: string
  client_secret?: string
  [member: string]: unknown
}

function registrationUrl (realm: TestRealm): string {
  return `${realm.issuer}/clients-registrations/openid-connect`
}

async function register (realm: TestRealm, metadata: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const body = typeof metadata === 'string' ? metadata : JSON.stringify(metadata)
  return fetch(registrationUrl(realm), { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })
}

/** A public client of this realm, registered with REDIRECT. */
async function registered (realm: TestRealm, metadata: object = {}): Promise<Registered> {
  const response = await register(realm, { redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none', ...metadata })
  if (response.status !== 201) throw new Error(`The registration is refused: ${response.status}`)
  return await response.json() as Registered
}

/** The claims of the access token of a login. */
async function claimsOf (realm: TestRealm, { client_id: id }: Registered, changes = {}) {
  const tokens = await exchange(realm, await codeOf(realm, { client_id: id, ...changes }), { client_id: id })
  return decodeJwt((await tokens.json() as { access_token: string }).access_token)
}

async function errorOf (realm: TestRealm, changes: Record<string, string | undefined>): Promise<string> {
  return ledTo(await fetch(authorizationUrl(realm, changes), { redirect: 'manual' })).error ?? 'none'
}

t.test('the metadata of the authorization server is at Keycloak\'s three addresses, and pages of any origin read it', async (t) => {
  const realm = await realmWithLogin(t, { registration: true, scopes: SCOPES })
  const { origin, pathname } = new URL(realm.issuer)
  const addresses = [
    `${origin}/.well-known/oauth-authorization-server${pathname}`,
    `${realm.issuer}/.well-known/oauth-authorization-server`,
    `${realm.issuer}/.well-known/openid-configuration`
  ]
  for (const address of addresses) {
    const response = await fetch(address, { headers: { origin: 'http://localhost:6274' } })
    t.equal(response.status, 200, address)
    t.equal(response.headers.get('access-control-allow-origin'), 'http://localhost:6274')
    t.match(await response.json(), {
      issuer: realm.issuer,
      registration_endpoint: registrationUrl(realm),
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
      grant_types_supported: ['authorization_code', 'refresh_token']
    })
  }
  const { scopes_supported: scopes } = await (await fetch(addresses[0]!)).json() as { scopes_supported: string[] }
  for (const scope of ['openid', 'profile', 'acr', 'notes:read', 'plain']) t.ok(scopes.includes(scope), scope)
  t.notOk(scopes.includes('offline_access'), 'the realm has no offline sessions')
  t.equal(realm.requests.discovery, 4)
  for (const address of [`${origin}/.well-known/openid-configuration${pathname}`, `${origin}/.well-known/oauth-authorization-server/realms/other`]) {
    t.equal((await fetch(address)).status, 404, address)
  }
  realm.error(502, 'discovery')
  t.equal((await fetch(addresses[0]!)).status, 502, 'an outage is one of all addresses')
})

t.test('a realm without registration names no such endpoint, and has none', async (t) => {
  const realm = await realmWithLogin(t, { registration: false })
  const metadata = await (await fetch(`${realm.issuer}/.well-known/oauth-authorization-server`)).json() as object
  t.notOk('registration_endpoint' in metadata)
  t.match(metadata, { token_endpoint_auth_methods_supported: ['none'] })
  t.equal((await register(realm, { redirect_uris: [REDIRECT] })).status, 404)
})

t.test('a client registers, and its users log in by it', async (t) => {
  const realm = await realmWithLogin(t, { registration: true })
  const response = await register(realm, { client_name: 'Inspector', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none', logo_uri: 'x' })
  t.equal(response.status, 201)
  t.equal(response.headers.get('cache-control'), 'no-store')
  const client = await response.json() as Registered
  t.match(client, {
    client_id: /^[\da-f-]{36}$/,
    client_id_issued_at: Number,
    client_name: 'Inspector',
    redirect_uris: [REDIRECT],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    scope: 'address phone microprofile-jwt organization'
  })
  for (const name of ['client_secret', 'logo_uri']) t.notOk(name in client, name)
  const tokens = await (await exchange(realm, await codeOf(realm, { client_id: client.client_id }), { client_id: client.client_id })).json() as Record<string, string>
  t.match(decodeJwt(tokens.access_token!), { azp: client.client_id, preferred_username: 'alice', acr: '1', scope: 'openid email profile' })
  t.match(decodeJwt(tokens.id_token!), { aud: client.client_id })
  t.equal(await ask(await apiFor(t, realm), '/profile', tokens.access_token), '200')
})

t.test('a client that names no method gets a secret, and must send it', async (t) => {
  const realm = await realmWithLogin(t, { registration: {} })
  for (const method of [undefined, 'client_secret_post']) {
    const { client_id: id, client_secret: secret, ...client } = await registered(realm, { token_endpoint_auth_method: method })
    t.match(client, { token_endpoint_auth_method: method ?? 'client_secret_basic', client_secret_expires_at: 0 })
    const code = await codeOf(realm, { client_id: id })
    for (const changes of [{ client_id: id }, { client_id: id, client_secret: 'wrong' }, { client_id: id, client_secret: '' }]) {
      t.equal(await refusal(await exchange(realm, code, changes)), '401 invalid_client')
    }
    const tokens = await (await exchange(realm, code, { client_id: id, client_secret: secret })).json() as Record<string, string>
    const basic = { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
    t.equal(await refusal(await post(endpoint(realm, 'token'), { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }, { authorization: 'Basic !' })), '401 invalid_client')
    t.equal((await post(endpoint(realm, 'token'), { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }, basic)).status, 200)
  }
})

t.test('codes and sessions belong to the client that they were issued to', async (t) => {
  const realm = await realmWithLogin(t, { registration: true })
  const { client_id: id } = await registered(realm)
  t.equal(await refusal(await exchange(realm, await codeOf(realm), { client_id: id })), '400 invalid_grant')
  t.equal(await refusal(await exchange(realm, await codeOf(realm, { client_id: id }))), '400 invalid_grant')
  const tokens = await tokensOf(realm)
  t.equal(await refusal(await refresh(realm, tokens.refresh_token, { client_id: id })), '400 invalid_grant')
  t.equal(await refusal(await post(endpoint(realm, 'logout'), { client_id: id, refresh_token: tokens.refresh_token })), '400 invalid_grant')
  t.equal((await refresh(realm, tokens.refresh_token)).status, 200, 'and the session lives on')
})

t.test('the logout of a registered client leads back to its own addresses, and tells no API', async (t) => {
  let told = 0
  const realm = await realmWithLogin(t, { registration: true, backchannelLogoutUrl: () => { told++; return 'http://127.0.0.1:1/' } })
  const { client_id: id } = await registered(realm, { redirect_uris: [REDIRECT, 'http://localhost:4000/'] })
  const tokens = await (await exchange(realm, await codeOf(realm, { client_id: id }), { client_id: id })).json() as Record<string, string>
  const response = await post(endpoint(realm, 'logout'), { id_token_hint: tokens.id_token, post_logout_redirect_uri: 'http://localhost:4000/' })
  t.equal(response.headers.get('location'), 'http://localhost:4000/')
  t.notOk(await isActive(realm, tokens.access_token!))
  t.equal(told, 0, 'the URL is a setting of the other client')
})

t.test('a redirect URI is compared with those of its own client; one of loopback without a port stands for all ports', async (t) => {
  const realm = await realmWithLogin(t, { registration: true })
  const uris = ['http://127.0.0.1/callback', 'http://localhost/', 'http://[::1]/callback', 'http://127.0.0.1:5000/exact']
  const { client_id: id } = await registered(realm, { redirect_uris: uris })
  const status = async (uri: string) => (await fetch(authorizationUrl(realm, { client_id: id, redirect_uri: uri }))).status
  for (const uri of [...uris, 'http://127.0.0.1:4711/callback', 'http://localhost:4711/', 'http://[::1]:4711/callback']) t.equal(await status(uri), 200, uri)
  const wrong = [
    'http://127.0.0.1:4711/', 'http://127.0.0.1:4711/callback/', 'http://127.0.0.1:5001/exact', 'http://127.0.0.1:80@evil.example/callback',
    'http://127.0.0.1:4711.evil.example/callback', 'http://localhost.evil.example:80/', 'https://127.0.0.1:4711/callback', 'http://127.0.0.1:/callback', ''
  ]
  for (const uri of wrong) t.equal(await status(uri), 400, uri)
  t.equal((await fetch(authorizationUrl(realm, { redirect_uri: uris[3]! }))).status, 400, 'they are no addresses of the other client')
})

t.test('metadata that makes no client is refused with the codes of RFC 7591', async (t) => {
  const realm = await realmWithLogin(t, { registration: true, scopes: SCOPES })
  const uris = (...each: unknown[]) => ({ redirect_uris: each })
  const cases: Array<[string, unknown]> = [
    ...[{}, uris(), { redirect_uris: REDIRECT }, uris(1), uris('/callback'), uris(`${REDIRECT}#x`), uris('http://127.0.0.1:3999/*'),
      uris('javascript:alert(1)'), uris('app://callback'), uris(REDIRECT, `${REDIRECT}?${'x'.repeat(1000)}`), uris(...Array.from({ length: 21 }, () => REDIRECT))]
      .map((metadata): [string, unknown] => ['400 invalid_redirect_uri', metadata]),
    ...['', 'hello', '[]', 'null', { ...uris(REDIRECT), token_endpoint_auth_method: 'private_key_jwt' }, { ...uris(REDIRECT), token_endpoint_auth_method: 1 },
      { ...uris(REDIRECT), grant_types: ['implicit'] }, { ...uris(REDIRECT), grant_types: 'authorization_code' }, { ...uris(REDIRECT), response_types: ['token'] },
      { ...uris(REDIRECT), client_name: 1 }, { ...uris(REDIRECT), client_name: 'x'.repeat(1001) }, { ...uris(REDIRECT), scope: 'a  b' }, { ...uris(REDIRECT), scope: 1 }]
      .map((metadata): [string, unknown] => ['400 invalid_client_metadata', metadata]),
    ['403 insufficient_scope', uris(REDIRECT, 'https://evil.example/callback')],
    ['403 insufficient_scope', uris('http://127.0.0.1.evil.example/')],
    ['403 insufficient_scope', { ...uris(REDIRECT), scope: 'notes:read notes:burn' }],
    ['403 insufficient_scope', { ...uris(REDIRECT), scope: 'openid notes:read' }]
  ]
  for (const [expected, metadata] of cases) t.equal(await refusal(await register(realm, metadata)), expected, JSON.stringify(metadata).slice(0, 100))
  t.equal(await refusal(await register(realm, JSON.stringify(uris(REDIRECT)), { 'content-type': 'text/plain' })), '400 invalid_client_metadata')
  t.equal((await fetch(registrationUrl(realm))).status, 405)
  t.equal((await register(realm, { ...uris(REDIRECT), client_name: 'x'.repeat(70_000) })).status, 413)
})

t.test('two hundred clients register, and no more', async (t) => {
  const realm = await realmWithLogin(t, { registration: true })
  const first = await registered(realm)
  for (let count = 1; count < 200; count++) await (await register(realm, { redirect_uris: [REDIRECT] })).text()
  t.equal(await refusal(await register(realm, { redirect_uris: [REDIRECT] })), '403 insufficient_scope')
  t.equal((await fetch(authorizationUrl(realm, { client_id: first.client_id }))).status, 200, 'none of them is dropped')
})

t.test('pages of trusted hosts may register, and those of registered clients may fetch tokens', async (t) => {
  const realm = await realmWithLogin(t, { redirectUris: [REDIRECT], registration: { trustedHosts: ['localhost', 'app.example'] } })
  const inspector = 'http://localhost:6274'
  const allowed = async (url: string, origin: string, method = 'OPTIONS') => (await fetch(url, { method, headers: { origin } })).headers.get('access-control-allow-origin')
  t.equal(await allowed(registrationUrl(realm), inspector), inspector)
  for (const origin of ['https://evil.example', 'null', ORIGIN]) {
    t.equal(await allowed(registrationUrl(realm), origin), null, origin)
    const response = await register(realm, { redirect_uris: ['https://app.example/'] }, { origin })
    t.equal(await refusal(response), '403 Invalid origin')
  }
  t.equal(await allowed(endpoint(realm, 'token'), inspector), null)
  const response = await register(realm, { redirect_uris: [`${inspector}/oauth/callback`, 'https://app.example/'] }, { origin: inspector })
  t.equal(response.status, 201)
  t.equal(response.headers.get('access-control-allow-origin'), inspector)
  for (const origin of [inspector, 'https://app.example', ORIGIN]) t.equal(await allowed(endpoint(realm, 'token'), origin), origin)
})

t.test('a scope brings its audience; a scope that the realm does not have is refused', async (t) => {
  const realm = await realmWithLogin(t, { scopes: () => SCOPES })
  const app = await apiFor(t, realm, { audience: MCP })
  const audience = async (scope: string) => decodeJwt((await tokensOf(realm, { scope })).access_token)
  t.match(await audience('openid'), { aud: ['api', 'account'], scope: 'openid email profile' })
  t.match(await audience('notes:read'), { aud: ['api', 'account', MCP], scope: 'notes:read email profile' })
  t.match(await audience('notes:read notes:write'), { aud: ['api', 'account', MCP, 'archive'] })
  t.match(await audience('plain organization:acme acr'), { aud: ['api', 'account'], scope: 'plain organization:acme email profile' })
  for (const scope of ['notes:burn', 'openid notes:read toString', 'NOTES:READ']) t.equal(await errorOf(realm, { scope }), 'invalid_scope', scope)
  t.equal(await ask(app, '/me', (await tokensOf(realm)).access_token), '401 token_not_valid')
  const tokens = await tokensOf(realm, { scope: 'notes:read' })
  t.equal(await ask(app, '/me', tokens.access_token), '200')
  const renewed = await (await refresh(realm, tokens.refresh_token)).json() as Record<string, string>
  t.equal(await ask(app, '/me', renewed.access_token), '200', 'after a refresh too')
})

t.test('a client that names its scopes has those alone, so that its tokens say little about the user', async (t) => {
  const users = { alice: { password: 'alice-pw', roles: ['view-profile'], groups: ['/staff'], organizations: ['acme'], claims: { tenant: 'one' } } }
  const realm = await realmWithLogin(t, { registration: true, scopes: SCOPES, users })
  const client = await registered(realm, { scope: 'notes:read acr' })
  t.equal(client.scope, 'notes:read acr')
  const claims = await claimsOf(realm, client, { scope: 'notes:read' })
  t.same(Object.keys(claims).sort(), ['aud', 'auth_time', 'azp', 'exp', 'iat', 'iss', 'jti', 'scope', 'sid', 'sub', 'tenant', 'typ'])
  t.match(claims, { aud: MCP, scope: 'notes:read' })
  t.equal((await claimsOf(realm, client, { scope: 'openid' })).aud, undefined)
  t.match(await claimsOf(realm, client, { scope: 'openid acr', acr_values: 'silver' }), { acr: 'silver', scope: 'openid' })
  for (const scope of ['notes:write', 'notes:read profile']) t.equal(await errorOf(realm, { client_id: client.client_id, scope }), 'invalid_scope', scope)
  const wide = await registered(realm, { scope: 'roles profile organization' })
  t.match(await claimsOf(realm, wide, { scope: 'roles profile organization:acme' }), {
    aud: ['api', 'account'], resource_access: { api: { roles: ['view-profile'] } }, preferred_username: 'alice', organization: ['acme'], scope: 'profile organization:acme'
  })
})

t.test('without resources the parameter resource is ignored, as by Keycloak without the feature', async (t) => {
  const realm = await realmWithLogin(t)
  for (const resource of [MCP, 'nonsense', `${MCP}#x`]) {
    const tokens = await (await exchange(realm, await codeOf(realm, { resource }), { resource: 'another' })).json() as Record<string, string>
    t.same(decodeJwt(tokens.access_token!).aud, ['api', 'account'])
  }
})

t.test('with resources, tokens are for the resource that the client asked for', async (t) => {
  const realm = await realmWithLogin(t, { resources: () => [MCP] })
  const accessTokenOf = async (asked?: string, again?: string) => {
    const response = await exchange(realm, await codeOf(realm, { resource: asked }), { resource: again })
    return response.ok ? decodeJwt((await response.json() as { access_token: string }).access_token).aud : refusal(response)
  }
  t.equal(await accessTokenOf(MCP, MCP), MCP)
  t.equal(await accessTokenOf(MCP), MCP)
  t.same(await accessTokenOf(), ['api', 'account'])
  t.equal(await accessTokenOf(undefined, MCP), '400 invalid_target')
  t.equal(await accessTokenOf(MCP, `${MCP}/other`), '400 invalid_target')
  t.equal(await accessTokenOf(`${MCP}/`, `${MCP}/`), '400 invalid_target', 'a trailing slash counts')
  for (const resource of ['nonsense', '/mcp', `${MCP}#x`]) t.equal(await errorOf(realm, { resource }), 'invalid_target', resource)
  const twice = await fetch(`${authorizationUrl(realm, { resource: MCP })}&resource=x`, { redirect: 'manual' })
  t.equal(ledTo(twice).error, 'invalid_request')

  const tokens = await (await exchange(realm, ledTo(await logIn(realm, { resource: MCP })).code!)).json() as Record<string, string>
  const renewed = await (await refresh(realm, tokens.refresh_token!)).json() as Record<string, string>
  t.equal(decodeJwt(renewed.access_token!).aud, MCP, 'a refresh remembers it')
  t.equal(await refusal(await refresh(realm, renewed.refresh_token!, { resource: 'other' })), '400 invalid_target')
  t.notOk(await isActive(realm, renewed.access_token!), 'the client of the API is not in aud any more')
})

t.test('a client that named its scopes needs one with the audience to ask for the resource', async (t) => {
  const realm = await realmWithLogin(t, { registration: true, resources: [MCP], scopes: SCOPES })
  const { client_id: id } = await registered(realm, { scope: 'notes:read' })
  const exchanged = async (scope: string) => exchange(realm, await codeOf(realm, { client_id: id, scope, resource: MCP }), { client_id: id })
  t.equal(await refusal(await exchanged('openid')), '400 invalid_target')
  t.equal((await exchanged('notes:read')).status, 200)
})

t.test('wrong options are one clear sentence', async (t) => {
  const cases: Array<[Partial<Record<keyof LoginOptions, unknown>>, RegExp]> = [
    [{ scopes: ['notes:read'] }, /login\.scopes must be an object such as \{ 'notes:read':/],
    [{ scopes: { 'notes:read': MCP } }, /login\.scopes must be/],
    [{ scopes: { 'notes:read': { audience: [1] } } }, /login\.scopes must be/],
    [{ scopes: { 'notes:read': { audiences: MCP } } }, /login\.scopes must be/],
    [{ resources: MCP }, /login\.resources must be an array of whole http URLs/],
    [{ registration: 'on' }, /login\.registration must be true, or an object such as/],
    [{ registration: { trustedHosts: 'localhost' } }, /login\.registration must be/],
    [{ registration: { trustedHosts: [1] } }, /login\.registration must be/]
  ]
  for (const [login, message] of cases) {
    await t.rejects(createTestRealm({ login: { users: { alice: { password: 'x' } }, redirectUris: [REDIRECT], ...login as object } }), { name: 'TypeError', message }, JSON.stringify(login))
  }
})
