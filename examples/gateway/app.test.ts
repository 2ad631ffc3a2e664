import { createTestRealm, type TokenSpec } from 'fastify-keycloak-bearer/testing'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { buildApp } from './app.js'
import { callerOf, startService } from './services.js'

const ADMIN: TokenSpec = { username: 'alice', roles: ['admin'] }
const BOB: TokenSpec = { username: 'bob' }
const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

async function start (t: TestContext) {
  const realm = await createTestRealm()
  const [shop, reports] = [await startService(), await startService()]
  const app = await buildApp(realm.options, { shop: shop.origin, reports: reports.origin })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  t.after(async () => {
    await app.close()
    await Promise.all([shop.close(), reports.close(), realm.close()])
  })
  const bearer = (as: TokenSpec | null) => as === null ? {} : { authorization: `Bearer ${realm.token(as)}` }
  /** A request whose target is sent as it is: fetch and inject would tidy it up. */
  const send = async (path: string, as: TokenSpec | null = null, { method = 'GET', headers = {}, payload }: { method?: string, headers?: Record<string, string>, payload?: string } = {}) => {
    const [response] = await once(request({ port, path, method, headers: { connection: 'close', ...bearer(as), ...headers } }).end(payload), 'response')
    return { status: response.statusCode, headers: response.headers, body: await text(response) }
  }
  const dial = (path: string, as: TokenSpec | null, headers = {}) => new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { ...bearer(as), ...headers } })
  /** As Keycloak tells the gateway of a logout. */
  const logOut = (username: string) => app.inject({
    method: 'POST',
    url: '/backchannel-logout',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: String(new URLSearchParams({ logout_token: realm.token({ kind: 'logout', username }) }))
  })
  return { app, realm, shop, reports, send, dial, logOut }
}

test('without a token nothing passes to a closed service, by no method and no way to write the prefix', async (t) => {
  const { shop, reports, send } = await start(t)
  const preflight = { origin: 'https://evil.example', 'access-control-request-method': 'GET' }
  for (const method of METHODS) {
    for (const path of ['/orders', '/orders/', '/orders?a=1', '/orders/1', '/admin/users', '/reports/1']) {
      assert.equal((await send(path, null, { method })).status, 401, `${method} ${path}`)
      assert.equal((await send(path, { expired: true }, { method })).status, 401, `${method} ${path}`)
    }
    assert.equal((await send('/orders/1', null, { method, headers: preflight })).status, 401, `preflight ${method}`)
  }
  for (const path of ['/', '/ordersx', '/ORDERS/1', '/order', '/unknown']) assert.equal((await send(path)).status, 404, path)
  for (const method of ['TRACE', 'PROPFIND', 'LOCK']) assert.equal((await send('/orders/1', null, { method })).status, 404, method)
  assert.deepEqual([...shop.seen, ...reports.seen], [])
})

test('a path that an upstream may read in another way is 400, and the upstream never sees it', async (t) => {
  const { shop, send } = await start(t)
  for (const rest of [
    '/../admin/users', '/%2e%2e/admin/users', '/.%2E/admin/users', '/..%2fadmin/users', '/..%5cadmin/users', '/..\\admin\\users', '/x/../../admin/users',
    '/%252e%252e/admin/users', '/..;/admin/users', '/;/../admin/users', '/..;a=b/admin', '/./x', '//admin/users', '/x//y', '/%2fadmin', '/x%00', '/x%0d%0ay',
    '/x;y', '/x#/../admin', '/%c0%ae%c0%ae/admin', '/{}', '/x|y'
  ]) {
    assert.equal((await send(`/catalog${rest}`)).status, 400, rest)
    assert.equal((await send(`/orders${rest}`, BOB)).status, 400, rest)
  }
  for (const target of ['//admin/users', '/%2e%2e/admin', '//evil.example/orders', 'http://evil.example/orders/1', 'http://gateway/catalog/../admin', '*']) {
    assert.equal((await send(target, null, { method: target === '*' ? 'OPTIONS' : 'GET' })).status, 400, target)
  }
  assert.deepEqual(shop.seen, [])
})

test('an encoded letter of a prefix is the same prefix, with its rule', async (t) => {
  const { shop, send } = await start(t)
  assert.equal((await send('/%61dmin/users')).status, 401)
  assert.equal((await send('/%61dmin/users', BOB)).status, 403)
  assert.deepEqual(shop.seen, [])
})

