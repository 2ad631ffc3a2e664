// Tokens for calls to other services, as a real Keycloak gives and refuses them.
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { type ExchangeOptions, KeycloakError, type KeycloakOptions } from '../../index.js'
import { api, ask, get } from './helpers.js'
import { apiClient, loginClient, mapper, ownRealm, type OwnRealm, person } from './own-realm.js'
import { claimsOf } from '../support/token-endpoint.js'
import { endpointsOf } from './setup.js'

const REALM = 'services'
const SECRET = 'services-secret'
const EXCHANGES = { 'standard.token.exchange.enabled': 'true' }

/** An audience mapper. */
function audienceOf (client: string): object {
  return mapper(`aud-${client}`, 'oidc-audience-mapper', { 'included.client.audience': client })
}

async function realmOf (t: Parameters<typeof ownRealm>[0]): Promise<OwnRealm> {
  const realm = await ownRealm(t, {
    realm: REALM,
    users: ['alice', 'bob'].map((name) => person(name)),
    clients: [
      apiClient('api', SECRET, { attributes: EXCHANGES, protocolMappers: [audienceOf('orders')] }),
      apiClient('orders', 'orders-secret'),
      apiClient('billing', 'billing-secret'),
      apiClient('quiet', SECRET, { serviceAccountsEnabled: false }),
      apiClient('bound', SECRET, { attributes: { 'dpop.bound.access.tokens': 'true' } }),
      loginClient('cli'),
      loginClient('quiet-cli', { protocolMappers: [audienceOf('quiet')] }),
      { ...loginClient('alone'), protocolMappers: [] }
    ]
  })
  const scope = { name: 'billing:read', protocol: 'openid-connect', attributes: { 'include.in.token.scope': 'true' }, protocolMappers: [audienceOf('billing')] }
  await realm.admin('POST', '/client-scopes', scope)
  const [[{ id: client }], scopes] = await Promise.all([realm.admin('GET', '/clients?clientId=api'), realm.admin('GET', '/client-scopes')])
  const { id } = scopes.find(({ name }: { name: string }) => name === scope.name)
  await realm.admin('PUT', `/clients/${client}/optional-client-scopes/${id}`)
  return realm
}

const realm = await realmOf(t)
const SETTINGS: KeycloakOptions = { issuer: realm.issuer, clientId: 'api', clientSecret: SECRET, startCheck: false, acceptRisks: ['audience_unchecked'] }

async function exchangingApi (t: Parameters<typeof ownRealm>[0], settings: Partial<KeycloakOptions> = {}): Promise<FastifyInstance> {
  const app = await api(t, { ...SETTINGS, ...settings })
  app.get<{ Querystring: ExchangeOptions }>('/exchanged', { config: { authenticated: true } }, async (request) => {
    try {
      return { token: await app.keycloak.exchange(request, request.query) }
    } catch (error) {
      if (!(error instanceof KeycloakError)) throw error
      return { refused: `${error.statusCode} ${error.code} ${error.reasonCode}` }
    }
  })
  return app
}

async function exchanged (app: FastifyInstance, token: string, audience: string, scope?: string): Promise<{ token?: string, refused?: string }> {
  return (await get(app, `/exchanged?${new URLSearchParams({ audience, ...scope !== undefined && { scope } })}`, token)).json()
}

async function refusalOf (call: Promise<unknown>): Promise<string> {
  return call.then(() => 'given', (error: KeycloakError) => `${error.statusCode} ${error.code} ${error.reasonCode}`)
}

t.test('the service account of the API gets a token, which is kept', async (t) => {
  const app = await api(t, SETTINGS)
  const token = await app.keycloak.serviceToken()
  t.match(claimsOf(token), { iss: realm.issuer, azp: 'api', typ: 'Bearer', preferred_username: 'service-account-api' })
  t.equal(await app.keycloak.serviceToken(), token)
  const scoped = await app.keycloak.serviceToken({ scope: 'billing:read' })
  t.match(claimsOf(scoped), { scope: /billing:read/, aud: /billing/ })
  const orders = await api(t, { ...SETTINGS, clientId: 'orders', clientSecret: 'orders-secret', audience: 'orders' })
  t.equal((await get(orders, '/me', token)).statusCode, 200, 'the other service takes it')
})

