// The plugin itself on the services of the realm: rules { uma } by name and by id, tokens of the API, and exchanged ones.
import t, { type Test } from 'tap'
import { decodeJwt } from 'jose'
import type { FastifyInstance } from 'fastify'
import type { ExchangeOptions, KeycloakOptions } from '../../index.js'
import type { ServiceRules, TestRealm, TestServices, TokenSpec, UmaResource } from '../../lib/testing/index.js'
import { apiFor, type Log, logging, refusalsIn } from '../support/app.js'
import { monotonicFor } from '../support/clocks.js'
import { realmWithServices } from '../support/services.js'

interface Api { realm: TestRealm, services: TestServices, app: FastifyInstance, log: Log }

const ID = '11111111-0000-4000-8000-000000000000'
const OF_DAVE = '22222222-0000-4000-8000-000000000000'

/** Alice may read, carol also write; dave lets bob write his own resource, which has the name of the API's. */
const RESOURCES: UmaResource[] = [
  { name: 'invoice:7', id: ID, scopes: ['read', 'write'], allow: ({ preferred_username: name }, scope) => name === 'carol' || (name === 'alice' && scope === 'read') },
  { name: 'invoice:7', id: OF_DAVE, owner: 'dave', scopes: ['read', 'write'], allow: ({ preferred_username: name }) => name === 'bob' },
  { name: 'Invoice:7', scopes: ['write'], allow: () => true },
  { name: 'dashboard', id: '33333333-0000-4000-8000-000000000000', allow: ({ preferred_username: name }) => name === 'alice' }
]
const RULES: ServiceRules = {
  clients: { shop: { secret: 'shop-secret' }, orders: { secret: 'orders-secret' } },
  scopes: { 'orders:read': { audience: 'orders' }, 'billing:read': { audience: 'billing' } },
  resources: RESOURCES
}

async function api (t: Test, rules: ServiceRules = RULES, options: Partial<KeycloakOptions> = {}): Promise<Api> {
  const { realm, services } = await realmWithServices(t, rules)
  const log = logging()
  const app = await apiFor(t, realm, { uma: true, ...options }, log)
  app.get('/invoices/:id/read', { config: { permission: { uma: 'invoice:{id}#read' } } }, async () => 'allowed')
  app.get('/invoices/:id/write', { config: { permission: { uma: 'invoice:{id}#write' } } }, async () => 'allowed')
  app.get('/invoices/:id/both', { config: { permission: { uma: 'invoice:{id}#read,write' } } }, async () => 'allowed')
  app.get('/invoices/:id/nope', { config: { permission: { uma: 'invoice:{id}#nope' } } }, async () => 'allowed')
  app.get('/id', { config: { permission: { uma: `${ID}#read` } } }, async () => 'allowed')
  app.get('/of-dave', { config: { permission: { uma: `${OF_DAVE}#write` } } }, async () => 'allowed')
  app.get('/dashboard', { config: { permission: { uma: 'dashboard#' } } }, async () => 'allowed')
  app.get<{ Querystring: { of?: string[] } }>('/permissions', { config: { authenticated: true } }, async (request) => request.umaPermissions(request.query.of))
  app.get<{ Querystring: ExchangeOptions }>('/exchange', { config: { public: true } }, async (request) => app.keycloak.exchange(request, request.query))
  return { realm, services, app, log }
}

/** The status, and the reason of a refusal. */
async function answer ({ realm, app, log }: Api, url: string, as: TokenSpec | string = {}): Promise<string> {
  const { statusCode } = await realm.inject(app, { as, url })
  return statusCode === 200 ? '200' : `${statusCode} ${String(refusalsIn(log).at(-1)?.reasonCode)}`
}