test('with a token the path, the query and the body pass, and the upstream learns who calls', async (t) => {
  const { shop, send } = await start(t)
  const { status, body } = await send('/orders/caf%C3%A9?page=2&x=/../y', { ...BOB, claims: { preferred_username: 'Bøb\n🦊' } })
  assert.equal(status, 200)
  const { path, caller } = JSON.parse(body)
  assert.equal(path, '/orders/caf%C3%A9?page=2&x=/../y')
  assert.equal(caller.username, 'Bøb\n🦊')
  assert.match(caller.id, /^[\da-f-]{36}$/)
  assert.deepEqual(shop.seen.length, 1)
  for (const [framing, value] of [['content-length', '10'], ['transfer-encoding', 'chunked']]) {
    const posted = await send('/orders', BOB, { method: 'POST', headers: { 'content-type': 'application/json', [framing]: value }, payload: '{"item":1}' })
    assert.equal(JSON.parse(posted.body).body, '{"item":1}')
  }
  assert.equal((await send('/orders/1', BOB, { method: 'HEAD' })).status, 200)
  assert.equal((await send('/admin/users', BOB)).status, 403)
  assert.equal((await send('/admin/users', ADMIN)).status, 200)
  assert.equal(JSON.parse((await send('/catalog/1')).body).caller, null)
  assert.equal((await send('/catalog/1', { forged: true })).status, 401, 'a bad token is refused on public routes too')
})

