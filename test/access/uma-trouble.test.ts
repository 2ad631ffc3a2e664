// { uma } when Keycloak is slow, away or changed: names and ids, the breaker, shared and kept decisions, callers who have gone.
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import type { TestRealm } from '../../lib/testing/index.js'
import { apiFor, ask, bearer, type Log, logging, realmFor, refusalsIn, until, WARN } from '../support/app.js'
import { monotonicFor } from '../support/clocks.js'
import { tracesOn } from '../support/events.js'
import { answers, id, refuses, RESOURCES, type UmaServer, umaOptions, umaServerFor } from '../support/uma-server.js'

interface Api { realm: TestRealm, uma: UmaServer, app: FastifyInstance, log: Log }

async function api (t: Test, group: object = {}): Promise<Api> {
  const realm = await realmFor(t)
  const uma = await umaServerFor(t, realm, structuredClone(RESOURCES))
  const log = logging()
  const app = await apiFor(t, realm, umaOptions(uma, group), log)
  app.get('/invoice', { config: { permission: { uma: 'invoice#read' } } }, async () => 'allowed')
  app.get('/id', { config: { permission: { uma: `${id(1)}#read` } } }, async () => 'allowed')
  app.get('/invoices/:id', { config: { permission: { uma: 'invoice:{id}#read' } } }, async () => 'allowed')
  return { realm, uma, app, log }
}

t.test('a name is looked up again after a minute, and at once if its resource is gone', async (t) => {
  const clock = monotonicFor(t)
  const { realm, uma, app } = await api(t)
  const alice = realm.token()
  const others = [realm.token({ username: 'carol' }), realm.token({ claims: { sub: undefined, sid: undefined } })]
  t.same(await Promise.all([alice, ...others].map((token) => ask(app, '/invoice', token))), ['200', '200', '200'])
  t.equal(await ask(app, '/invoice', alice), '200')
  t.same([uma.names.length, uma.tokens], [1, 1])
  uma.resources[0]!.id = id(9)
  t.equal(await ask(app, '/invoice', alice), '200', 'it was made anew')
  t.same(uma.names.length, 2)
  t.same(uma.asked.slice(-2).map((form) => form.get('permission')), [`${id(1)}#read`, `${id(9)}#read`])
  clock.pass(61)
  t.equal(await ask(app, '/invoice', alice), '200')
  t.same([uma.names.length, uma.tokens], [3, 1])
  uma.resources.shift()
  t.equal(await ask(app, '/invoice', alice), '403 permission_denied', 'it is gone')
  uma.respond('names', answers(200, [{ name: 'invoice', owner: { name: 'api' }, _id: id(1) }]))
  const asked = uma.asked.length
  t.equal(await ask(app, '/invoice', alice), '403 permission_denied', 'it can be found, and nothing decides about it')
  t.equal(uma.asked.length, asked + 2, 'it is asked for twice, and no more')
})

