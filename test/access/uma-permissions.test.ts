// request.umaPermissions: the permissions of a caller, of many resources in one call.
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import type { UmaGrant } from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { apiFor, bearer, type Log, logging, realmFor, until, WARN } from '../support/app.js'
import { answers, id, refuses, RESOURCES, umaOptions, type UmaServer, umaServerFor } from '../support/uma-server.js'

interface Api { realm: TestRealm, uma: UmaServer, app: FastifyInstance, log: Log, list: (permissions: unknown, username?: string, url?: string) => Promise<any> }

async function api (t: Test): Promise<Api> {
  const realm = await realmFor(t)
  const uma = await umaServerFor(t, realm, structuredClone(RESOURCES))
  const log = logging()
  const app = await apiFor(t, realm, { ...umaOptions(uma), dpop: true }, log)
  let asked: unknown
  let granted: readonly UmaGrant[] = []
  app.get('/:id', async (request) => {
    granted = await request.umaPermissions(asked as string[])
    t.ok(Object.isFrozen(granted[0] ?? Object.freeze({})))
    return granted
  })
  const list: Api['list'] = async (permissions, username = 'alice', url = '/7') => {
    asked = permissions
    return (await app.inject({ url, headers: bearer(realm.token({ username })) })).json()
  }
  return { realm, uma, app, log, list }
}

const invoice = (scopes: string[]) => ({ id: id(1), name: 'invoice', scopes })
const seven = { id: id(3), name: 'invoice:7', scopes: ['read'] }

t.test('one call for many resources, and only those that are asked for', async (t) => {
  const { uma, list } = await api(t)
  t.same(await list(['invoice#read,write', 'invoice:7#read', 'dashboard#']), [invoice(['read']), seven, { id: id(4), name: 'dashboard', scopes: [] }])
  t.equal(uma.asked.length, 1)
  t.same(uma.asked[0]!.getAll('permission'), [`${id(1)}#read,write`, `${id(3)}#read`, id(4)])
  t.same(await list(['invoice:{id}#read']), [seven], 'parameters of the route')
  t.same(await list(['invoice:{id}#read'], 'alice', '/7%2C8'), [], 'one that cannot be part of a resource')
  t.same(await list([`${id(6)}#read`, `${id(1)}#read`]), [{ id: id(5), name: id(6), scopes: ['read'] }, invoice(['read'])], 'a name of the form of an id, and an id')
  t.same(await list(['invoice#write', `${id(8)}#read`], 'bob'), [], 'resources of users that have these names')
  t.same(await list([`${id(2)}#write`], 'bob'), [{ id: id(2), name: 'invoice', scopes: ['write', 'read'] }], 'one by its id')
})

t.test('what Keycloak does not know is left out', async (t) => {
  const { uma, list, log } = await api(t)
  t.same(await list(['nope#read', 'invoice#read']), [invoice(['read'])])
  t.same(uma.asked.at(-1)!.getAll('permission'), [`${id(1)}#read`])
  t.same(await list([`${id(0)}#read`, `${id(9)}#read`, 'invoice#read']), [invoice(['read'])], 'Keycloak would refuse all for the first')
  t.equal(uma.asked.length, 2, 'which is one that there is')
  t.same(await list([`${id(0)}#read`, `${id(9)}#read`]), [])
  t.same(await list(['nope#read']), [])
  t.same(await list(['invoice#nope']), [])
  t.same(await list(['report#read', 'invoice#delete']), [])
  const asked = uma.asked.length
  t.same(await list([]), [])
  t.equal(uma.asked.length, asked)
  t.same(log.lines.filter(({ level, reasonCode }) => level === WARN && reasonCode !== undefined).map(({ reasonCode }) => reasonCode), ['uma_resource_unknown', 'uma_scope_unknown'])
})

t.test('without an array it answers all, with the ids of resources of users', async (t) => {
  const { uma, list, app, realm } = await api(t)
  t.same(await list(undefined, 'bob'), [{ id: id(2), name: 'invoice', scopes: ['write', 'read'] }, { id: id(7), name: id(8), scopes: ['read'] }])
  t.same(uma.asked[0]!.getAll('permission'), [])
  t.same(await list(undefined, 'nobody'), [])
  t.same((await app.inject('/7')).json(), [], 'nobody is asked about an anonymous caller')
  t.same((await realm.inject(app, { as: { dpop: true }, url: '/7' })).json(), [], 'Keycloak decides about no bound token')
  t.same((await realm.inject(app, { as: { dpop: true }, url: '/7' })).json(), [])
  await list(['invoice#read'], 'nobody')
  t.same((await realm.inject(app, { as: { dpop: true }, url: '/7' })).json(), [])
  t.equal(uma.asked.length, 3)
  uma.respond('decision', answers(200, '{"result":true}'))
  t.match(await list(undefined), { statusCode: 503, code: 'keycloak_unavailable' })
})

t.test('other values, and no option, are errors of the application', async (t) => {
  const { list, uma } = await api(t)
  const WHAT = 'umaPermissions must get an array of up to 100 permissions such as "invoice:7#read", or left out for all permissions of the caller, not'
  for (const [value, message] of [
    ['invoice#read', `${WHAT} a string`],
    [null, `${WHAT} null`],
    [Array(101).fill('invoice#read'), `${WHAT} 101 of them; ask in several calls`],
    [['invoice'], 'umaPermissions[0] must be a resource and its scopes in Keycloak, such as "invoice#write" or "invoice:{id}#read,write", not one without "#", after which its scopes stand; a resource without scopes is "dashboard#"'],
    [['invoice#read', 5], 'umaPermissions[1] must be a resource and its scopes in Keycloak, such as "invoice#write" or "invoice:{id}#read,write", not a number'],
    [Array(2), 'umaPermissions[0] must be a resource and its scopes in Keycloak, such as "invoice#write" or "invoice:{id}#read,write", not undefined'],
    [['invoice:{nr}#read'], 'umaPermissions[0] names the parameter {nr}, which is none of the URL of the route; it has {id}']
  ] as const) t.match(await list(value), { statusCode: 500, message })
  t.equal(uma.asked.length, 0)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/', async (request) => request.umaPermissions())
  t.match((await app.inject({ url: '/', headers: bearer(realm.token()) })).json(), { statusCode: 500, message: 'umaPermissions needs the option uma of the issuer "test"' })
})

t.test('an answer that is too long, and a refusal of one token, are no outage for others, unless the background gets them as well', async (t) => {
  const { uma, app, list } = await api(t)
  const ofAlice = (answer: typeof long): typeof long => (request, response, form) => form.get('subject_token') === 'is-anybody-there' ? refuses(400, 'unauthorized_client', 'Invalid identity')(request, response, form) : answer(request, response, form)
  const long = answers(200, JSON.stringify(Array(10_000).fill({ rsid: id(1), rsname: 'invoice' })))
  for (const answer of [long, refuses(400, 'invalid_request')]) {
    uma.respond('decision', ofAlice(answer))
    for (let at = 0; at < 6; at++) t.match(await list(undefined), { statusCode: 503 })
    t.match(app.keycloak.health(), { ok: true, uma: { ok: true, breaker: 'closed', lastFailure: null } })
  }
  uma.respond('decision', long)
  t.match(await list(undefined), { statusCode: 503 })
  await until(() => !app.keycloak.health().ok)
  uma.respond('decision', undefined)
  await until(() => app.keycloak.health().ok)
})
