// Rules that Keycloak's Authorization Services decide: each answer of a real server, names and ids, lists, and the client that asks.
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import keycloak, { type KeycloakOptions, type PermissionRule } from '../../index.js'
import { refusalsIn, logging, type Log, until } from '../support/app.js'
import { dpopClient } from './dpop-client.js'
import { call, decode, get, json } from './helpers.js'
import { share, umaRealm } from './uma-realm.js'

const realm = await umaRealm(t)
const API = { issuer: realm.issuer, clientId: 'api', clientSecret: 'api-secret', audience: 'api', startCheck: false } as const

const [alice, bob, carol, dave] = await Promise.all(['alice', 'bob', 'carol', 'dave'].map((user) => realm.token(user)))

/** The resources of Keycloak, by owner and name. */
const [{ id: api }] = await realm.admin('GET', '/clients?clientId=api')
const resources: Array<{ _id: string, name: string, owner: { name: string } }> = await realm.admin('GET', `/clients/${api}/authz/resource-server/resource?deep=true`)
const idOf = (name: string, owner = 'api'): string => resources.find((each) => each.name === name && each.owner.name === owner)!._id
const INVOICE = idOf('invoice')
const OF_DAVE = idOf('invoice', 'dave')
await share(realm, OF_DAVE, 'write')

async function apiOn (t: Test, rules: PermissionRule[], options: Partial<KeycloakOptions> = {}): Promise<FastifyInstance & { messages: Log }> {
  const messages = logging()
  const app: FastifyInstance = Fastify(messages)
  t.teardown(() => app.close())
  await app.register(keycloak, { ...API, uma: true, ...options } as KeycloakOptions)
  rules.forEach((permission, at) => app.get(`/${at}/:id`, { config: { permission } }, async (request) => ({ again: await request.isAllowed(permission) })))
  return Object.assign(app, { messages })
}

/** The status, and the code of the reason. */
async function answerOf (app: FastifyInstance & { messages: Log }, url: string, token: string | undefined): Promise<string> {
  const { statusCode } = await get(app, url, token)
  return statusCode === 200 ? '200' : `${statusCode} ${String(refusalsIn(app.messages).at(-1)?.reasonCode)}`
}

const RULES: Array<[rule: PermissionRule, alice: string, bob: string, carol: string]> = [
  [{ uma: 'invoice#read' }, '200', '403 uma_denied', '200'],
  [{ uma: 'invoice#write' }, '403 uma_denied', '403 uma_denied', '200'],
  [{ uma: 'invoice#read,write' }, '403 uma_denied', '403 uma_denied', '200'],
  [{ uma: 'invoice#read,delete' }, '403 uma_denied', '403 uma_denied', '403 uma_denied'],
  [{ uma: 'invoice#read,nope' }, '403 uma_denied', '403 uma_denied', '403 uma_denied'],
  [{ uma: 'invoice#nope' }, '403 uma_scope_unknown', '403 uma_scope_unknown', '403 uma_scope_unknown'],
  [{ uma: 'nope#read' }, '403 uma_resource_unknown', '403 uma_resource_unknown', '403 uma_resource_unknown'],
  [{ uma: 'Invoice#read' }, '403 uma_resource_unknown', '403 uma_resource_unknown', '403 uma_resource_unknown'],
  [{ uma: 'invoice #read' }, '403 uma_resource_unknown', '403 uma_resource_unknown', '403 uma_resource_unknown'],
  [{ uma: '%#read' }, '403 uma_resource_unknown', '403 uma_resource_unknown', '403 uma_resource_unknown'],
  [{ uma: 'invoic_#read' }, '403 uma_resource_unknown', '403 uma_resource_unknown', '403 uma_resource_unknown'],
  [{ uma: 'report#read' }, '403 uma_denied', '403 uma_denied', '403 uma_denied'],
  [{ uma: 'dashboard#' }, '200', '403 uma_denied', '200'],
  [{ uma: 'invoice#' }, '403 uma_denied', '403 uma_denied', '403 uma_denied'],
  [{ uma: 'invoice:{id}#read' }, '200', '403 uma_denied', '200'],
  [{ uma: `${INVOICE}#read` }, '200', '403 uma_denied', '200'],
  [{ uma: `${INVOICE}#write` }, '403 uma_denied', '403 uma_denied', '200'],
  [{ uma: `${OF_DAVE}#write` }, '403 uma_denied', '200', '403 uma_denied'],
  [{ uma: `${OF_DAVE}#read,write` }, '403 uma_denied', '403 uma_denied', '403 uma_denied'],
  [{ uma: '00000000-0000-4000-8000-000000000000#read' }, '403 uma_resource_unknown', '403 uma_resource_unknown', '403 uma_resource_unknown'],
  [[{ uma: 'invoice#read' }, { uma: 'invoice:7#read' }], '200', '403 uma_denied', '200'],
  [{ any: [{ uma: 'invoice#write' }, { clientRole: 'reader', client: 'api' }] }, '200', '403 alternatives_missing', '200']
]

