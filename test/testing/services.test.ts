// The token endpoint of the realm, for an API that calls other services. The answers were observed at Keycloak 26.7.3.
import { decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose'
import t, { type Test } from 'tap'
import { createTestRealm, type ServiceRules, type TestRealm } from '../../lib/testing/index.js'
import { apiFor } from '../support/app.js'
import { realmWithLogin } from '../support/login.js'
import { ACCESS_TOKEN, ask, basic, endpointOf, exchange, EXCHANGE, introspect, post, realmWithServices, refusal, type Answer, type Parameters } from '../support/services.js'

const INVALID = 'Invalid client or Invalid client credentials'
const CREDENTIALS = { grant_type: 'client_credentials' }
const RULES: ServiceRules = {
  clients: { worker: { secret: 'worker-secret', roles: ['view-profile'], realmRoles: [], clientRoles: { account: [], billing: ['reader'] } }, orders: { secret: 'orders-secret' } },
  scopes: { 'orders:read': { audience: 'orders' }, audit: { audience: ['audit', 'archive'], default: true }, plain: {} }
}

function claimsOf ({ body }: Answer): JWTPayload {
  return decodeJwt(String(body.access_token))
}

t.test('client credentials give the token of a service account', async (t) => {
  const { realm } = await realmWithServices(t)
  const answer = await ask(realm, CREDENTIALS)
  const { access_token: token, ...rest } = answer.body
  t.same(rest, { expires_in: 300, refresh_expires_in: 0, token_type: 'Bearer', 'not-before-policy': 0, scope: 'email profile' })
  const { exp, iat, jti, sub, ...claims } = claimsOf(answer)
  t.match(jti, /^trrtcc:[0-9a-f-]{36}$/)
  t.match(sub, /^[0-9a-f-]{36}$/)
  t.equal(exp! - iat!, 300)
  t.same(claims, {
    iss: realm.issuer,
    aud: 'account',
    typ: 'Bearer',
    azp: 'api',
    acr: '1',
    realm_access: { roles: ['default-roles-test', 'offline_access', 'uma_authorization'] },
    resource_access: { account: { roles: ['manage-account', 'manage-account-links', 'view-profile'] } },
    scope: 'email profile',
    email_verified: false,
    preferred_username: 'service-account-api',
    client_id: 'api',
    clientHost: '127.0.0.1',
    clientAddress: '127.0.0.1'
  })
  t.match(decodeProtectedHeader(String(token)), { alg: 'RS256', typ: 'JWT' })
})

t.test('the token of a service account is for the clients of its roles and of its scopes, and the API takes it', async (t) => {
  const { realm } = await realmWithServices(t, RULES)
  const own = claimsOf(await ask(realm, { ...CREDENTIALS, scope: 'orders:read' }))
  t.match(own, { aud: ['audit', 'archive', 'orders', 'account'], scope: 'audit email orders:read profile' })
  const answer = await post(endpointOf(realm), { ...CREDENTIALS, scope: 'openid roles plain' }, basic('worker', 'worker-secret'))
  const { realm_access: none, ...claims } = claimsOf(answer)
  t.match(claims, { aud: ['audit', 'archive', 'billing', 'api'], azp: 'worker', preferred_username: 'service-account-worker', scope: 'openid audit email plain profile', resource_access: { billing: { roles: ['reader'] }, api: { roles: ['view-profile'] } } })
  t.equal(none, undefined)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true })
  t.equal((await realm.inject(app, { as: String(answer.body.access_token), url: '/profile' })).statusCode, 200)
  t.match((await introspect(realm, answer.body.access_token, { client_id: 'orders', client_secret: 'orders-secret' })), { status: 200, body: { active: false } }, 'orders is not in its audience')
})

