import { once } from 'node:events'
import websocket from '@fastify/websocket'
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import type { InjectAsOptions, TestRealm } from '../../lib/testing/index.js'
import { apiFor, realmFor } from '../support/app.js'

/** A realm and an API that echoes what reached it. */
async function both (t: Test): Promise<{ realm: TestRealm, app: FastifyInstance }> {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.post('/orders', { config: { permission: 'order' } }, async (request, reply) => reply.code(201).send({
    by: request.user.username, query: request.query, body: request.body, note: request.headers['x-note']
  }))
  app.delete('/orders/:id', { config: { authenticated: true } }, async () => 'gone')
  return { realm, app }
}

t.test('a request is made as anybody that the test names, in one line', async t => {
  const { realm, app } = await both(t)
  const cases: Array<[as: InjectAsOptions['as'], status: number, code?: string]> = [
    [{ username: 'bob', roles: ['view-profile'] }, 200],
    [{ username: 'bob' }, 403, 'permission_denied'],
    [{}, 403, 'permission_denied'],
    [{ roles: ['view-profile'], expired: true }, 401, 'token_expired'],
    [{ roles: ['view-profile'], forged: true }, 401, 'token_not_valid'],
    [realm.token({ roles: ['view-profile'] }), 200],
    [null, 401, 'not_authenticated'],
    [undefined, 401, 'not_authenticated']
  ]
  for (const [as, status, code] of cases) {
    const response = await realm.inject(app, { as, url: '/profile' })
    t.equal(response.statusCode, status)
    t.equal(response.json().code, code)
  }
  const { user } = (await realm.inject(app, { as: { username: 'bob' }, url: '/me' })).json()
  t.match(user, { username: 'bob', email: 'bob@example.com' })
})

t.test('all that app.inject takes goes along', async t => {
  const { realm, app } = await both(t)
  const response = await realm.inject(app, {
    as: { roles: ['order'] }, method: 'POST', url: '/orders', query: { dry: 'yes' }, headers: { 'x-note': 'hi' }, payload: { item: 1 }
  })
  t.equal(response.statusCode, 201)
  t.same(response.json(), { by: 'alice', query: { dry: 'yes' }, body: { item: 1 }, note: 'hi' })
})

t.test('what the test wrote stays as it was', async t => {
  const { realm, app } = await both(t)
  const request = { as: { roles: ['view-profile'] }, url: '/profile', headers: { 'x-note': 'hi' } }
  const before = structuredClone(request)
  for (const time of ['first', 'second']) t.equal((await realm.inject(app, request)).statusCode, 200, time)
  t.same(request, before)
})

t.test('a string is an anonymous request, with another method than GET before the URL', async t => {
  const { realm, app } = await both(t)
  t.equal((await realm.inject(app, '/open')).statusCode, 200)
  t.equal((await realm.inject(app, 'GET /open')).statusCode, 200)
  t.equal((await realm.inject(app, 'DELETE /orders/1')).json().code, 'not_authenticated')
  t.equal((await realm.inject(app, 'DELETE /open')).statusCode, 404)
})

t.test('as and an Authorization header do not go together, however that is written', async t => {
  const { realm, app } = await both(t)
  for (const name of ['authorization', 'Authorization', 'AUTHORIZATION']) {
    await t.rejects(realm.inject(app, { as: {}, url: '/me', headers: { [name]: 'Bearer x' } }), {
      name: 'TypeError',
      message: 'TestRealm.inject() has both as and an Authorization header: write one of them.'
    })
  }
  t.equal((await realm.inject(app, { url: '/me', headers: realm.headers() })).statusCode, 200, 'a header alone does')
  t.equal((await realm.inject(app, { as: null, url: '/open', headers: { authorization: 'Basic YTpi' } })).statusCode, 200)
})

t.test('a username where a token belongs is told so, and not repeated', async t => {
  const { realm, app } = await both(t)
  const problem = {
    name: 'TypeError',
    message: "TestRealm: a string must be a token here, and this string is not a token; for a user write { username: 'bob' }."
  }
  await t.rejects(realm.inject(app, { as: 'carol', url: '/me' }), problem)
  t.throws(() => realm.headers(''), problem)
})

t.test('a token is asked for as it should be, or refused in one sentence', async t => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const all = 'username, sub, roles, realmRoles, clientRoles, groups, organizations, authorizedParty, scope, acr, authTime, dpop, certificate, claims, header, kind, alg, expired, expiresIn, age, forged, kid'
  const cases: Array<[spec: unknown, message: string]> = [
    [{ role: ['admin'] }, '"role" is unknown; write "roles".'],
    [{ Username: 'bob' }, '"Username" is unknown; write "username".'],
    [{ expires: 5 }, '"expires" is unknown; write "expired".'],
    [{ email: 'a@example.com' }, `"email" is unknown; write one of ${all}; a claim goes into claims.`],
    [{ aud: 'api' }, `"aud" is unknown; write one of ${all}; a claim goes into claims.`],
    [{ roles: 'admin' }, 'roles must be an array of strings, not a string.'],
    [{ realmRoles: [1] }, 'realmRoles must be an array of strings, not an array.'],
    [{ username: null }, 'username must be a string, not null.'],
    [{ claims: [] }, 'claims must be an object, not an empty array.'],
    [{ expired: 1 }, 'expired must be true or false, not a number.'],
    [{ expiresIn: '5m' }, 'expiresIn must be a number of seconds, not a string.'],
    [{ age: NaN }, 'age must be a number of seconds, not a number.'],
    [{ kid: 5 }, 'kid must be a string or null, not a number.']
  ]
  for (const [spec, message] of cases) {
    const problem = { name: 'TypeError', message: `TestRealm.token(): ${message}` }
    t.throws(() => realm.token(spec as object), problem)
    t.throws(() => realm.headers(spec as object), problem)
    await t.rejects(realm.inject(app, { as: spec as object, url: '/me' }), problem)
  }
  for (const [spec, kind] of [[['admin'], 'an array'], [5, 'a number'], [true, 'true']]) {
    t.throws(() => realm.token(spec as object), {
      name: 'TypeError', message: `TestRealm.token() takes an object such as { username: 'bob', roles: ['admin'] }, not ${kind}.`
    })
  }
  t.doesNotThrow(() => realm.token({ roles: undefined, kid: null }), 'undefined is as good as nothing')
})

t.test('headers() goes wherever headers go: a real socket, a WebSocket', async t => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  await app.register(websocket)
  app.get('/live', { config: { permission: 'listen' }, websocket: true }, (socket, request) => {
    socket.on('message', () => socket.send(request.user!.username as string))
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })

  t.equal((await fetch(`${url}/profile`, { headers: realm.headers({ roles: ['view-profile'] }) })).status, 200)
  t.equal((await fetch(`${url}/me`, { headers: realm.headers(realm.token()) })).status, 200)
  t.equal((await fetch(`${url}/profile`, { headers: realm.headers() })).status, 403)

  const socket = await app.injectWS('/live', { headers: realm.headers({ username: 'bob', roles: ['listen'] }) })
  const answered = once(socket, 'message')
  socket.send('who am I?')
  t.equal(String((await answered)[0]), 'bob')
  socket.terminate()
  await t.rejects(app.injectWS('/live', { headers: realm.headers() }), { message: 'Unexpected server response: 403' })
  await t.rejects(app.injectWS('/live'), { message: 'Unexpected server response: 401' })
})