t.test('each rule, for each user', async (t) => {
  const app = await apiOn(t, RULES.map(([rule]) => rule))
  for (const [at, [rule, ...expected]] of RULES.entries()) {
    for (const [index, [user, token]] of Object.entries({ alice, bob, carol }).entries()) t.equal(await answerOf(app, `/${at}/7`, token), expected[index], `${user}: ${JSON.stringify(rule)}`)
  }
  t.equal((await get(app, '/0/7')).statusCode, 401)
  t.match(app.keycloak.health(), { ok: true, uma: { ok: true, breaker: 'closed' } })
})

t.test('asked by name Keycloak grants the resource of a user for that of the API', async (t) => {
  const form = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:uma-ticket', audience: 'api', client_id: 'api', client_secret: 'api-secret', subject_token: bob!, response_mode: 'permissions', permission: 'invoice#write' })
  t.same(await json(await call(`${realm.endpoints}/token`, { method: 'POST', body: form })), [{ scopes: ['write'], rsid: OF_DAVE, rsname: 'invoice' }])
  const app = await apiOn(t, [{ uma: 'invoice#write' }])
  t.equal(await answerOf(app, '/0/7', dave), '403 uma_denied', 'nor is the owner allowed to do it with that of the API')
})

t.test('parameters that would be another question', async (t) => {
  const app = await apiOn(t, [{ uma: 'invoice:{id}#read' }, { uma: '{id}#read' }])
  for (const url of ['/0/7%23read', '/0/7%2Cread', '/0/%00', '/1/resource-type:urn:api:resource:invoice', '/1/resource-type-owner:api', '/1/resource-type-any:urn:api:resource:invoice', '/1/resource-type-instance:urn:api:resource:invoice', '/1/invoice%23read', '/0/', '/1/']) {
    t.equal(await answerOf(app, url, alice), '403 uma_parameter_unfit', url)
  }
  for (const url of ['/0/7%20', '/0/%207', '/0/%EF%BC%97', '/0/%2523', '/0/7%25', '/1/%EF%BC%83', `/1/${'x'.repeat(100)}`, '/1/-', '/1/%F0%9F%92%A9']) t.equal(await answerOf(app, url, alice), '403 uma_resource_unknown', url)
  t.equal(await answerOf(app, '/1/invoice', alice), '200')
  t.equal(await answerOf(app, `/1/${INVOICE}`, alice), '200')
  t.match(app.keycloak.health(), { ok: true, uma: { ok: true } }, 'none of them is an outage')
})

t.test('a list of many resources is one call', async (t) => {
  const app = await apiOn(t, [])
  let asked: string[] | undefined
  app.get('/list', async (request) => request.umaPermissions(asked))
  const list = async (token: string | undefined, permissions?: string[]) => {
    asked = permissions
    return (await get(app, '/list', token)).json().sort((one: { id: string }, other: { id: string }) => one.id.localeCompare(other.id))
  }
  const sorted = (grants: Array<[name: string, scopes: string[], owner?: string]>) => grants.map(([name, scopes, owner]) => ({ id: idOf(name, owner), name, scopes })).sort((one, other) => one.id.localeCompare(other.id))
  t.same(await list(alice, ['invoice#read,write', 'invoice:7#read', 'report#read', 'nope#read', '00000000-0000-4000-8000-000000000000#read']), sorted([['invoice', ['read']], ['invoice:7', ['read']]]))
  t.same(await list(bob, ['invoice#write', 'invoice:7#read']), [])
  t.same(await list(bob), sorted([['invoice', ['write'], 'dave']]))
  t.same(await list(alice), sorted([['invoice', ['read']], ['invoice:7', ['read']], ['dashboard', []]]))
  t.same(await list(undefined, ['invoice#read']), [])
})

