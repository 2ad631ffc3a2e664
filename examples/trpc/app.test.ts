import { createTRPCClient, httpBatchLink, httpLink, TRPCClientError } from '@trpc/client'
import type { AnyTRPCProcedure } from '@trpc/server'
import { createTestRealm, type TokenSpec } from 'fastify-keycloak-bearer/testing'
import assert from 'node:assert/strict'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { buildApp } from './app.js'
import { type AppRouter, appRouter, events } from './router.js'
import { createContext } from './trpc.js'

const COOK: TokenSpec = { username: 'carla', roles: ['cook'] }
const GUEST: TokenSpec = { username: 'gina', roles: ['guest'] }

async function start (t: TestContext) {
  const realm = await createTestRealm()
  const app = await buildApp(realm.options)
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  t.after(async () => {
    await app.close()
    await realm.close()
  })
  const headers = (as: TokenSpec | null) => as === null ? {} : realm.headers(as)
  const client = (as: TokenSpec | null, link: typeof httpLink | typeof httpBatchLink = httpLink) => createTRPCClient<AppRouter>({ links: [link({ url: `${url}/trpc`, headers: () => headers(as) })] })
  const ask = async (path: string, as: TokenSpec | null = null, options: RequestInit = {}) => {
    const response = await fetch(`${url}/trpc/${path}`, { ...options, headers: { ...headers(as), ...options.headers } })
    const answers = [await response.json()].flat()
    return { status: response.status, headers: response.headers, codes: answers.map(({ error }) => error?.data?.keycloak ?? error?.data?.code ?? null), answers }
  }
  return { app, realm, url, client, ask, headers }
}

/** The codes of an error as a client reads them. */
async function refusal (call: Promise<unknown>) {
  const error = await call.then(() => assert.fail('it was answered'), (error) => error)
  assert.ok(error instanceof TRPCClientError)
  return [error.data?.httpStatus, error.data?.code, error.data?.keycloak]
}

test('this procedure alone answers a stranger: a change of this list is a change to look at', async (t) => {
  const { url } = await start(t)
  const open = []
  for (const [path, { _def: { type } }] of Object.entries(appRouter._def.procedures as unknown as Record<string, AnyTRPCProcedure>)) {
    const response = await fetch(`${url}/trpc/${path}`, type === 'mutation' ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' } : {})
    // The status of a subscription is 200, and its first event is the error.
    if (!(await response.text()).includes('"keycloak":"not_authenticated"')) open.push(path)
  }
  assert.deepEqual(open, ['menu'])
})

test('a refusal has its code in the shape of tRPC', async (t) => {
  const { client, ask } = await start(t)
  assert.deepEqual(await client(null).menu.query(), { soup: 4.5 })
  assert.deepEqual(await client(GUEST).menu.query(), { soup: 4.5, hello: 'gina' })
  assert.equal((await client(GUEST).me.query()).username, 'gina')
  assert.deepEqual(await refusal(client(null).me.query()), [401, 'UNAUTHORIZED', 'not_authenticated'])
  assert.deepEqual(await refusal(client(GUEST).orders.list.query()), [403, 'FORBIDDEN', 'permission_denied'])
  assert.equal((await client(GUEST).orders.place.mutate({ dish: 'soup' })).customer, 'gina')
  assert.equal((await client({ username: 'otto', scope: 'order' }).orders.place.mutate({ dish: 'tea' })).dish, 'tea')
  assert.ok((await client(COOK).orders.list.query()).length > 0)
  const { headers, answers } = await ask('me')
  assert.equal(headers.get('www-authenticate'), 'Bearer realm="orders"')
  assert.equal(answers[0].error.data.stack, undefined)
})

test('who may not call learns nothing of the input: 401 and 403 come before 400', async (t) => {
  const { ask } = await start(t)
  const wrong = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"dish":1}' }
  assert.equal((await ask('orders.place', null, wrong)).status, 401)
  assert.equal((await ask('orders.place', COOK, wrong)).status, 403)
  assert.equal((await ask('orders.place', GUEST, wrong)).status, 400)
})