t.test('each answer to a look-up', async (t) => {
  const { realm, uma, app, log } = await api(t)
  const alice = realm.token()
  const own = { name: 'invoice', owner: { id: 'x', name: 'api' }, _id: id(1) }
  const unknown = [[], [{ ...own, name: 'Invoice' }], [{ ...own, name: 'invoice ' }], [{ ...own, owner: { id: 'x', name: 'dave' } }], [{ ...own, owner: 'api' }], [{ ...own, owner: undefined }], [own, { ...own, _id: id(2) }], [own, own]]
  for (const body of unknown) {
    uma.respond('names', answers(200, body))
    t.equal(await ask(app, '/invoice', alice), '403 permission_denied', JSON.stringify(body))
    t.equal(refusalsIn(log).at(-1)?.reasonCode, 'uma_resource_unknown')
  }
  t.equal(uma.asked.length, 0)
  const failures: Array<[ReturnType<typeof answers>, string]> = [
    ...['{}', '', '[null]', '["x"]', JSON.stringify([{ ...own, _id: undefined }]), JSON.stringify([{ ...own, _id: 'a#write' }]), JSON.stringify([{ ...own, _id: 'a,b' }]), `[{"name":"invoice","name":"invoice","owner":{"name":"api"},"_id":"${id(1)}"}]`].map((body): [ReturnType<typeof answers>, string] => [answers(200, body), 'uma_answer_malformed']),
    [answers(403, { error: 'access_denied' }), 'uma_protection_refused'],
    [answers(400, { error: 'not_supported', error_description: 'Remote management is disabled.' }), 'uma_protection_refused'],
    [answers(401, { error: 'unauthorized' }), 'uma_protection_refused'],
    [refuses(403, 'invalid_bearer_token', 'Could not obtain bearer access_token from request.'), 'uma_protection_refused'],
    [answers(403, 'no JSON'), 'uma_protection_refused'],
    [answers(404, { error: 'Realm does not exist' }), 'realm_unknown'],
    [answers(302, ''), 'status_unexpected'],
    [answers(500, ''), 'status_unexpected'],
    [answers(200, JSON.stringify(Array(10_000).fill(own))), 'body_too_long']
  ]
  for (const [answer, code] of failures) {
    uma.respond('names', answer)
    t.equal(await ask(app, '/invoice', alice), '503 keycloak_unavailable', code)
    t.equal(refusalsIn(log).at(-1)?.reasonCode, code)
  }
  t.match(app.keycloak.health(), { ok: false, uma: { ok: false, breaker: 'closed' } }, 'although the token endpoint is well')
  t.equal(await ask(app, '/id', alice), '200', 'an id needs no look-up')
  uma.respond('names', undefined)
  t.equal(await ask(app, '/invoice', alice), '200')
  t.match(app.keycloak.health(), { ok: true, uma: { ok: true } })
})

t.test('the service account gets a new token when the old one is refused or near its end', async (t) => {
  const clock = monotonicFor(t)
  const { realm, uma, app, log } = await api(t)
  const alice = realm.token()
  const tokens = ['first', 'second', 'third']
  uma.respond('token', (_request, response) => { response.end(JSON.stringify({ access_token: tokens[uma.tokens - 1], expires_in: 100 })) })
  let good = 'first'
  uma.respond('names', ({ headers }, response, query) => {
    if (headers.authorization === `Bearer ${good}`) response.end(JSON.stringify(uma.resources.filter(({ name }) => name === query.get('name')).map(({ name, owner, id }) => ({ name, owner: { name: owner }, _id: id }))))
    else if (good === 'second') refuses(403, 'invalid_bearer_token')({} as never, response, query)
    else response.writeHead(401).end()
  })
  t.equal(await ask(app, '/invoices/7', alice), '200')
  good = 'second'
  t.equal(await ask(app, '/invoices/8', alice), '403 permission_denied')
  t.equal(uma.tokens, 2)
  good = 'third'
  clock.pass(81)
  t.equal(await ask(app, '/invoices/9', alice), '403 permission_denied')
  t.equal(uma.tokens, 3)
  t.equal(uma.names.length, 4)
  clock.pass(81)
  for (const [answer, code] of [
    [answers(200, { access_token: 'a b', expires_in: 60 }), 'uma_answer_malformed'], [answers(200, { access_token: 'a' }), 'uma_answer_malformed'], [answers(200, { expires_in: 60 }), 'uma_answer_malformed'], [answers(200, '[]'), 'uma_answer_malformed'],
    [refuses(401, 'unauthorized_client', 'Invalid client or Invalid client credentials'), 'credentials_refused']
  ] as const) {
    uma.respond('token', answer)
    t.equal(await ask(app, '/invoices/1', alice), '503 keycloak_unavailable')
    t.equal(refusalsIn(log).at(-1)?.reasonCode, code)
  }
})