t.test('bound, lightweight and ended tokens', async (t) => {
  const app = await apiOn(t, [{ uma: 'invoice#read' }], { audience: null, userIdClaim: 'sid', dpop: true })
  const light = await realm.token('alice', 'light')
  t.equal(decode(light).claims.aud, undefined)
  t.equal(await answerOf(app, '/0/7', light), '403 uma_lightweight')
  const session = await realm.token('alice')
  t.equal(await answerOf(app, '/0/7', session), '200')
  await realm.admin('DELETE', `/sessions/${decode(session).claims.sid}`)
  t.equal(await answerOf(app, '/0/7', session), '401 uma_token_refused', 'its session has ended')
})

t.test('Keycloak decides about no token that is bound by DPoP', async (t) => {
  const bound = await dpopClient(realm.issuer, 'cli')
  const { access_token: token } = await bound.password('alice')
  const form = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:uma-ticket', audience: 'api', client_id: 'api', client_secret: 'api-secret', subject_token: token, response_mode: 'permissions', permission: 'invoice#read' })
  const response = await call(`${realm.endpoints}/token`, { method: 'POST', body: form })
  t.same([response.status, await response.json()], [400, { error: 'unauthorized_client', error_description: 'Invalid identity' }], 'this is why it is not asked')
  const app = await apiOn(t, [{ uma: 'invoice#read' }], { dpop: true })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  t.equal(await bound.get(`${url}/0/7`, token), '403 permission_denied')
  t.equal(refusalsIn(app.messages).at(-1)?.reasonCode, 'uma_dpop_bound')
})

t.test('another resource server, a client without Authorization, a wrong secret', async (t) => {
  const rules: PermissionRule[] = [{ uma: `${INVOICE}#read` }, { uma: 'invoice#read' }]
  for (const [options, expected] of [
    [{ uma: { resourceServer: 'nobody' } }, ['503 uma_resource_server', '403 uma_name_foreign']],
    [{ uma: { resourceServer: 'cli' } }, ['503 uma_resource_server', '403 uma_name_foreign']],
    [{ clientSecret: 'wrong' }, ['503 credentials_refused', '503 credentials_refused']],
    [{ clientId: 'other', clientSecret: 'other-secret', uma: { resourceServer: 'api' } }, ['200', '403 uma_name_foreign']],
    [{ clientId: 'other', clientSecret: 'other-secret' }, ['503 uma_resource_server', '503 uma_protection_refused']]
  ] as Array<[Partial<KeycloakOptions>, string[]]>) {
    const app = await apiOn(t, rules, options)
    t.same([await answerOf(app, '/0/7', alice), await answerOf(app, '/1/7', alice)], expected, JSON.stringify(options))
  }
})

t.test('if the names may not be looked up, rules with ids go on, and the background finds that they may again', async (t) => {
  const rules: PermissionRule[] = [{ uma: 'invoice#read' }, { uma: `${INVOICE}#read` }]
  const path = `/clients/${api}/authz/resource-server`
  const settings = await realm.admin('GET', path)
  await realm.admin('PUT', path, { ...settings, allowRemoteResourceManagement: false })
  const app = await apiOn(t, rules)
  t.same([await answerOf(app, '/0/7', alice), await answerOf(app, '/1/7', alice)], ['503 uma_protection_refused', '200'])
  t.equal(app.keycloak.health().uma?.ok, false)
  await realm.admin('PUT', path, settings)
  await until(() => app.keycloak.health().uma?.ok)
  t.equal(await answerOf(app, '/0/7', alice), '200')
})
