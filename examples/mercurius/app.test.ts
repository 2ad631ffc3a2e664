import type { FastifyInstance } from 'fastify'
import type { KeycloakOptions } from 'fastify-keycloak-bearer'
import { createTestRealm, type TokenSpec } from 'fastify-keycloak-bearer/testing'
import type { MercuriusOptions } from 'mercurius'
import assert from 'node:assert/strict'
import { on, once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { directives } from './access.js'
import { buildApp } from './app.js'

type As = TokenSpec | string | null
type Options = MercuriusOptions & { realm?: Partial<KeycloakOptions> }

async function start (t: TestContext, { realm: own, ...options }: Options = {}) {
  const realm = await createTestRealm()
  const app = await buildApp({ ...realm.options, ...own }, options)
  t.after(async () => {
    await app.close()
    await realm.close()
  })
  const post = (payload: object, as: As = null) => realm.inject(app, { method: 'POST', url: '/graphql', payload, as })
  /** The data, and the codes of the errors. */
  const ask = async (query: string, as: As = null) => {
    const response = await post({ query }, as)
    const { data, errors = [] } = response.json()
    return { response, status: response.statusCode, data, codes: errors.map(({ extensions }: any) => extensions?.code) }
  }
  return { app, realm, post, ask }
}

test('anonymous callers read public fields; a closed field beside them is null, and its error has the code', async (t) => {
  const { ask } = await start(t)
  const { status, data, codes } = await ask('{ menu { name } orders { id } takings }')
  assert.deepEqual(data, { menu: [{ name: 'soup' }], orders: null, takings: null })
  assert.deepEqual(codes, ['not_authenticated', 'not_authenticated'])
  assert.equal(status, 200)
  assert.deepEqual((await ask('{ me { username } }', {})).data, { me: { username: 'alice' } })
})

test('each field of Query, Mutation and Subscription without @public refuses anonymous callers', async (t) => {
  const { app, ask } = await start(t)
  await app.ready()
  const { schema } = app.graphql
  const open = []
  for (const type of [schema.getQueryType()!, schema.getMutationType()!]) {
    for (const { name, args, type: result } of Object.values(type.getFields())) {
      const values = args.length > 0 ? `(${args.map(({ name }) => `${name}: "x"`)})` : ''
      const { codes } = await ask(`${type.name.toLowerCase()} { ${name}${values} ${/Int/.test(String(result)) ? '' : '{ __typename }'} }`)
      if (codes[0] !== 'not_authenticated') open.push(`${type.name}.${name}`)
    }
  }
  assert.deepEqual(open, ['Query.menu'])
})

test('who lacks a role is refused that field, of whichever object and by whichever way', async (t) => {
  const { ask } = await start(t)
  const bob: TokenSpec = { username: 'bob' }
  assert.deepEqual((await ask('{ takings }', bob)).codes, ['permission_denied'])
  assert.equal((await ask('{ takings }', { roles: ['accountant'] })).data.takings, 0)
  for (const query of [
    '{ menu { cost } }',
    '{ a: menu { b: cost } }',
    '{ menu { ...x } } fragment x on Dish { cost }',
    '{ menu { ... on Dish { cost } } }',
    'query ($yes: Boolean = true) { menu { cost @include(if: $yes) } }'
  ]) {
    assert.deepEqual((await ask(query)).codes, ['not_authenticated'], query)
    assert.deepEqual((await ask(query, bob)).codes, ['permission_denied'], query)
    assert.deepEqual((await ask(query, { roles: ['accountant'] })).codes, [], query)
  }
})

test('a rule of a type holds in unions and interfaces too', async (t) => {
  const { ask } = await start(t)
  const query = '{ search(text: "w") { ... on Named { name } ... on Supplier { account } } }'
  const { data, codes } = await ask(query, { username: 'bob' })
  assert.deepEqual(data.search, [{ name: null, account: null }, { name: 'Wim' }])
  assert.deepEqual(codes, ['permission_denied', 'permission_denied'])
  assert.deepEqual((await ask(query, { roles: ['accountant'] })).data.search[0], { name: 'Farm', account: 'DE02' })
})

test('a compiled query decides anew for each caller', async (t) => {
  const { ask } = await start(t, { jit: 1 })
  for (let times = 0; times < 4; times++) {
    assert.equal((await ask('{ takings }', { roles: ['accountant'] })).data.takings, 0)
    assert.deepEqual((await ask('{ takings }', {})).codes, ['permission_denied'])
    assert.deepEqual((await ask('{ takings }')).codes, ['not_authenticated'])
  }
})

test('a bad token is 401 with code and challenge, for public fields too; an outage is 503', async (t) => {
  const { realm, ask } = await start(t)
  const { response, status, codes } = await ask('{ menu { name } }', { expired: true })
  assert.deepEqual([status, codes], [401, ['token_expired']])
  assert.match(String(response.headers['www-authenticate']), /^Bearer realm="test", error="invalid_token"/)
  assert.deepEqual((await ask('{ menu { name } }', { forged: true })).codes, ['token_not_valid'])
  await realm.down()
  const away = await ask('{ menu { name } }', { kid: 'new' })
  assert.deepEqual([away.status, away.codes], [503, ['keycloak_unavailable']])
})

test('GET, batches and other content types are no way around', async (t) => {
  const { app, realm, post } = await start(t, { allowBatchedQueries: true })
  const codes = (response: { json (): any }) => [response.json()].flat().flatMap(({ errors }) => errors?.map(({ extensions }: any) => extensions?.code) ?? [null])
  const query = encodeURIComponent('{ takings }')
  assert.deepEqual(codes(await app.inject(`/graphql?query=${query}`)), ['not_authenticated'])
  assert.deepEqual(codes(await realm.inject(app, { url: `/graphql?query=${query}`, as: {} })), ['permission_denied'])
  assert.deepEqual(codes(await app.inject({ method: 'POST', url: '/graphql', headers: { 'content-type': 'application/graphql' }, payload: '{ takings }' })), ['not_authenticated'])
  assert.deepEqual(codes(await post([{ query: '{ menu { name } }' }, { query: '{ takings }' }])), [null, 'not_authenticated'])
  assert.deepEqual(codes(await post([{ query: '{ takings }' }, { query: '{ me { username } }' }], {})), ['permission_denied', null])
  const mutation = encodeURIComponent('mutation { order(dish: "soup") { id } }')
  assert.equal((await realm.inject(app, { url: `/graphql?query=${mutation}`, as: { roles: ['place-orders'] } })).statusCode, 405, 'a link changes nothing')
})

test('the schema is for callers with a token, and GraphiQL is closed', async (t) => {
  const { app, realm, ask } = await start(t, { ide: true })
  for (const query of ['{ __schema { types { name } } }', '{ __type(name: "Order") { name } }', '{ ...x } fragment x on Query { __schema { types { name } } }']) {
    const { status, codes, data } = await ask(query)
    assert.deepEqual([status, codes, data], [401, ['not_authenticated'], null], query)
    assert.deepEqual((await ask(query, {})).codes, [])
  }
  assert.deepEqual((await ask('{ __typename }')).data, { __typename: 'Query' })
  for (const url of ['/graphiql', '/graphiql/main.js', '/graphiql/config.js']) assert.equal((await app.inject(url)).statusCode, 401, url)
  assert.equal((await realm.inject(app, { url: '/graphiql', as: {} })).statusCode, 200)
})

test('callers without a token are not told of the schema by errors either', async (t) => {
  const { app, realm, post } = await start(t, { allowBatchedQueries: true })
  const told = { message: 'The query is not valid. Callers with a token are told why.' }
  for (const payload of [
    { query: '{ taking }' }, { query: '{ ... on Suplier { name } }' }, { query: '{ orders }' }, { query: '{ menu { cots } }' },
    { query: 'mutation { order { id } }' }, { query: 'query ($text: String!) { search(text: $text) { __typename } }' },
    { query: 'query ($text: String!) { search(text: $text) { __typename } }', variables: { text: 5 } }
  ]) {
    const [anonymous, known] = await Promise.all([null, {}].map(async (as) => {
      const [single, [batched]] = [(await post(payload, as)).json(), (await post([payload], as)).json()]
      assert.deepEqual(single.errors, batched.errors, payload.query)
      return single.errors
    }))
    assert.deepEqual(anonymous.map(({ message }: any) => ({ message })), [told], payload.query)
    assert.match(known[0].message, /takings|Supplier|Order!|cost|String/, payload.query)
  }
  const byGet = `/graphql?query=${encodeURIComponent('{ taking }')}`
  assert.equal((await app.inject(byGet)).json().errors[0].message, told.message)
  assert.match((await realm.inject(app, { url: byGet, as: {} })).json().errors[0].message, /takings/)
  assert.equal((await post({ query: '{ takings }' })).json().errors[0].extensions.code, 'not_authenticated', 'a refusal keeps its code')
})

test('who may call the routes, mercurius\' own among them', async (t) => {
  const { app } = await start(t, { ide: true })
  await app.ready()
  const routes = app.keycloak.routes().filter(({ method }) => method !== 'HEAD').map(({ method, url, access }) => `${method} ${url} ${access}`)
  assert.deepEqual(routes, [
    'POST /backchannel-logout open', 'POST /graphql optional', 'GET /graphiql authenticated', 'GET /graphiql/main.js authenticated',
    'GET /graphiql/sw.js authenticated', 'GET /graphiql/config.js authenticated', 'GET /graphql optional'
  ])
})

test('directives that contradict each other stop the start', async (t) => {
  const realm = await createTestRealm()
  t.after(() => realm.close())
  for (const [schema, problem] of [
    ['type Query { a: Int @public @permission(roles: ["x"]) }', /Query.a is @public/],
    ['type Query { a: A } type A { b: Int @public }', /A.b is @public/],
    ['type Query { a: Int @permission(roles: []) }', /names no role/],
    ['type Query { a: Int @permision(roles: ["x"]) }', /Unknown directive "@permision"/]
  ] as const) {
    await assert.rejects(async () => {
      const app = await buildApp(realm.options, { schema: directives + schema, resolvers: {} })
      await app.ready()
    }, problem)
  }
})

/** A client of graphql-transport-ws. */
async function connect (app: FastifyInstance, token?: string) {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = new WebSocket(`${app.listeningOrigin.replace('http', 'ws')}/graphql`, ['graphql-transport-ws', ...token === undefined ? [] : [`bearer.${token}`]])
  const messages = on(socket, 'message')
  const closed = once(socket, 'close').then(([code, reason]) => [code, String(reason)])
  const refused = once(socket, 'unexpected-response').then(([, response]) => response.statusCode)
  const opened = await Promise.race([once(socket, 'open'), refused])
  const say = (message: object) => socket.send(JSON.stringify(message))
  const hear = async () => JSON.parse(String((await messages.next()).value[0]))
  const subscribe = (id: string, query: string) => say({ id, type: 'subscribe', payload: { query } })
  if (Array.isArray(opened)) {
    say({ type: 'connection_init', payload: { authorization: 'Bearer of nobody' } })
    assert.equal((await hear()).type, 'connection_ack')
  }
  return { opened, say, hear, subscribe, closed }
}

const NEWS = { id: '1', type: 'next', payload: { data: { news: 'soup is popular' } } }
const ORDER = { query: 'mutation { order(dish: "soup") { id } }' }
const GUEST: TokenSpec = { username: 'guest', roles: ['place-orders'] }

test('anonymous callers subscribe to public fields alone', async (t) => {
  const { app, post } = await start(t)
  const client = await connect(app)
  client.subscribe('2', 'subscription { ordered { id } }')
  assert.deepEqual((await client.hear()).payload[0].extensions, { code: 'not_authenticated' })
  client.subscribe('3', '{ menu { name } }')
  assert.equal((await client.hear()).type, 'error', 'queries do not go over the socket')
  client.subscribe('1', 'subscription { news }')
  assert.deepEqual(await heardOf(client.hear, () => post(ORDER, GUEST)), NEWS)
})

test('a bad token is refused before the upgrade', async (t) => {
  const { app, realm } = await start(t)
  assert.equal((await connect(app, realm.token({ expired: true }))).opened, 401)
  assert.equal((await connect(app, 'nonsense')).opened, 401)
})

test('a subscription needs its role, gets events, and ends at a logout', async (t) => {
  const { app, realm, post } = await start(t)
  const guest = await connect(app, realm.token({ username: 'guest' }))
  guest.subscribe('1', 'subscription { ordered { id } }')
  assert.deepEqual((await guest.hear()).payload[0].extensions, { code: 'permission_denied' })

  const cook = await connect(app, realm.token({ username: 'cook', roles: ['cook'] }))
  cook.subscribe('1', 'subscription { ordered { dish customer } }')
  const { payload } = await heardOf(cook.hear, () => post(ORDER, GUEST))
  assert.deepEqual(payload.data, { ordered: { dish: 'soup', customer: null } })
  assert.equal(payload.errors[0].extensions.code, 'permission_denied', 'the customer is for others')

  const form = new URLSearchParams({ logout_token: realm.token({ kind: 'logout', username: 'cook' }) })
  await app.inject({ method: 'POST', url: '/backchannel-logout', headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: String(form) })
  assert.deepEqual(await cook.closed, [4403, 'token_not_valid'])
})

test('a subscription ends when its token expires', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const { app, realm } = await start(t)
  const cook = await connect(app, realm.token({ roles: ['cook'] }))
  cook.subscribe('1', 'subscription { ordered { id } }')
  t.mock.timers.tick(301_000)
  assert.deepEqual(await cook.closed, [4403, 'token_expired'])
})

/** Orders soup until the client hears something: nothing tells when its subscription has begun. */
async function heardOf (hear: () => Promise<any>, order: () => Promise<unknown>) {
  const heard = hear()
  const nothing = Symbol('nothing')
  while (await Promise.race([heard, order().then(() => nothing)]) === nothing);
  return heard
}