t.test('rules by name and by id', async (t) => {
  const on = await api(t)
  const cases: Array<[url: string, alice: string, bob: string, carol: string]> = [
    ['/invoices/7/read', '200', '403 uma_denied', '200'],
    ['/invoices/7/write', '403 uma_denied', '403 uma_denied', '200'],
    ['/invoices/7/both', '403 uma_denied', '403 uma_denied', '200'],
    ['/invoices/7/nope', '403 uma_scope_unknown', '403 uma_scope_unknown', '403 uma_scope_unknown'],
    ['/invoices/8/read', '403 uma_resource_unknown', '403 uma_resource_unknown', '403 uma_resource_unknown'],
    ['/id', '200', '403 uma_denied', '200'],
    ['/of-dave', '403 uma_denied', '200', '403 uma_denied'],
    ['/dashboard', '200', '403 uma_denied', '403 uma_denied']
  ]
  for (const [url, ...expected] of cases) {
    const answers: string[] = []
    for (const username of ['alice', 'bob', 'carol']) answers.push(await answer(on, url, { username }))
    t.same(answers, expected, url)
  }
  t.match(on.realm.lastRequest('protection')?.url, /\?name=dashboard&exactName=true&owner=api&deep=true&max=32$/)
  t.equal(on.services.calls.filter(({ grant }) => grant === 'client_credentials').length, 1, 'one token for all names')
  t.same(on.services.calls.find(({ grant }) => grant === 'uma-ticket')?.permissions, [`${ID}#read`], 'a name is asked for by its id')
})

t.test('the permissions of a caller', async (t) => {
  const { realm, app } = await api(t)
  const list = async (username: string, query = ''): Promise<unknown> => (await realm.inject(app, { as: { username }, url: `/permissions${query}` })).json()
  t.same(await list('alice', '?of=invoice:7%23read,write&of=dashboard%23&of=nope%23read'), [{ id: ID, name: 'invoice:7', scopes: ['read'] }, { id: '33333333-0000-4000-8000-000000000000', name: 'dashboard', scopes: [] }])
  t.same(await list('bob', '?of=invoice:7%23write&of=dashboard%23'), [], 'not of the resource of a user')
  t.match(await list('bob'), [{ id: OF_DAVE, scopes: ['read', 'write'] }, { name: 'Invoice:7' }], 'all of them')
})

t.test('an outage of the look-up is no outage of rules by id, and ends', async (t) => {
  const on = await api(t)
  on.realm.error(503, 'protection')
  t.match(await answer(on, '/invoices/7/read'), /^503 /)
  t.equal(await answer(on, '/id'), '200')
  t.equal(on.app.keycloak.health().uma?.ok, false)
  on.realm.respond('protection', null)
  t.equal(await answer(on, '/invoices/7/read'), '200')
  t.equal(on.app.keycloak.health().uma?.ok, true)
})

t.test('a token of the service account that is refused is replaced', async (t) => {
  const clock = monotonicFor(t)
  const on = await api(t)
  t.equal(await answer(on, '/invoices/7/read'), '200')
  on.realm.revoke(String(on.realm.lastRequest('protection')?.headers.authorization).slice('Bearer '.length))
  clock.pass(61)
  t.equal(await answer(on, '/invoices/7/read'), '200', 'the name is looked up again, by another token')
  t.same([on.realm.requests.protection, on.services.calls.filter(({ grant }) => grant === 'client_credentials').length], [3, 2])
})

t.test('an API without resources, or without a service account', async (t) => {
  const bare = await api(t, {})
  t.equal(await answer(bare, '/invoices/7/read'), '503 uma_protection_refused')
  t.equal(await answer(bare, '/id'), '503 uma_resource_server')
  const off = await api(t, { ...RULES, clients: { api: { serviceAccount: false } } })
  t.match(await answer(off, '/invoices/7/read'), /^503 /)
  t.equal(await answer(off, '/id'), '200')
})

t.test('tokens of the API itself', async (t) => {
  const { realm, services, app } = await api(t)
  const token = await app.keycloak.serviceToken({ scope: 'orders:read' })
  t.match(decodeJwt(token), { azp: 'api', aud: ['orders', 'account'], scope: 'email orders:read profile', preferred_username: 'service-account-api' })
  t.equal(await app.keycloak.serviceToken({ scope: 'orders:read' }), token, 'kept')
  await t.rejects(app.keycloak.serviceToken({ scope: 'nope' }), { code: 'exchange_refused', reasonCode: 'service_scope_unknown' })
  t.same(services.calls.map(({ grant, scope, status }) => [grant, scope, status]), [['client_credentials', 'orders:read', 200], ['client_credentials', 'nope', 400]])
  realm.error(503, 'token')
  await t.rejects(app.keycloak.serviceToken(), { code: 'keycloak_unavailable' })
  await realm.up()
  services.rotateSecret('another')
  await t.rejects(app.keycloak.serviceToken({ scope: 'billing:read' }), { code: 'keycloak_unavailable', reasonCode: 'credentials_refused' })
  await realm.services({ clients: { api: { serviceAccount: false } } })
  await t.rejects(app.keycloak.serviceToken({ scope: 'email' }), { code: 'exchange_refused', reasonCode: 'service_account_off' })
})