t.test('Keycloak that hangs is 503 at the deadline, the breaker opens, and the background finds its end', async (t) => {
  const clock = monotonicFor(t)
  const { realm, uma, app, log } = await api(t, { timeout: 100 })
  const alice = realm.token()
  t.equal(await ask(app, '/invoice', alice), '200')
  uma.respond('decision', () => {})
  for (let at = 0; at < 5; at++) t.equal(await ask(app, '/invoice', alice), '503 keycloak_unavailable')
  t.match(app.keycloak.health(), { ok: false, uma: { ok: false, breaker: 'open' } })
  const asked = uma.asked.length
  t.equal(await ask(app, '/id', alice), '503 keycloak_unavailable')
  t.equal(refusalsIn(log).at(-1)?.reasonCode, 'breaker_open')
  t.equal(uma.asked.length, asked, 'without a call')
  uma.respond('decision', undefined)
  clock.pass(5)
  await until(() => app.keycloak.health().ok)
  t.equal(uma.asked.at(-1)!.get('subject_token'), 'is-anybody-there')
  t.equal(await ask(app, '/invoice', alice), '200')
})

t.test('the background asks again until Keycloak is well', async (t) => {
  const { realm, uma, app } = await api(t)
  uma.respond('decision', answers(500, ''))
  t.equal(await ask(app, '/id', realm.token()), '503 keycloak_unavailable')
  await until(() => uma.asked.length === 2)
  t.equal(app.keycloak.health().ok, false)
  uma.respond('decision', undefined)
  await until(() => app.keycloak.health().ok)
  t.same(uma.asked.slice(1).map((form) => form.get('subject_token')), ['is-anybody-there', 'is-anybody-there'])
})

t.test('the background looks up a name as well, if that failed', async (t) => {
  const { realm, uma, app } = await api(t)
  uma.respond('names', answers(403, ''))
  t.equal(await ask(app, '/invoice', realm.token()), '503 keycloak_unavailable')
  uma.respond('names', undefined)
  await until(() => app.keycloak.health().ok)
  t.equal(uma.names.at(-1), 'is-anybody-there')
})

t.test('after the close nothing is asked any more', async (t) => {
  const { realm, uma, app } = await api(t, { cacheTtl: 60_000 })
  const held = new Promise<() => void>((resolve) => {
    uma.respond('decision', (_request, response) => resolve(() => response.end('[]')))
  })
  const answer = ask(app, '/id', realm.token())
  const release = await held
  await app.close()
  release()
  t.match(await answer, /^503/)
})

t.test('with cacheTtl a decision serves the same token and permission for that time, and a failure does not', async (t) => {
  const clock = monotonicFor(t)
  const { realm, uma, app } = await api(t, { cacheTtl: 5000 })
  const [alice, again, carol] = [realm.token(), realm.token({ claims: { jti: 'another' } }), realm.token({ username: 'carol' })]
  uma.respond('decision', answers(500, ''))
  t.equal(await ask(app, '/id', alice), '503 keycloak_unavailable')
  uma.respond('decision', undefined)
  for (let at = 0; at < 3; at++) t.equal(await ask(app, '/id', alice), '200')
  t.equal(uma.asked.length, 2)
  t.equal(await ask(app, '/id', again), '200')
  t.equal(await ask(app, '/id', carol), '200')
  t.equal(uma.asked.length, 4, 'another token of the same user is another question')
  for (let at = 0; at < 2; at++) t.equal(await ask(app, '/invoices/7', carol), '403 permission_denied')
  t.equal(uma.asked.length, 5, 'a refusal serves as well')
  uma.resources[0]!.grants = {}
  t.equal(await ask(app, '/id', alice), '200')
  clock.pass(5.1)
  t.equal(await ask(app, '/id', alice), '403 permission_denied')
  const asked = uma.asked.length
  clock.pass(5.1)
  await Promise.all(Array.from({ length: 5 }, () => ask(app, '/id', alice)))
  t.equal(uma.asked.length, asked + 1, 'questions under way are shared')
})