t.test('the API authenticates by its secret in the form or by HTTP Basic; the form counts', async (t) => {
  const { realm } = await realmWithServices(t, RULES, { clientSecret: 'p%+ss: word' })
  const cases: Array<[Parameters, Record<string, string>, Answer | 200]> = [
    [{ client_id: 'api', client_secret: 'p%+ss: word' }, {}, 200],
    [{}, basic('api', 'p%+ss: word'), 200],
    [{ client_id: 'api', client_secret: 'p%+ss: word' }, basic('api', 'x'), 200],
    [{ client_id: 'api', client_secret: 'x' }, basic('api', 'p%+ss: word'), refusal(401, 'unauthorized_client', INVALID)],
    [{ client_id: 'worker' }, basic('api', 'p%+ss: word'), refusal(401, 'unauthorized_client', INVALID)],
    [{ client_id: 'api', client_secret: 'x' }, {}, refusal(401, 'unauthorized_client', INVALID)],
    [{ client_id: 'api' }, {}, refusal(401, 'unauthorized_client', INVALID)],
    [{}, basic('api', 'x'), refusal(401, 'unauthorized_client', INVALID)],
    [{ client_id: 'nope', client_secret: 'x' }, {}, refusal(401, 'invalid_client', INVALID)],
    [{}, basic('nope', 'x'), refusal(401, 'invalid_client', INVALID)],
    [{}, {}, refusal(401, 'invalid_client', INVALID)]
  ]
  for (const [form, headers, expected] of cases) {
    const answer = await post(endpointOf(realm), { ...CREDENTIALS, ...form }, headers)
    if (expected === 200) t.equal(answer.status, 200)
    else t.same(answer, expected)
  }
})

t.test('the realm\'s own client keeps its secret, if its rules give none', async (t) => {
  const { realm } = await realmWithServices(t, { clients: { api: { roles: ['view-profile'] } } })
  t.match(claimsOf(await ask(realm, CREDENTIALS)), { resource_access: { api: { roles: ['view-profile'] } } })
  await realm.services({ clients: { api: { secret: 'another' } } })
  t.same(await ask(realm, CREDENTIALS), refusal(401, 'unauthorized_client', INVALID))
  t.equal((await ask(realm, { ...CREDENTIALS, client_secret: 'another' })).status, 200)
})

t.test('a rotated secret is refused at once, at introspection too', async (t) => {
  const { realm, services } = await realmWithServices(t, RULES)
  services.rotateSecret('new-secret')
  services.rotateSecret('another', 'worker')
  t.same(await ask(realm, CREDENTIALS), refusal(401, 'unauthorized_client', INVALID))
  t.same(await introspect(realm, realm.token()), refusal(401, 'invalid_client', 'Client authentication failed.'))
  t.equal((await ask(realm, { ...CREDENTIALS, client_secret: 'new-secret' })).status, 200)
  t.match(await introspect(realm, realm.token(), { client_secret: 'new-secret' }), { status: 200, body: { active: true } })
  t.equal((await ask(realm, { ...CREDENTIALS, client_id: 'worker', client_secret: 'another' })).status, 200)
  t.same(await introspect(realm, realm.token(), { client_id: 'nope' }), refusal(401, 'invalid_client', INVALID))
  t.throws(() => services.rotateSecret('x', 'nope'), new TypeError('TestServices.rotateSecret(): the realm has no client "nope" with a secret.'))
})