test('a bad token is refused for public procedures too, and in batches, in the shape of tRPC', async (t) => {
  const { client, ask } = await start(t)
  assert.deepEqual(await refusal(client({ expired: true }).menu.query()), [401, 'UNAUTHORIZED', 'token_expired'])
  const batched = client({ forged: true }, httpBatchLink)
  const [one, other] = await Promise.all([refusal(batched.menu.query()), refusal(batched.me.query())])
  assert.deepEqual([one, other], Array(2).fill([401, 'UNAUTHORIZED', 'token_not_valid']))
  assert.match(String((await ask('menu', { expired: true })).headers.get('www-authenticate')), /error="invalid_token"/)
})

test('an outage is 503; what verify() throws in a procedure is no 500', async (t) => {
  const { realm, client } = await start(t)
  assert.match(String(await client(GUEST).recheck.query()), /^[\da-f-]{36}$/)
  await realm.down()
  assert.deepEqual(await refusal(client({ ...GUEST, kid: 'new' }).menu.query()), [503, 'SERVICE_UNAVAILABLE', 'keycloak_unavailable'])
})

test('each call of a batch is decided for itself, and a batch is no way around', async (t) => {
  const { ask } = await start(t)
  const batch = (paths: string, as: TokenSpec | null) => ask(`${paths}?batch=1&input={}`, as)
  const mixed = await batch('menu,me,orders.list', null)
  assert.deepEqual([mixed.status, mixed.codes], [207, [null, 'not_authenticated', 'not_authenticated']])
  assert.deepEqual((await batch('menu,me,orders.list', GUEST)).codes, [null, null, 'permission_denied'])
  for (const path of ['orders%2Elist', 'orders.list%20', 'menu,orders.list', 'orders/list', '%6frders.list', 'orders.list?batch=1', 'toString', '__proto__', 'constructor.name']) {
    const { answers } = await ask(path, GUEST)
    assert.ok(answers.every(({ result }) => result === undefined), path)
  }
  assert.equal((await batch(Array(11).fill('menu').join(), null)).status, 400, 'a batch has its limit')
})

test('neither another method nor a preflight calls a procedure', async (t) => {
  const { ask, url } = await start(t)
  const count = events.listenerCount('order')
  assert.equal((await ask('orders.place?input={"dish":"x"}', GUEST)).status, 405, 'a link changes nothing')
  for (const method of ['PUT', 'PATCH', 'DELETE']) assert.notEqual((await ask('me', GUEST, { method })).status, 200)
  for (const method of ['HEAD', 'OPTIONS']) {
    const response = await fetch(`${url}/trpc/orders.list`, { method, headers: { origin: 'https://evil.example', 'access-control-request-method': 'GET' } })
    assert.doesNotMatch(await response.text(), /result/)
  }
  assert.equal(events.listenerCount('order'), count)
})

test('a context without a request of Fastify is an error, since its user would be undefined and not null', () => {
  const req = new IncomingMessage(new Socket())
  assert.throws(() => createContext({ req } as never), /request of Fastify/)
})

test('a subscription needs its role, and ends at a logout', async (t) => {
  const context = await start(t)
  const [, refused] = await stream(t, context, GUEST)
  assert.match(await refused(), /"keycloak":"permission_denied"/)
  const [{ body }] = await stream(t, context, COOK)
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (!text.includes('"ready":true')) text += (await reader.read()).value
  await context.client(GUEST).orders.place.mutate({ dish: 'cake' })
  while (!text.includes('"dish":"cake"')) text += (await reader.read()).value
  await context.app.inject({
    method: 'POST',
    url: '/backchannel-logout',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: String(new URLSearchParams({ logout_token: context.realm.token({ kind: 'logout', username: 'carla' }) }))
  })
  for (let chunk; !(chunk = await reader.read()).done;) text += chunk.value
  assert.match(text, /event: serialized-error\ndata: .*"keycloak":"token_not_valid"/)
  assert.equal(events.listenerCount('order'), 0, 'the procedure has ended')
})

/** A subscription as its stream of events. */
async function stream (t: TestContext, { url, headers }: { url: string, headers (as: TokenSpec | null): Record<string, string> }, as: TokenSpec | null) {
  const response = await fetch(`${url}/trpc/orders.placed`, { headers: { accept: 'text/event-stream', ...headers(as) } })
  return [response, () => response.text()] as const
}