t.test('without cacheTtl each request asks, and shares at most a question that is not sent yet', async (t) => {
  const { realm, uma, app } = await api(t)
  const alice = realm.token()
  const open: Array<() => void> = []
  uma.respond('decision', (_request, response) => { open.push(() => response.end(JSON.stringify([{ rsid: id(1), rsname: 'invoice', scopes: ['read'] }]))) })
  const first = ask(app, '/id', alice)
  await until(() => open.length === 1)
  const requests = [first, ask(app, '/id', alice), ...Array.from({ length: 40 }, (_, at) => ask(app, '/id', realm.token({ claims: { jti: String(at) } })))]
  await until(() => open.length >= 32)
  const sent = uma.asked.length
  t.equal(uma.asked.filter((form) => form.get('subject_token') === alice).length, 2, 'a question that is sent is not shared')
  t.ok(sent < 42, `${sent} are sent, since they are of one user`)
  const last = realm.token({ claims: { jti: 'last' } })
  requests.push(...Array.from({ length: 20 }, () => ask(app, '/id', last)))
  await until(() => (app.keycloak.health().uma?.pending ?? 0) === 43)
  uma.respond('decision', (_request, response) => { response.end(JSON.stringify([{ rsid: id(1), rsname: 'invoice', scopes: ['read'] }])) })
  for (const answer of open) answer()
  t.same(new Set(await Promise.all(requests)), new Set(['200']))
  t.equal(uma.asked.length, 43, 'those that waited share one')
})

t.test('too many questions are 503 at once, with a line that names the option', async (t) => {
  const { realm, uma, app, log } = await api(t, { maxPending: 2 })
  const open: Array<() => void> = []
  uma.respond('decision', (_request, response) => { open.push(() => response.end('[]')) })
  const pending = ['a', 'b'].map((username) => ask(app, '/id', realm.token({ username })))
  await until(() => open.length === 2)
  t.equal(app.keycloak.health().uma?.pending, 2)
  t.equal(await ask(app, '/id', realm.token({ username: 'c' })), '503 keycloak_unavailable')
  t.ok(log.lines.some(({ level, msg }) => level === WARN && msg.startsWith('uma: 2 calls are pending already, and further requests are 503: raise uma.maxPending')))
  for (const answer of open) answer()
  t.same(await Promise.all(pending), ['403 permission_denied', '403 permission_denied'])
})

t.test('look-ups of names take turns as well', async (t) => {
  const { realm, uma, app } = await api(t)
  const open: Array<() => void> = []
  uma.respond('names', (_request, response) => { open.push(() => response.end('[]')) })
  const requests = Array.from({ length: 40 }, (_, at) => ask(app, `/invoices/${at}`, realm.token()))
  await until(() => open.length >= 30)
  const sent = open.length
  t.ok(sent < 40, `${sent} are sent, since they are of one user`)
  uma.respond('names', answers(200, []))
  for (const answer of open) answer()
  t.same(new Set(await Promise.all(requests)), new Set(['403 permission_denied']))
})

t.test('a question is cancelled when its caller has gone', async (t) => {
  const { realm, uma, app } = await api(t)
  app.get('/many', async (request) => Promise.all(Array.from({ length: 20 }, (_, at) => request.isAllowed({ uma: `${id(1)}#read,x${at}` }))))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const warnings: string[] = []
  const onWarning = ({ name }: Error): void => { warnings.push(name) }
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  for (const url of ['/id', '/many']) {
    let closed = 0
    uma.respond('decision', (_request, response) => { response.on('close', () => { closed++ }) })
    const before = uma.asked.length
    const count = url === '/id' ? 1 : 20
    const request = httpRequest({ port, host: '127.0.0.1', path: url, headers: bearer(realm.token()) }).on('error', () => {}).end()
    await until(() => uma.asked.length === before + count)
    request.destroy()
    await until(() => closed === count)
    await until(() => app.keycloak.health().uma?.pending === 0)
  }
  t.match(app.keycloak.health(), { ok: true, uma: { ok: true } }, 'that is no outage')
  t.notOk(warnings.includes('MaxListenersExceededWarning'))
})

t.test('each call has its trace', async (t) => {
  const { realm, app } = await api(t)
  const traces = tracesOn(t, 'fastify-keycloak-bearer:upstream')
  t.equal(await ask(app, '/invoice', realm.token()), '200')
  const ended = traces.filter(([name]) => name === 'asyncEnd').map(([, { endpoint, statusCode }]) => [endpoint, statusCode])
  t.same(ended.filter(([endpoint]) => endpoint !== 'certs'), [['token', 200], ['authz/protection/resource_set', 200], ['token', 200]])
})