t.test('requests that are none', async (t) => {
  const { realm } = await realmWithServices(t, { clients: { orders: { secret: 'orders-secret', serviceAccount: false } } })
  t.same(await ask(realm, {}), refusal(400, 'invalid_request', 'Missing form parameter: grant_type'))
  t.same(await ask(realm, { grant_type: 'nope' }), refusal(400, 'unsupported_grant_type', 'Unsupported grant_type'))
  t.same(await ask(realm, { ...CREDENTIALS, scope: 'nope' }), refusal(400, 'invalid_scope', 'Invalid scopes: nope'))
  t.same(await ask(realm, { ...CREDENTIALS, scope: ['email', 'openid'] }), refusal(400, 'invalid_request', 'duplicated parameter'))
  t.same(await ask(realm, { ...CREDENTIALS, client_id: 'orders', client_secret: 'orders-secret' }), refusal(401, 'unauthorized_client', 'Client not enabled to retrieve service account'))
  t.equal((await fetch(endpointOf(realm))).status, 405)
  const response = await fetch(endpointOf(realm), { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"grant_type":"client_credentials"}' })
  t.match(await response.json(), { error_description: 'Missing form parameter: grant_type' })
  t.equal(response.headers.get('cache-control'), 'no-store')
  t.equal((await fetch(endpointOf(realm), { method: 'POST' })).status, 400)
})

t.test('a realm without services has no token endpoint, and one with a login has both', async (t) => {
  const plain = await createTestRealm()
  t.teardown(() => plain.close())
  t.equal((await ask(plain, CREDENTIALS)).status, 404)
  const realm = await realmWithLogin(t)
  t.same(await ask(realm, CREDENTIALS), refusal(401, 'invalid_client', INVALID), 'the login knows its own client alone')
  await realm.services()
  t.equal((await ask(realm, CREDENTIALS)).status, 200)
  t.match(await ask(realm, { grant_type: 'refresh_token', client_id: 'web', client_secret: undefined, refresh_token: 'x' }), { status: 400, body: { error: 'invalid_grant' } })
  t.equal((await fetch(endpointOf(realm), { method: 'OPTIONS' })).status, 204)
  t.equal(realm.requests.token, 4)
})

t.test('an exchanged token is the user\'s, for the audience', async (t) => {
  const { realm } = await realmWithServices(t, RULES)
  const subject = realm.token({ username: 'bob', clientRoles: { billing: ['reader'] }, acr: 'gold', authTime: 5, claims: { nbf: 1 } })
  const answer = await exchange(realm, subject, { audience: 'orders', scope: 'orders:read' })
  const { sid } = decodeJwt(subject)
  const { access_token: token, ...rest } = answer.body
  t.same(rest, { expires_in: 300, refresh_expires_in: 0, token_type: 'Bearer', 'not-before-policy': 0, session_state: sid, scope: 'audit email orders:read profile', issued_token_type: ACCESS_TOKEN })
  const { exp, iat, jti, ...claims } = claimsOf(answer)
  t.match(jti, /^ntrtte:[0-9a-f-]{36}$/)
  t.equal(exp! - iat!, 300)
  const { exp: _exp, iat: _iat, jti: _jti, nbf, ...others } = decodeJwt(subject)
  t.same(claims, { ...others, azp: 'api', aud: 'orders', scope: 'audit email orders:read profile', resource_access: {} })
  t.match(await introspect(realm, token, { client_id: 'orders', client_secret: 'orders-secret' }), { body: { active: true, username: 'bob' } })
})

t.test('the audience filters, and a scope adds', async (t) => {
  const { realm } = await realmWithServices(t, RULES)
  const subject = realm.token({ clientRoles: { billing: ['reader'] }, roles: ['view'] })
  const audienceOf = async (form: Parameters) => claimsOf(await exchange(realm, subject, form))
  const roles = { account: { roles: ['manage-account', 'manage-account-links', 'view-profile'] }, billing: { roles: ['reader'] }, api: { roles: ['view'] } }
  t.match(await audienceOf({ audience: 'billing' }), { aud: 'billing', resource_access: { billing: { roles: ['reader'] }, account: undefined } })
  t.match(await audienceOf({ audience: ['orders', 'billing'], scope: 'orders:read' }), { aud: ['orders', 'billing'] })
  t.match(await audienceOf({ scope: 'orders:read' }), { aud: ['audit', 'archive', 'orders', 'account', 'billing'], resource_access: roles })
  t.match(await audienceOf({ audience: '' }), { aud: ['audit', 'archive', 'account', 'billing'] })
  const { realm: bare } = await realmWithServices(t)
  t.equal(claimsOf(await exchange(bare, bare.token({ clientRoles: { account: [] }, claims: { resource_access: undefined } }))).aud, undefined, 'for nobody')
})

t.test('exchanges that Keycloak refuses', async (t) => {
  const { realm } = await realmWithServices(t, { ...RULES, clients: { ...RULES.clients, off: { secret: 'off-secret', exchange: false } } })
  const token = realm.token()
  const gone = realm.token()
  realm.revoke(gone)
  const invalid = (description: string) => refusal(400, 'invalid_request', description)
  const bound = 'Sender-constrained token exchange rejected as the token was not issued for the requesting client'
  const cases: Array<[string, Parameters, Answer]> = [
    [token, { audience: 'orders' }, invalid('Requested audience not available: orders')],
    [token, { audience: ['orders', 'api', 'account'] }, invalid('Requested audience not available: orders, api')],
    [token, { audience: 'nope' }, refusal(400, 'invalid_client', 'Audience not found')],
    [token, { scope: 'nope' }, refusal(400, 'invalid_scope', 'Invalid scopes: nope')],
    [token, { scope: ['orders:read', 'plain'] }, invalid('duplicated parameter')],
    [token, { client_secret: 'x' }, refusal(401, 'unauthorized_client', INVALID)],
    [token, { client_id: 'off', client_secret: 'off-secret' }, invalid('Standard token exchange is not enabled for the requested client')],
    [token, { client_id: 'worker', client_secret: 'worker-secret' }, refusal(403, 'access_denied', 'Client is not within the token audience')],
    [realm.token({ kind: 'lightweight' }), {}, refusal(403, 'access_denied', 'Client is not within the token audience')],
    [token, { subject_token_type: undefined }, invalid("Parameter 'subject_token' supports access tokens only")],
    [token, { requested_token_type: 'urn:ietf:params:oauth:token-type:jwt' }, invalid('requested_token_type unsupported')],
    [token, { requested_subject: 'alice' }, invalid("Parameter 'requested_subject' is not supported for standard token exchange")],
    [token, { subject_token: undefined }, invalid('Invalid token')],
    [gone, {}, invalid('Invalid token')],
    [realm.token({ expired: true }), {}, invalid('Invalid token')],
    [realm.token({ forged: true }), {}, invalid('Invalid token')],
    [realm.token({ kind: 'id' }), {}, invalid('Invalid token')],
    ['garbage', {}, invalid('Invalid token')],
    [realm.token({ dpop: true }), {}, invalid(bound)],
    [realm.token({ dpop: true, authorizedParty: 'api' }), {}, invalid(bound)]
  ]
  for (const [subject, form, expected] of cases) t.same(await exchange(realm, subject, form), expected)
})

t.test('a proof binds the new token to its key; a bound token is exchanged by the client that it was issued to', async (t) => {
  const { realm } = await realmWithServices(t, RULES)
  const [client, other] = [realm.dpop(), realm.dpop()]
  const proof = async (by = client, method = 'POST') => ({ dpop: await by.proof({ method, url: endpointOf(realm) }) })
  const cnf = { jkt: client.jkt, 'kc-jkt-type': 'DPoP' }
  const plain = await exchange(realm, realm.token(), { scope: 'orders:read', audience: 'orders' }, await proof())
  t.match([plain.body.token_type, claimsOf(plain)], ['DPoP', { typ: 'DPoP', cnf, aud: 'orders' }])
  const service = await ask(realm, CREDENTIALS, await proof())
  t.match([service.body.token_type, claimsOf(service)], ['DPoP', { typ: 'DPoP', cnf }])
  const bound = realm.token({ dpop: client, authorizedParty: 'api' })
  t.match(claimsOf(await exchange(realm, bound, {}, await proof())), { cnf })
  t.match(await exchange(realm, bound, {}, await proof(other)), { status: 400, body: { error: 'invalid_request' } })
  t.match(await ask(realm, CREDENTIALS, await proof(client, 'GET')), { status: 400, body: { error: 'invalid_dpop_proof' } })
})

t.test('a service account\'s token is exchanged too, and has no session', async (t) => {
  const { realm } = await realmWithServices(t, RULES)
  const { body } = await ask(realm, { ...CREDENTIALS, client_id: 'worker', client_secret: 'worker-secret' })
  const answer = await exchange(realm, String(body.access_token), { scope: 'orders:read', audience: 'orders' })
  t.equal(answer.body.session_state, undefined)
  t.match(claimsOf(answer), { jti: /^trrtte:/, preferred_username: 'service-account-worker', azp: 'api' })
})

t.test('rules of a test refuse calls and change tokens, and the log tells the calls', async (t) => {
  const { realm, services } = await realmWithServices(t, {
    ...RULES,
    claims: ({ grant }) => grant === 'token-exchange' ? { exchanged: true, acr: undefined } : { plan: 'gold' },
    refuse: ({ subject, audience, client }) => {
      if (client === 'orders') throw new Error('a mistake')
      if (audience.includes('audit')) return { error: 'access_denied', description: 'Client not allowed to exchange', status: 403 }
      return subject === 'mallory' ? { error: 'invalid_request' } : undefined
    }
  })
  const { sub } = decodeJwt(realm.token())
  t.match(claimsOf(await ask(realm, CREDENTIALS)), { plan: 'gold' })
  const { acr, ...claims } = claimsOf(await exchange(realm, realm.token(), { audience: 'orders', scope: 'orders:read' }))
  t.match([acr, claims], [undefined, { exchanged: true }])
  t.same(await exchange(realm, realm.token(), { audience: 'audit' }), refusal(403, 'access_denied', 'Client not allowed to exchange'))
  t.same(await exchange(realm, realm.token({ sub: 'mallory' })), refusal(400, 'invalid_request'))
  t.same(await ask(realm, { ...CREDENTIALS, client_id: 'orders', client_secret: 'orders-secret' }), refusal(500, 'unknown_error', 'A function in the rules of TestRealm.services() threw: a mistake'))
  await ask(realm, { ...CREDENTIALS, client_secret: 'wrong' })
  await post(endpointOf(realm), CREDENTIALS)
  await post(endpointOf(realm), { ...CREDENTIALS, scope: 'plain' }, basic('api', 'test-secret'))
  const call = { client: 'api', authentication: 'client_secret_post', subject: undefined, audience: [], scope: undefined, permissions: [], status: 200, error: undefined }
  const service = { ...call, grant: 'client_credentials' }
  const exchanged = { ...call, grant: 'token-exchange', subject: sub }
  t.same(services.calls, [
    service,
    { ...exchanged, audience: ['orders'], scope: 'orders:read' },
    { ...exchanged, audience: ['audit'], status: 403, error: 'access_denied' },
    { ...exchanged, subject: 'mallory', status: 400, error: 'invalid_request' },
    { ...service, client: 'orders', status: 500, error: 'unknown_error' },
    { ...service, client: undefined, status: 401, error: 'unauthorized_client' },
    { ...service, client: undefined, authentication: 'none', status: 401, error: 'invalid_client' },
    { ...service, authentication: 'client_secret_basic', scope: 'plain' }
  ])
  t.notMatch(JSON.stringify(services.calls), /secret"|eyJ/, 'neither secrets nor tokens')
})

t.test('the log keeps the last 1000 calls', async (t) => {
  const { realm, services } = await realmWithServices(t)
  for (let calls = 0; calls < 20; calls++) {
    await Promise.all(Array.from({ length: 51 }, () => ask(realm, { ...CREDENTIALS, client_secret: 'x' })))
  }
  t.equal(realm.requests.token, 1020)
  t.equal(services.calls.length, 1000)
})

t.test('new rules replace the old ones and their log', async (t) => {
  const { realm } = await realmWithServices(t, RULES)
  await ask(realm, CREDENTIALS)
  const services = await realm.services()
  t.same(services.calls, [])
  t.match(await exchange(realm, realm.token(), { audience: 'orders' }), { body: { error_description: 'Audience not found' } })
  t.equal(services.calls.length, 1)
})

async function thrown (t: Test, realm: TestRealm, rules: unknown, message: string): Promise<void> {
  await t.rejects(realm.services(rules as ServiceRules), new TypeError(`TestRealm.services(): ${message}.`))
}

t.test('rules that mean nothing are refused by one sentence', async (t) => {
  const realm = await createTestRealm()
  t.teardown(() => realm.close())
  await thrown(t, realm, null, 'the argument must be an object, not null')
  await thrown(t, realm, { client: {} }, 'client is unknown; write "clients"')
  await thrown(t, realm, { exchange: {} }, 'exchange is unknown; write one of clients, scopes, resources, claims, refuse')
  await thrown(t, realm, { clients: [] }, 'clients must be an object, not an empty array')
  await thrown(t, realm, { clients: { worker: 'worker-secret' } }, 'clients.worker must be an object, not a string')
  await thrown(t, realm, { clients: { worker: { secret: '' } } }, 'clients.worker.secret must be a string, not an empty string')
  await thrown(t, realm, { clients: { worker: { secret: 'x', clientRoles: { billing: 'reader' } } } }, "clients.worker.clientRoles must be an object such as { billing: ['reader'] }, not an object")
  await thrown(t, realm, { clients: { worker: {} } }, 'clients.worker must have either secret or keys')
  await thrown(t, realm, { scopes: { orders: { audience: 5 } } }, 'scopes.orders.audience must be a client id, or an array of them, not a number')
  await thrown(t, realm, { resources: {} }, 'resources must be an array of resources, not an object')
  await thrown(t, realm, { resources: [{ name: 'invoice' }] }, 'resources[0].allow is missing')
  await thrown(t, realm, { resources: [{ name: 'invoice', allow: true }] }, 'resources[0].allow must be a function, not true')
  t.equal((await ask(realm, { grant_type: EXCHANGE })).status, 404, 'and change nothing')
})
