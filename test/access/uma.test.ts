// { uma }: permissions that Keycloak's Authorization Services grant, in the config of a route and in a handler.
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import type { KeycloakOptions, PermissionRule } from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { apiFor, ask, bearer, type Log, logging, realmFor, refusalsIn, WARN } from '../support/app.js'
import { decisions } from '../support/events.js'
import { answers, id, refuses, RESOURCES, umaOptions, type UmaServer, umaServerFor } from '../support/uma-server.js'

interface Api { realm: TestRealm, uma: UmaServer, app: FastifyInstance, log: Log }

async function api (t: Test, group: object = {}, options: Partial<KeycloakOptions> = {}): Promise<Api> {
  const realm = await realmFor(t)
  const uma = await umaServerFor(t, realm, structuredClone(RESOURCES))
  const log = logging()
  const app = await apiFor(t, realm, { ...umaOptions(uma, group), ...options }, { logger: log.logger, routerOptions: { maxParamLength: 1000 } })
  return { realm, uma, app, log }
}

const warnings = ({ log }: Api): string[] => log.lines.filter(({ level }) => level === WARN).map(({ msg }) => msg)

t.test('a route is for callers to whom Keycloak grants each scope of the resource', async (t) => {
  const { realm, uma, app, log } = await api(t)
  app.get('/read', { config: { permission: { uma: 'invoice#read' } } }, async () => 'read')
  app.get('/both', { config: { permission: { uma: 'invoice#read,write' } } }, async () => 'both')
  app.get('/dashboard', { config: { permission: { uma: 'dashboard#' } } }, async () => 'dashboard')
  app.get('/no-scope', { config: { permission: { uma: 'invoice#' } } }, async () => 'no-scope')
  const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((username) => realm.token({ username }))
  t.equal(await ask(app, '/read'), '401 not_authenticated')
  t.equal(uma.asked.length, 0, 'nobody is asked about an anonymous caller')
  t.equal(await ask(app, '/read', alice), '200')
  t.equal(await ask(app, '/both', alice), '403 permission_denied', 'a subset is not enough')
  t.equal(await ask(app, '/both', carol), '200')
  t.equal(await ask(app, '/dashboard', alice), '200', 'a resource without scopes')
  t.equal(await ask(app, '/dashboard', carol), '403 permission_denied')
  t.equal(await ask(app, '/no-scope', carol), '403 permission_denied', 'a rule without scopes is no rule for any of them')
  t.equal(refusalsIn(log).at(-1)?.reasonCode, 'uma_denied')
  t.equal(await ask(app, '/read', bob), '403 permission_denied', 'a resource of a user has the same name')
  const [question] = uma.asked
  t.same(Object.fromEntries(question!), {
    client_id: 'api',
    client_secret: realm.options.clientSecret,
    grant_type: 'urn:ietf:params:oauth:grant-type:uma-ticket',
    audience: 'api',
    response_mode: 'permissions',
    submit_request: 'false',
    subject_token: alice,
    permission: `${id(1)}#read`
  })
  t.same(uma.names, ['invoice', 'dashboard'], 'each name is looked up once')
  t.equal(uma.tokens, 1)
  t.same(app.keycloak.routes().filter(({ method, rule }) => method === 'GET' && rule?.includes('uma')).map(({ rule }) => rule), ['permission uma invoice#read', 'permission uma invoice#read,write', 'permission uma dashboard#', 'permission uma invoice#'])
  t.match(app.keycloak.health(), { ok: true, uma: { ok: true, breaker: 'closed', pending: 0, reason: null } })
})

t.test('by its id a resource is nobody else\'s, and a name may look like an id', async (t) => {
  const { realm, uma, app } = await api(t)
  app.get('/:id', { config: { permission: { uma: '{id}#read' } } }, async () => 'allowed')
  const [alice, bob] = ['alice', 'bob'].map((username) => realm.token({ username }))
  t.equal(await ask(app, `/${id(1)}`, alice), '200')
  t.equal(await ask(app, `/${id(1)}`, bob), '403 permission_denied')
  t.same(uma.names, [], 'an id needs no look-up')
  t.equal(await ask(app, `/${id(6)}`, alice), '200', 'the name of a resource of the API has the form of an id')
  t.equal(await ask(app, `/${id(8)}`, bob), '403 permission_denied', 'and so has the name of a resource of a user')
  t.equal(await ask(app, `/${id(2)}`, bob), '200', 'a resource of a user by its own id')
})