t.test('the token of the caller is exchanged', async (t) => {
  const { realm, services, app } = await api(t)
  const response = await realm.inject(app, { as: { username: 'bob' }, url: '/exchange?audience=orders&scope=orders:read' })
  t.equal(response.statusCode, 200)
  t.match(decodeJwt(response.body), { azp: 'api', aud: 'orders', preferred_username: 'bob', sub: decodeJwt(realm.token({ username: 'bob' })).sub! })
  t.match(services.calls, [{ grant: 'token-exchange', client: 'api', audience: ['orders'], scope: 'orders:read', status: 200 }])
})

t.test('each refusal of an exchange', async (t) => {
  const on = await api(t, RULES, { dpop: true, leeway: 200 })
  const refused = async (query: string, as: TokenSpec | string = {}): Promise<string> => {
    const { statusCode, body, ...response } = await on.realm.inject(on.app, { as, url: `/exchange?${query}` })
    return statusCode === 200 ? body : `${statusCode} ${response.json().code} ${String(refusalsIn(on.log).at(-1)?.reasonCode)}`
  }
  t.equal(await refused('audience=orders'), '502 exchange_refused exchange_audience_unavailable', 'without the scope that adds it')
  t.equal(await refused('audience=shop'), '502 exchange_refused exchange_audience_unavailable', 'a client that no scope adds')
  t.equal(await refused('audience=nobody'), '502 exchange_refused exchange_audience_unknown')
  t.equal(await refused('audience=orders&scope=nope'), '502 exchange_refused service_scope_unknown')
  t.equal(await refused('audience=orders&scope=orders:read', { dpop: on.realm.dpop() }), '502 exchange_refused exchange_bound')
  const ended = on.realm.token({ username: 'carol' })
  on.realm.revoke(ended)
  t.equal(await refused('audience=orders&scope=orders:read', ended), '401 token_not_valid exchange_token_refused', 'the session has ended')
  t.equal(await refused('audience=orders&scope=orders:read', { age: 400 }), '401 token_not_valid exchange_token_refused', 'it has ended, and the API has leeway')
  t.match(await refused('audience=orders&scope=orders:read', { expired: true }), /^401 token_expired /)
  on.realm.error(503, 'token')
  t.match(await refused('audience=orders&scope=orders:read', { username: 'dave' }), /^503 keycloak_unavailable /)
  await on.realm.up()
  await on.realm.services({ ...RULES, clients: { api: { exchange: false } } })
  t.equal(await refused('audience=orders&scope=orders:read', { username: 'erin' }), '502 exchange_refused exchange_off')
  await on.realm.services({ ...RULES, refuse: () => ({ status: 403, error: 'access_denied', description: 'by policy' }) })
  t.equal(await refused('audience=orders&scope=orders:read', { username: 'erin' }), '403 permission_denied exchange_denied')
  await on.realm.services({ ...RULES, claims: () => ({ aud: 'somebody' }) })
  t.equal(await refused('audience=orders&scope=orders:read', { username: 'erin' }), '502 exchange_refused exchange_audience_missing')
})

t.test('a caller whose token is not for the API has none exchanged', async (t) => {
  const { realm, app, log } = await api(t, RULES, { audience: ['api', 'elsewhere'] })
  const { statusCode } = await realm.inject(app, { as: { claims: { aud: 'elsewhere' } }, url: '/exchange?audience=orders&scope=orders:read' })
  t.same([statusCode, refusalsIn(log).at(-1)?.reasonCode], [403, 'exchange_not_in_audience'])
})

t.test('Keycloak decides about no token that is bound to a key', async (t) => {
  const on = await api(t, RULES, { dpop: true })
  t.equal(await answer(on, '/invoices/7/read', { dpop: on.realm.dpop() }), '403 uma_dpop_bound')
  t.same(on.services.calls, [])
})
