// Keycloak's Protection API on the realm, by which an API looks up its resources. The answers were observed at Keycloak 26.7.3.
import { decodeJwt } from 'jose'
import t from 'tap'
import { createTestRealm, type ServiceRules, type TestRealm, type UmaResource } from '../../lib/testing/index.js'
import { ask, introspect, realmWithServices, refusal, type Answer } from '../support/services.js'

const allow = (): boolean => true
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const RESOURCES: UmaResource[] = [
  { name: 'invoice:7', id: 'id-of-7', scopes: ['read', 'write'], allow },
  { name: 'invoice', id: 'id-of-invoice', owner: 'api', scopes: ['read'], allow },
  { name: 'Invoice', id: 'id-of-capital', scopes: ['read'], allow },
  { name: 'invoice', id: 'id-of-dave', owner: 'dave', scopes: ['read'], allow },
  { name: 'dashboard', allow }
]
const RULES: ServiceRules = { clients: { worker: { secret: 'worker-secret', clientRoles: { api: ['reader'] } } }, resources: RESOURCES }
const FIND = 'name=invoice&exactName=true&owner=api&deep=true&max=32'

async function tokenOf (realm: TestRealm, client: Record<string, string> = {}): Promise<string> {
  return String((await ask(realm, { grant_type: 'client_credentials', ...client })).body.access_token)
}

async function find (realm: TestRealm, authorization: string | undefined, query = FIND, method = 'GET'): Promise<Answer & { body: unknown }> {
  const response = await fetch(`${realm.issuer}/authz/protection/resource_set?${query}`, { method, headers: authorization === undefined ? {} : { authorization } })
  return { status: response.status, body: await response.json() as Answer['body'] }
}

t.test('a resource is described as Keycloak does', async (t) => {
  const { realm } = await realmWithServices(t, RULES)
  const bearer = `Bearer ${await tokenOf(realm)}`
  const { status, body } = await find(realm, bearer, 'name=INVOICE:7&exactName=true&owner=api&deep=true&max=32')
  t.equal(status, 200)
  const [{ owner, scopes, ...rest }] = body as unknown as [{ owner: { id: string, name: string }, scopes: Array<{ id: string, name: string }> }]
  t.same(rest, { name: 'invoice:7', ownerManagedAccess: false, attributes: {}, _id: 'id-of-7', uris: [] })
  t.match(owner, { id: UUID, name: 'api' })
  t.match(scopes, [{ id: UUID, name: 'read' }, { id: UUID, name: 'write' }])
  t.match((await find(realm, bearer, `name=dashboard&owner=${owner.id}&deep=true`)).body, [{ name: 'dashboard', scopes: undefined, _id: UUID }], 'an owner by id')
  t.match((await find(realm, bearer, 'name=invoice&owner=dave&deep=true')).body, [{ owner: { id: decodeJwt(realm.token({ username: 'dave' })).sub!, name: 'dave' }, ownerManagedAccess: true }])
})

t.test('resources are found by name, owner and number', async (t) => {
  const { realm } = await realmWithServices(t, RULES)
  const bearer = `bearer ${await tokenOf(realm)}`
  for (const [query, expected] of [
    ['name=invoice&exactName=true&owner=api', ['id-of-invoice', 'id-of-capital']],
    ['name=invoice&exactName=true&owner=api&deep=false', ['id-of-invoice', 'id-of-capital']],
    ['name=invoice&exactName=true', ['id-of-invoice', 'id-of-dave', 'id-of-capital']],
    ['name=invoice&exactName=true&owner=nobody', []],
    ['name=invoi&exactName=true', []],
    ['name=voice:&exactName=false', ['id-of-7']],
    ['name=voice:', ['id-of-7']],
    ['name=nope', []],
    ['name=%25', []],
    ['name=&exactName=true&owner=dave', ['id-of-dave']],
    ['owner=dave', ['id-of-dave']],
    ['name=invoice&max=0', []]
  ] as const) t.same((await find(realm, bearer, query)).body, expected, query)
  const ids = (await find(realm, bearer, '')).body as unknown as string[]
  t.equal(ids.length, RESOURCES.length)
  t.match(ids[0], UUID, 'in the order of the names')
  t.same((await find(realm, bearer, 'max=2')).body, ids.slice(0, 2))
  t.same((await find(realm, bearer, 'max=-1')).body, ids)
  const missing = { status: 404, body: { error: 'HTTP 404 Not Found' } }
  t.same(await find(realm, bearer, 'max=x'), missing)
  for (const method of ['PUT', 'DELETE']) t.same(await find(realm, bearer, FIND, method), missing)
})