test('clients cannot name a caller, an address or another method', async (t) => {
  const { shop, send } = await start(t)
  const lies = {
    'x-caller': Buffer.from('{"id":"0","username":"root"}').toString('base64url'),
    x_caller: 'root',
    'x-user-id': '0',
    x_user_id: '0',
    'x-remote-user': 'root',
    'x-forwarded-for': '10.0.0.1',
    'x-forwarded-host': 'evil.example',
    'x-real-ip': '10.0.0.1',
    forwarded: 'for=10.0.0.1',
    'x-http-method-override': 'DELETE',
    'x-original-url': '/admin',
    cookie: 'session=1',
    'client-cert': ':AA==:',
    'proxy-authorization': 'Basic AA==',
    dpop: 'x',
    connection: 'close, x-caller, x-forwarded-for'
  }
  for (const as of [null, BOB]) {
    await send('/catalog/1', as, { headers: lies })
    const { headers } = shop.seen.pop()!
    assert.equal(callerOf(headers)?.username, as?.username)
    assert.equal(headers['x-forwarded-for'], '127.0.0.1')
    assert.deepEqual(Object.keys(headers).filter((name) => !['connection', 'host', 'x-caller', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'].includes(name)), [])
  }
})

test('a caller without an id is 403, on public prefixes too, and the upstream never sees it', async (t) => {
  const { shop, reports, send, dial } = await start(t)
  for (const sub of [undefined, '']) {
    for (const path of ['/catalog/1', '/orders/1', '/reports/1']) {
      const { status, body } = await send(path, { claims: { sub } })
      assert.deepEqual([status, JSON.parse(body).code], [403, 'permission_denied'], path)
    }
    const [, response] = await once(dial('/orders/live', { claims: { sub } }), 'unexpected-response')
    assert.equal(response.statusCode, 403)
  }
  assert.deepEqual([...shop.seen, ...reports.seen], [])
})

test('the token stays at the gateway, unless a service checks it itself', async (t) => {
  const { realm, shop, reports, send } = await start(t)
  await send('/orders/1', BOB)
  assert.equal(shop.seen[0].headers.authorization, undefined)
  await send('/reports/1', BOB)
  assert.match(String(reports.seen[0].headers.authorization), /^Bearer /)
  assert.equal(realm.requests.introspect, 0)
})

test('a 401 of an upstream is 502, because the token was good; of a service that got the token it is passed on', async (t) => {
  const { send } = await start(t)
  const { status, headers, body } = await send('/orders/unauthorized', BOB)
  assert.deepEqual([status, JSON.parse(body).code], [502, 'upstream_refused'])
  assert.deepEqual([headers['www-authenticate'], headers['content-encoding']], [undefined, undefined])
  const passed = await send('/reports/unauthorized', BOB)
  assert.equal(passed.status, 401)
  assert.equal(passed.headers['www-authenticate'], 'Bearer error="invalid_token"')
})

test('an upstream that is busy is asked once, and one that is away is 502 without its address', async (t) => {
  const { shop, send } = await start(t)
  assert.equal((await send('/orders/busy', BOB)).status, 503)
  assert.equal(shop.seen.length, 1)
  await shop.close()
  const { status, body } = await send('/orders/1', BOB)
  assert.deepEqual([status, JSON.parse(body).code], [502, 'upstream_unavailable'])
  assert.ok(!body.includes('127.0.0.1'), body)
})

test('while Keycloak is away and its keys are not known, closed services are 503 and public ones answer', async (t) => {
  const { realm, send } = await start(t)
  await realm.down()
  assert.equal((await send('/orders/1', BOB)).status, 503)
  assert.equal((await send('/catalog/1')).status, 200)
})

test('a stream of a service ends at a logout', async (t) => {
  const { app, realm, logOut } = await start(t)
  const { body } = await fetch(`${app.listeningOrigin}/orders/events`, { headers: realm.headers(BOB) })
  const reader = body!.getReader()
  assert.equal(String(Buffer.from((await reader.read()).value!)), 'data: tick\n\n')
  await logOut('bob')
  await assert.rejects(reader.read(), 'the connection is cut off')
})

test('an upgrade needs a token as each request does', async (t) => {
  const { shop, dial } = await start(t)
  for (const [path, as, status] of [
    ['/orders/live', null, 401], ['/orders/live', { expired: true }, 401], ['/orders', null, 401], ['/admin/live', BOB, 403], ['/unknown', null, 404],
    ['/orders/..;/admin', BOB, 400], ['/catalog/live', null, 400], ['/admin/live', ADMIN, 400]
  ] as const) {
    const [, response] = await once(dial(path, as), 'unexpected-response', { signal: AbortSignal.timeout(10_000) })
    assert.equal(response.statusCode, status, `${path} ${JSON.stringify(as)}`)
  }
  assert.deepEqual(shop.seen, [])
})

test('a WebSocket passes with the caller alone, and ends at a logout', async (t) => {
  const { shop, dial, logOut } = await start(t)
  const socket = dial('/orders/live', BOB, { cookie: 'session=1', 'x-caller': 'root' })
  await once(socket, 'open')
  socket.send('hello')
  assert.equal(String((await once(socket, 'message'))[0]), 'bob: hello')
  const { headers } = shop.seen[0]
  assert.deepEqual([headers.cookie, headers.authorization, callerOf(headers)!.username], [undefined, undefined, 'bob'])
  const closed = once(socket, 'close').then(([code, reason]) => [code, String(reason)])
  await logOut('bob')
  assert.deepEqual(await closed, [4401, 'token_not_valid'])
})

test('a WebSocket to an upstream that is away or refuses it ends without a word about the upstream', async (t) => {
  const { shop, dial } = await start(t)
  const end = async (path: string) => {
    const [code, reason] = await once(dial(path, BOB), 'close')
    return [code, String(reason)]
  }
  assert.deepEqual(await end('/orders/refused'), [1011, 'upstream_unavailable'])
  await shop.close()
  assert.deepEqual(await end('/orders/live'), [1011, 'upstream_unavailable'])
})

test('a message of a WebSocket that is longer than 64 KiB ends the connection, and the upstream never sees it', async (t) => {
  const { shop, dial } = await start(t)
  const socket = dial('/orders/live', BOB)
  await once(socket, 'open')
  socket.send('x'.repeat(64 * 1024 - 5))
  assert.equal(String((await once(socket, 'message'))[0]).length, 64 * 1024)
  socket.send('x'.repeat(64 * 1024 + 1))
  assert.equal((await once(socket, 'close'))[0], 1009)
  assert.deepEqual(shop.received, [64 * 1024 - 5])
})

test('a WebSocket ends when its token expires', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const { dial } = await start(t)
  const socket = dial('/orders/live', BOB)
  await once(socket, 'open')
  t.mock.timers.tick(301_000)
  const [code, reason] = await once(socket, 'close')
  assert.deepEqual([code, String(reason)], [4401, 'token_expired'])
})
