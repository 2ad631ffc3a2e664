import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { test, type TestContext } from 'node:test'
import type { FastifyReply } from 'fastify'
import { whenClosed } from './answer.js'
import { buildApp, type AppOptions } from './app.js'
import { startRealm } from './realm.js'
import { REDIRECT, TestClient } from './test-client.js'
import { userOf } from './user.js'

const LIMIT = { timeout: 60_000 }

async function start (t: TestContext, options: Pick<AppOptions, 'sessions'> = {}) {
  const url = `http://127.0.0.1:${await freePort()}/mcp`
  const realm = await startRealm(url)
  const app = await buildApp({ url, keycloak: { issuer: realm.issuer }, ...options })
  await app.listen({ host: '127.0.0.1', port: Number(new URL(url).port) })
  const clients: TestClient[] = []
  t.after(async () => {
    for (const client of clients) await client.close()
    await app.close()
    await realm.close()
  })
  const clientOf = ({ username, clientId, scope }: { username: string, clientId?: string, scope?: string }) => {
    const client = new TestClient(url, username, { client: clientId === undefined ? undefined : { client_id: clientId, issuer: realm.issuer }, scope })
    clients.push(client)
    return client
  }
  return { url, realm, app, clientOf }
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

test('everybody sees the tools; the first call leads through discovery, registration and login', LIMIT, async (t) => {
  const { clientOf } = await start(t)
  const bob = clientOf({ username: 'bob' })
  await bob.connect()
  assert.deepEqual(await bob.tools(), ['list-notes', 'write-note', 'clear-notes'])
  assert.equal(bob.logins.length, 0)
  assert.equal(await bob.call('list-notes'), '[]')
  assert.deepEqual(bob.logins.map((scope) => scope.split(' ').sort()), [['acr', 'notes', 'notes:write']])
  assert.equal(await bob.call('write-note', { text: 'Buy milk' }), 'The note is written.')
  assert.equal(await bob.call('list-notes'), '["Buy milk"]')
  assert.equal(bob.logins.length, 1)
})

test('a client that has too few scopes is asked for more, and logs in with all of them', LIMIT, async (t) => {
  const { clientOf } = await start(t)
  const alice = clientOf({ username: 'alice', clientId: 'mcp-client', scope: 'notes' })
  await alice.connect()
  assert.equal(await alice.call('list-notes'), '[]')
  assert.equal(await alice.call('write-note', { text: 'Buy milk' }), 'The note is written.')
  assert.equal(alice.logins.length, 2)
  assert.deepEqual(alice.logins[1]!.split(' ').filter((scope) => scope.startsWith('notes')).sort(), ['notes', 'notes:write'])
  assert.equal(await alice.call('write-note', { text: 'Walk the dog' }), 'The note is written.')
  assert.equal(alice.logins.length, 2)
})

test('a client that has registered with too few scopes cannot ask for more, as at Keycloak', LIMIT, async (t) => {
  const { clientOf, realm } = await start(t)
  const registered = await fetch(`${realm.issuer}/clients-registrations/openid-connect`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none', scope: 'notes' })
  })
  const { client_id: clientId } = await registered.json() as { client_id: string }
  const alice = clientOf({ username: 'alice', clientId, scope: 'notes' })
  await alice.connect()
  assert.equal(await alice.call('list-notes'), '[]')
  await assert.rejects(alice.call('write-note', { text: 'Buy milk' }), /The realm refuses: Invalid scopes/)
})

test('a tool for a level leads to a login with a second factor', LIMIT, async (t) => {
  const { clientOf } = await start(t)
  for (const clientId of ['mcp-client', undefined]) {
    const alice = clientOf({ username: 'alice', clientId })
    await alice.connect()
    await alice.call('list-notes')
    assert.equal(await alice.call('write-note', { text: 'Buy milk' }), 'The note is written.')
    assert.equal(alice.logins.length, 1)
    assert.equal(await alice.call('clear-notes'), 'The notes are deleted.')
    assert.equal(alice.logins.length, 2)
    assert.equal(await alice.call('list-notes'), '[]')
  }
})

test('notes belong to their user', LIMIT, async (t) => {
  const { clientOf } = await start(t)
  const [alice, bob] = ['alice', 'bob'].map((username) => clientOf({ username, clientId: 'mcp-client' }))
  await alice!.connect()
  await bob!.connect()
  await alice!.call('write-note', { text: 'Buy milk' })
  assert.equal(await bob!.call('list-notes'), '[]')
})

test('a session belongs to the user who opened it', LIMIT, async (t) => {
  const { url, clientOf } = await start(t, { sessions: true })
  const [alice, bob] = ['alice', 'bob'].map((username) => clientOf({ username, clientId: 'mcp-client' }))
  await alice!.connect()
  await bob!.connect()
  assert.deepEqual(await alice!.tools(), ['list-notes', 'write-note', 'clear-notes'])
  const opened = alice!.sessionId!
  const status = (client: TestClient, method: string, id = opened) => statusOf(url, client.accessToken, method, id)
  for (const method of ['POST', 'GET', 'DELETE']) assert.equal(await status(bob!, method), 404, method)
  assert.equal(await status(alice!, 'POST', crypto.randomUUID()), 404)
  assert.equal(await status(alice!, 'POST'), 200)
  await alice!.end()
  assert.equal(await status(alice!, 'POST'), 404, 'a DELETE ends the session')
})