t.test('only the service account of the API may look', async (t) => {
  const { realm } = await realmWithServices(t, RULES)
  const token = await tokenOf(realm)
  const none = refusal(403, 'invalid_bearer_token', 'Could not obtain bearer access_token from request.')
  const foreign = (client: string): Answer => refusal(403, 'invalid_clientId', `Client application [${client}] is not registered as a resource server.`)
  const roleless = refusal(403, 'invalid_scope', 'Requires uma_protection scope.')
  const credentials = Buffer.from('api:test-secret').toString('base64')
  const revoked = await tokenOf(realm)
  realm.revoke(revoked)
  const cases: Array<[string | undefined, Answer]> = [
    [undefined, none],
    ['Bearer garbage', none],
    [`DPoP ${token}`, none],
    [`Bearer ${revoked}`, none],
    [`Bearer ${realm.token({ authorizedParty: 'api', expired: true })}`, none],
    [`Bearer ${realm.token({ authorizedParty: 'api', forged: true })}`, none],
    [`Bearer ${realm.token({ authorizedParty: 'api', kind: 'id' })}`, none],
    [`Bearer ${realm.token({ authorizedParty: 'api', roles: ['uma_protection'], dpop: true })}`, none],
    ...[`Basic ${credentials}`, `Bearer ${token} x`, 'Bearer', token].map((header): [string, Answer] => [header, refusal(401, 'HTTP 401 Unauthorized')]),
    [`Bearer ${await tokenOf(realm, { client_id: 'worker', client_secret: 'worker-secret' })}`, foreign('worker')],
    [`Bearer ${realm.token()}`, foreign('web')],
    [`Bearer ${realm.token({ authorizedParty: 'api' })}`, roleless],
    [`Bearer ${realm.token({ authorizedParty: 'api', roles: ['admin'] })}`, roleless],
    [`Bearer ${realm.token({ authorizedParty: 'api', claims: { resource_access: undefined } })}`, roleless]
  ]
  for (const [authorization, expected] of cases) t.same(await find(realm, authorization), expected, String(authorization).slice(0, 10))
  const allowed = [token, realm.token({ authorizedParty: 'api', roles: ['uma_protection'] }), realm.token({ authorizedParty: 'api', username: 'service-account-api' })]
  for (const each of allowed) t.equal((await find(realm, `Bearer ${each}`)).status, 200)
  await realm.services({ clients: { api: { roles: ['reader'] } } })
  t.same(await find(realm, `Bearer ${token}`), foreign('api'), 'a client without resources')
})

t.test('the service account of an API with resources has the role for it', async (t) => {
  const { realm } = await realmWithServices(t, { ...RULES, clients: { api: { roles: ['reader'] } } })
  const { aud, resource_access: access } = decodeJwt(await tokenOf(realm))
  t.match(access, { api: { roles: ['uma_protection', 'reader'] } })
  t.equal(aud, 'account')
})

t.test('the endpoint is counted and fails like the others', async (t) => {
  const { realm, services } = await realmWithServices(t, RULES)
  const bearer = `Bearer ${await tokenOf(realm)}`
  t.equal((await find(realm, bearer)).status, 200)
  t.match(realm.lastRequest('protection'), { method: 'GET', url: new RegExp(`/realms/test/authz/protection/resource_set\\?${FIND}$`), headers: { authorization: bearer } })
  realm.error(503, 'protection')
  t.same(await find(realm, bearer), refusal(503, 'unknown_error'))
  t.equal((await introspect(realm, realm.token())).status, 200)
  realm.respond('protection', (_request, response) => response.end('[]'))
  t.same(await find(realm, bearer), { status: 200, body: [] })
  realm.hang('protection')
  const waiting = t.rejects(find(realm, bearer))
  while (realm.requests.protection < 4) await new Promise((resolve) => setImmediate(resolve))
  await realm.up()
  await waiting
  t.equal((await find(realm, bearer)).status, 200)
  t.match(realm.requests, { protection: 5, token: 1, other: 0 })
  t.same(services.calls.map(({ grant }) => grant), ['client_credentials'])
})

t.test('a realm without services has no such endpoint', async (t) => {
  const realm = await createTestRealm()
  t.teardown(() => realm.close())
  t.same(await find(realm, undefined), { status: 404, body: { error: 'HTTP 404 Not Found' } })
})