t.test('an exchanged token is the user\'s, for the other service alone', async (t) => {
  const app = await exchangingApi(t)
  const alice = await realm.token('alice')
  const { token } = await exchanged(app, alice, 'orders')
  t.match(claimsOf(token!), { sub: claimsOf(alice).sub, sid: claimsOf(alice).sid, azp: 'api', aud: 'orders' })
  t.same(await exchanged(app, alice, 'orders'), { token })
  t.match(claimsOf((await exchanged(app, alice, 'billing', 'billing:read')).token!), { aud: 'billing', scope: /billing:read/ })
  const orders = await api(t, { ...SETTINGS, clientId: 'orders', clientSecret: 'orders-secret', audience: 'orders' })
  t.match((await get(orders, '/me', token)).json(), { user: { username: 'alice' } })
  const strict = await api(t, { ...SETTINGS, audience: 'api' })
  t.equal((await get(strict, '/me', token)).statusCode, 401, 'this API does not')
})

t.test('Keycloak refuses an exchange', async (t) => {
  const app = await exchangingApi(t)
  const alice = await realm.token('alice')
  t.same(await exchanged(app, alice, 'billing'), { refused: '502 exchange_refused exchange_audience_unavailable' })
  t.same(await exchanged(app, alice, 'nobody'), { refused: '502 exchange_refused exchange_audience_unknown' })
  t.same(await exchanged(app, alice, 'orders', 'no-such-scope'), { refused: '502 exchange_refused service_scope_unknown' })
  t.same(await exchanged(app, await realm.token('alice', 'alone'), 'orders'), { refused: '403 permission_denied exchange_not_in_audience' })
  const quiet = await exchangingApi(t, { clientId: 'quiet' })
  t.same(await exchanged(quiet, await realm.token('alice', 'quiet-cli'), 'orders'), { refused: '502 exchange_refused exchange_off' })
  const wrong = await exchangingApi(t, { clientSecret: 'wrong' })
  t.match(await exchanged(wrong, alice, 'orders'), { refused: /^503 keycloak_unavailable (credentials_refused|secret_wrong)$/ })
})

t.test('Keycloak refuses a token of the API itself', async (t) => {
  const refusals = async (settings: Partial<KeycloakOptions>, scope?: string): Promise<string> => {
    const app = await api(t, { ...SETTINGS, ...settings })
    return refusalOf(app.keycloak.serviceToken({ ...scope !== undefined && { scope } }))
  }
  t.equal(await refusals({ clientId: 'quiet' }), '502 exchange_refused service_account_off')
  t.equal(await refusals({}, 'no-such-scope'), '502 exchange_refused service_scope_unknown')
  t.equal(await refusals({ clientId: 'bound' }), '502 exchange_refused service_token_bound')
  t.match(await refusals({ clientSecret: 'wrong' }), /^503 keycloak_unavailable (credentials_refused|secret_wrong)$/)
  t.match(await refusals({ clientId: 'nobody' }), /^503 keycloak_unavailable/)
  t.equal(await refusals({ clientId: 'cli' }), '502 exchange_refused service_account_off')
})

t.test('a logout at Keycloak ends the exchange', async (t) => {
  const app = await exchangingApi(t)
  const bob = await ask('token', { grant_type: 'password', client_id: 'cli', username: 'bob', password: 'bob-pw', scope: 'openid' }, {}, endpointsOf(REALM))
  t.ok((await exchanged(app, bob.access_token, 'orders')).token)
  await realm.admin('DELETE', `/sessions/${claimsOf(bob.access_token).sid}`)
  t.same(await exchanged(app, bob.access_token, 'billing', 'billing:read'), { refused: '401 token_not_valid exchange_token_refused' })
})

t.test('a secret that was changed at Keycloak is read anew', async (t) => {
  let secret = SECRET
  const app = await exchangingApi(t, { clientSecret: () => secret })
  await app.keycloak.serviceToken()
  const [client] = await realm.admin('GET', '/clients?clientId=api')
  secret = 'another-secret'
  await realm.admin('PUT', `/clients/${client.id}`, { ...client, secret })
  t.teardown(() => realm.admin('PUT', `/clients/${client.id}`, { ...client, secret: SECRET }))
  // The function is called once a second at the most.
  await new Promise((resolve) => { setTimeout(resolve, 1100) })
  t.ok(claimsOf(await app.keycloak.serviceToken({ scope: 'billing:read' })))
  t.ok((await exchanged(app, await realm.token('alice'), 'orders')).token)
})