test('without a token there is no session', LIMIT, async (t) => {
  const { url } = await start(t, { sessions: true })
  for (const method of ['POST', 'GET', 'DELETE']) assert.equal(await statusOf(url, undefined, method), 401, method)
})

test('one session more ends the oldest of the user, and nobody else\'s', LIMIT, async (t) => {
  const { url, realm } = await start(t, { sessions: { max: 3, maxOfUser: 2 } })
  const token = (username: string) => realm.token({ username, scope: 'openid notes', claims: { aud: url } })
  const open = (username: string) => initialize(url, token(username))
  const [first, second] = [await open('alice'), await open('alice')]
  const bobs = await open('bob')
  const third = await open('alice')
  assert.equal(await statusOf(url, token('alice'), 'POST', first.id), 404)
  for (const { id } of [second, third]) assert.equal(await statusOf(url, token('alice'), 'POST', id), 200)
  assert.equal((await open('carol')).status, 503, 'there is no room for others')
  assert.equal(await statusOf(url, token('bob'), 'POST', bobs.id), 200)
})

test('a pause ends a session', LIMIT, async (t) => {
  const { url, realm } = await start(t, { sessions: { idle: 1 } })
  const token = realm.token({ scope: 'openid notes', claims: { aud: url } })
  const { id } = await initialize(url, token)
  while (await statusOf(url, token, 'POST', id) !== 404) await new Promise((resolve) => setTimeout(resolve, 5))
})

test('a logout ends the sessions with an open stream, at once', LIMIT, async (t) => {
  const { app, url, realm } = await start(t, { sessions: true })
  const token = realm.token({ scope: 'openid notes', claims: { aud: url } })
  const { id } = await initialize(url, token)
  const stream = await fetch(url, { headers: headersOf(token, id) })
  assert.equal(stream.status, 200)
  const form = new URLSearchParams({ logout_token: realm.token({ kind: 'logout', authorizedParty: 'mcp-client' }) })
  const { statusCode } = await app.inject({ method: 'POST', url: '/backchannel-logout', headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: form.toString() })
  assert.equal(statusCode, 200)
  await stream.text()
  const again = realm.token({ scope: 'openid notes', claims: { aud: url, sid: 'another login of alice' } })
  assert.equal(await statusOf(url, again, 'POST', id), 404)
})

test('an expired token ends its stream, and the session goes on with the next one', LIMIT, async (t) => {
  const { url, realm } = await start(t, { sessions: true })
  const token = (expiresIn: number) => realm.token({ scope: 'openid notes', expiresIn, claims: { aud: url } })
  const { id } = await initialize(url, token(300))
  await (await fetch(url, { headers: headersOf(token(5), id) })).text()
  assert.equal(await statusOf(url, token(300), 'POST', id), 200)
})

test('a sub of another issuer is another user', () => {
  const user = { iss: 'https://keycloak.example/realms/acme', sub: '1' }
  assert.equal(userOf({ ...user }), userOf(user))
  assert.notEqual(userOf({ ...user, iss: 'https://keycloak.example/realms/globex' }), userOf(user))
  assert.equal(userOf({ iss: user.iss }), undefined)
})

test('a session is not held for a client who has left before the answer', async () => {
  for (const hasLeft of [true, false]) {
    const raw = new PassThrough()
    if (hasLeft) await once(raw.destroy(), 'close')
    let closed = 0
    whenClosed({ raw } as unknown as FastifyReply, () => { closed++ })
    assert.equal(closed, hasLeft ? 1 : 0)
    if (!hasLeft) await once(raw.destroy(), 'close')
    assert.equal(closed, 1)
  }
})

test('pages of other origins must not call a server on the user\'s machine', LIMIT, async (t) => {
  const { url } = await start(t)
  const answer = (origin: string) => fetch(url, { method: 'POST', headers: { ...headersOf(), origin }, body: LIST })
  assert.equal((await answer('https://evil.example')).status, 403)
  const inspector = await answer('http://localhost:6274')
  assert.equal(inspector.status, 200)
  assert.equal(inspector.headers.get('access-control-allow-origin'), 'http://localhost:6274')
})

const LIST = jsonOf({ method: 'tools/list' })

function jsonOf (request: object): Blob {
  return new Blob([JSON.stringify({ jsonrpc: '2.0', id: 1, ...request })], { type: 'application/json' })
}

function headersOf (token?: string, session?: string): Record<string, string> {
  return {
    accept: 'application/json, text/event-stream',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(session !== undefined && { 'mcp-session-id': session })
  }
}

async function statusOf (url: string, token: string | undefined, method: string, session?: string): Promise<number> {
  const response = await fetch(url, { method, headers: headersOf(token, session), ...(method === 'POST' && { body: LIST }) })
  await response.body?.cancel()
  return response.status
}

async function initialize (url: string, token: string): Promise<{ status: number, id: string }> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1.0.0' } }
  const response = await fetch(url, { method: 'POST', headers: headersOf(token), body: jsonOf({ method: 'initialize', params }) })
  await response.body?.cancel()
  return { status: response.status, id: response.headers.get('mcp-session-id') ?? '' }
}