t.test('parameters of the route are inserted decoded, and those that mean something else are refused without a question', async (t) => {
  const { realm, uma, app, log } = await api(t)
  app.get('/invoices/:id', { config: { permission: { uma: 'invoice:{id}#read' } } }, async () => 'invoice')
  app.get('/raw/:a-:b', { config: { permission: { uma: '{a}{b}#read' } } }, async () => 'raw')
  app.get('/any/*', { config: { permission: { uma: 'file:{*}#read' } } }, async () => 'any')
  app.get('/optional/:id?', { config: { permission: { uma: 'invoice:{id}#read' } } }, async () => 'optional')
  const alice = realm.token()
  t.equal(await ask(app, '/invoices/7', alice), '200')
  t.equal(await ask(app, '/invoices/%37', alice), '200')
  t.equal(await ask(app, '/raw/invoice:-7', alice), '200')
  t.equal(uma.asked.length, 3)
  const looked = uma.names.length
  const hostile = [
    '/invoices/7%23read', '/invoices/7%2Cinvoice', '/invoices/resource-type:x', '/invoices/RESOURCE-TYPE-owner:x', '/invoices/resource-type-any:x', '/invoices/7%00', '/invoices/7%0A', '/invoices/7%7F',
    '/raw/resource--type:x', '/raw/resource-type-any:x', `/invoices/${'7'.repeat(300)}`, '/any/', '/any/x%23y', '/optional/', '/optional'
  ]
  for (const url of hostile) {
    t.equal(await ask(app, url, alice), '403 permission_denied', url.slice(0, 40))
    t.equal(refusalsIn(log).at(-1)?.reasonCode, 'uma_parameter_unfit', url.slice(0, 40))
  }
  t.same([uma.asked.length, uma.names.length], [3, looked], 'Keycloak is not asked')
  // Others are names that nobody has.
  for (const url of ['/invoices/7%20', '/invoices/%EF%BC%97', '/invoices/__proto__', '/invoices/%2523', '/any/a/b', '/invoices/%C2%A0', '/invoices/%EF%BC%83']) {
    t.equal(await ask(app, url, alice), '403 permission_denied', url)
    t.equal(refusalsIn(log).at(-1)?.reasonCode, 'uma_resource_unknown', url)
  }
  t.equal(uma.asked.length, 3)
})

t.test('in a handler isAllowed asks, and hasPermission says what to write instead', async (t) => {
  const { realm, app, uma } = await api(t)
  let rule: PermissionRule = 'x'
  app.get<{ Params: { id: number } }>('/invoices/:id', { schema: { params: { type: 'object', properties: { id: { type: 'integer' } } } } }, async (request) => [await request.isAllowed(rule), typeof request.params.id])
  app.get('/sync', async (request) => request.hasPermission({ any: ['x', { uma: 'invoice#read' }] } as never))
  const alice = bearer(realm.token())
  const cases: Array<[PermissionRule, boolean]> = [
    [{ uma: 'invoice:{id}#read' }, true], [{ uma: 'invoice:{id}#write' }, false], [{ uma: 'invoice#read' }, true],
    [{ any: [{ uma: 'invoice#write' }, { uma: 'invoice#read' }] }, true], [[{ uma: 'invoice#read' }, { uma: 'invoice:7#read' }], true], [[{ uma: 'invoice#read' }, { uma: 'invoice#delete' }], false]
  ]
  for (const [each, isAllowed] of cases) {
    rule = each
    t.same((await app.inject({ url: '/invoices/7', headers: alice })).json(), [isAllowed, 'number'], JSON.stringify(each))
    t.same((await app.inject('/invoices/7')).json(), [false, 'number'])
  }
  t.match((await app.inject({ url: '/sync', headers: alice })).json(), { statusCode: 500, message: 'hasPermission does not take { uma }, which Keycloak is asked for: write await request.isAllowed(…), or the rule into the config of the route' })
  const asked = uma.asked.length
  rule = { uma: 'invoice:{nr}#read' }
  t.match((await app.inject({ url: '/invoices/7', headers: alice })).json(), { statusCode: 500, message: 'The rule of isAllowed.uma names the parameter {nr}, which is none of the URL of the route; it has {id}' })
  rule = { uma: `invoice:${'7#read,'}#read` }
  t.match((await app.inject({ url: '/invoices/7', headers: alice })).json(), { statusCode: 500 })
  t.equal(uma.asked.length, asked)
})

t.test('rules beside are looked at first, in their order, and the reason is that of the first that refuses', async (t) => {
  const own = await api(t)
  const { realm, app, uma, log } = own
  const { authorization } = decisions(t)
  const permissions: Array<[PermissionRule, string, string | null, number]> = [
    [['admin', { uma: 'invoice#read' }], '403 permission_denied', 'role_missing', 0],
    [{ any: ['view-profile', { uma: 'invoice#read' }] }, '200', null, 0],
    [['view-profile', { uma: 'invoice#read' }], '200', null, 1],
    [['view-profile', { uma: 'invoice#write' }], '403 permission_denied', 'uma_denied', 1],
    [[{ uma: 'invoice#write' }, 'admin'], '403 permission_denied', 'uma_denied', 1],
    [[{ uma: 'nope#write' }, 'admin'], '403 permission_denied', 'uma_resource_unknown', 0],
    [[{ uma: 'invoice#nope' }, 'admin'], '403 permission_denied', 'uma_scope_unknown', 1],
    [[{ uma: 'invoice#read' }, 'admin'], '403 permission_denied', 'role_missing', 1],
    [[() => false, { uma: 'invoice#read' }], '403 permission_denied', 'rule_not_fulfilled', 0],
    [[() => false, { uma: 'invoice#read' }, 'admin'], '403 permission_denied', 'role_missing', 0],
    [{ any: [{ uma: 'invoice#write' }, { uma: 'invoice:7#write' }] }, '403 permission_denied', 'uma_denied', 2],
    [{ any: [{ uma: 'invoice#write' }, 'admin'] }, '403 permission_denied', 'alternatives_missing', 1],
    [[{ any: ['admin', { all: [{ uma: 'invoice#read' }, { uma: 'invoice#write' }] }] }, () => { throw new Error('never asked') }], '403 permission_denied', 'alternatives_missing', 2]
  ]
  permissions.forEach(([permission], at) => app.get(`/${at}`, { config: { permission } }, async () => 'allowed'))
  const token = realm.token({ roles: ['view-profile'] })
  for (const [at, [rule, answer, reason, questions]] of permissions.entries()) {
    const before = uma.asked.length
    t.equal(await ask(app, `/${at}`, token), answer, JSON.stringify(rule))
    if (reason !== null) t.equal(refusalsIn(log).at(-1)?.reasonCode, reason, JSON.stringify(rule))
    t.equal(uma.asked.length - before, questions, 'questions')
    t.match(authorization.at(-1), { outcome: reason === null ? 'allowed' : 'denied', reason, rule: `permission ${app.keycloak.routes().find(({ url }) => url === `/${at}`)!.rule!.slice('permission '.length)}` })
  }
  t.same(warnings(own).filter((line) => line.startsWith('a caller')), [
    'a caller was refused: permission uma "nope#write" is not fulfilled: the resource server has no such resource: make it in Keycloak (Clients, its Authorization tab, Resources), or correct its name, where small and capital letters count',
    'a caller was refused: permission uma "invoice#nope" is not fulfilled: the resource server has no such scope: make it in Keycloak (Clients, its Authorization tab, Scopes), or correct its name'
  ])
})

t.test('each answer that Keycloak can give', async (t) => {
  const { realm, uma, app, log } = await api(t)
  app.get('/', { config: { permission: { uma: `${id(1)}#read,write` } } }, async () => 'allowed')
  const alice = realm.token()
  const grant = { rsid: id(1), rsname: 'invoice', scopes: ['read', 'write'] }
  const allowed = [[grant], [{ ...grant, scopes: ['read'] }, { ...grant, scopes: ['write'] }], [{ ...grant, claims: { a: ['b'] } }, { scopes: ['x'] }], [{ ...grant, rsname: '' }]]
  for (const body of allowed) {
    uma.respond('decision', answers(200, body))
    t.equal(await ask(app, '/', alice), '200', JSON.stringify(body))
  }
  const denied = [[], [{ ...grant, scopes: ['read'] }, { rsid: id(5), rsname: id(1), scopes: ['write'] }], [{ ...grant, scopes: ['read'] }], [{ ...grant, rsid: id(2) }], [{ ...grant, rsid: id(2), rsname: id(2) }], [{ scopes: ['read', 'write'] }], [{ ...grant, scopes: undefined }], [{ ...grant, scopes: ['READ', 'WRITE'] }], [{ ...grant, scopes: ['read,write'] }]]
  for (const body of denied) {
    uma.respond('decision', answers(200, body))
    t.equal(await ask(app, '/', alice), '403 permission_denied', JSON.stringify(body))
  }
  const refusals: Array<[ReturnType<typeof refuses>, string, string]> = [
    [refuses(403, 'access_denied', 'not_authorized'), '403 permission_denied', 'uma_denied'],
    [refuses(403, 'access_denied', 'request_submitted'), '403 permission_denied', 'uma_denied'],
    [refuses(400, 'invalid_resource', 'Resource with id [x] does not exist.'), '403 permission_denied', 'uma_resource_unknown'],
    [refuses(400, 'invalid_scope', 'One of the given scopes [x] is invalid'), '403 permission_denied', 'uma_scope_unknown'],
    [refuses(400, 'unauthorized_client', 'Invalid identity'), '401 token_not_valid', 'uma_token_refused'],
    [refuses(403, 'access_denied', 'Realm not enabled'), '503 keycloak_unavailable', 'realm_disabled'],
    [refuses(400, 'invalid_request', 'Unknown resource server id: [api]'), '503 keycloak_unavailable', 'uma_resource_server'],
    [refuses(400, 'invalid_request', 'Client does not support permissions'), '503 keycloak_unavailable', 'uma_resource_server'],
    [refuses(400, 'invalid_request'), '503 keycloak_unavailable', 'question_refused'],
    [refuses(400, 'unauthorized_client', 'Something else'), '503 keycloak_unavailable', 'status_unexpected'],
    [refuses(401, 'unauthorized_client', 'Invalid client or Invalid client credentials'), '503 keycloak_unavailable', 'credentials_refused'],
    [refuses(403, 'invalid_request', 'HTTPS required'), '503 keycloak_unavailable', 'https_required'],
    [answers(500, ''), '503 keycloak_unavailable', 'status_unexpected'],
    [answers(302, ''), '503 keycloak_unavailable', 'status_unexpected'],
    ...['{"result":true}', '<html></html>', '', 'null', '[null]', '["invoice"]', '[[]]', `[{"rsid":"${id(1)}","rsname":"invoice","scopes":"read"}]`, `[{"rsid":"${id(1)}","rsname":"invoice","scopes":[1]}]`,
      '[{"rsid":1,"rsname":"invoice","scopes":["read"]}]', '[{"rsid":"","rsname":"invoice"}]', `[{"rsid":"${id(1)}","scopes":["read"]}]`, '[{"rsname":"invoice","scopes":["read"]}]',
      `[{"rsid":"${id(2)}","rsid":"${id(1)}","rsname":"invoice","scopes":["read","write"]}]`, `[{"rsid":"${id(1)}","rsname":"invoice","scopes":["read","write"]}`, `[{"rsid":"${id(1)}","rsname":"invoice","claims":[[[[[]]]]]}]`]
      .map((body): [ReturnType<typeof refuses>, string, string] => [answers(200, body), '503 keycloak_unavailable', 'uma_answer_malformed']),
    [answers(200, JSON.stringify(Array(10_000).fill(grant))), '503 keycloak_unavailable', 'body_too_long']
  ]
  for (const [answer, expected, reason] of refusals) {
    uma.respond('decision', answer)
    t.equal(await ask(app, '/', alice), expected, reason)
    t.equal(refusalsIn(log).at(-1)?.reasonCode, reason)
  }
  t.match(app.keycloak.health(), { ok: false, uma: { ok: false } })
  uma.respond('decision', undefined)
  t.equal(await ask(app, '/', realm.token({ username: 'carol' })), '200')
  t.match(app.keycloak.health(), { ok: true, uma: { ok: true } })
  t.notMatch(log.text, alice, 'no token is in the log')
})
