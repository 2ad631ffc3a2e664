import Fastify, { type FastifyError } from 'fastify'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import keycloak from '../../index.js'
import type { TestRealm, TokenSpec } from '../../lib/testing/index.js'
import { apiFor, ask, logging, realmFor, until, WARN } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { action, backchannel, beginLogout, LOGOUT, logOut, now, post, push } from '../support/logout.js'

const FORM = 'application/x-www-form-urlencoded'

t.test('a logout token that breaks any rule is 400 with the error body of OpenID Connect, is logged, and changes nothing', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, LOGOUT, log)
  const claims = (more: Record<string, unknown>): TokenSpec => ({ claims: more })
  const event = 'http://schemas.openid.net/event/backchannel-logout'
  const bad: Array<[TokenSpec, string]> = [
    [{ header: { typ: 'at+jwt' } }, 'header "typ" is not allowed'],
    [{ header: { typ: 'id+jwt' } }, 'header "typ" is not allowed'],
    [{ header: { typ: 5 as never } }, 'header "typ" is not allowed'],
    [{ header: { crit: ['exp'] } }, 'header "crit" is not allowed, because no extension is supported'],
    [{ header: { alg: 'none' } }, 'the algorithm is not allowed'],
    [{ header: { alg: 'HS256' } }, 'the algorithm is not allowed'],
    [{ header: { kid: 5 as never } }, 'the kid is not a string'],
    [{ forged: true }, 'the signature does not verify'],
    [{ kid: 'unknown' }, 'no key of the realm fits kid and alg'],
    [claims({ exp: undefined }), 'exp is missing'],
    [claims({ exp: '2099' }), 'exp is not a finite number'],
    [claims({ iat: undefined }), 'iat is missing'],
    [claims({ iss: undefined }), 'iss is not the issuer'],
    [claims({ iss: `${realm.issuer}/` }), 'iss is not the issuer'],
    [claims({ aud: undefined }), 'aud is missing'],
    [claims({ aud: 'api' }), 'aud names none of the audience'],
    [claims({ aud: ['api', 5] }), 'aud is neither a string nor an array of strings'],
    [claims({ typ: 'Bearer' }), 'typ is not Logout'],
    [claims({ typ: null }), 'typ is not Logout'],
    [claims({ events: undefined }), 'events has no back-channel logout'],
    [claims({ events: [event] }), 'events has no back-channel logout'],
    [claims({ events: {} }), 'events has no back-channel logout'],
    [claims({ events: { [event]: true } }), 'events has no back-channel logout'],
    [claims({ events: { [event]: [] } }), 'events has no back-channel logout'],
    [claims({ nonce: 'n' }), 'nonce is not allowed'],
    [claims({ nonce: null }), 'nonce is not allowed'],
    [claims({ sid: undefined, sub: undefined }), 'sid or sub is missing'],
    [claims({ sid: 5 }), 'sid is not a string'],
    [claims({ sid: '' }), 'sid is not a string'],
    [claims({ sid: undefined, sub: ['a'] }), 'sub is not a string'],
    [claims({ jti: undefined }), 'jti is missing'],
    [claims({ jti: 5 }), 'jti is not a string'],
    [{ kind: 'access' }, 'aud names none of the audience'],
    [{ kind: 'id' }, 'typ is not Logout'],
    [{ kind: 'refresh' }, 'aud names none of the audience']
  ]
  for (const [spec, reason] of bad) {
    const { status, body, headers } = await logOut(app, realm, spec)
    t.equal(status, 400, reason)
    t.same(body, { error: 'invalid_request', error_description: reason })
    t.equal(headers['cache-control'], 'no-store')
    t.match(headers['content-type'], /^application\/json/)
  }
  t.equal((await backchannel(app, 'x.y.z')).status, 400)
  t.equal(app.keycloak.health().revocation!.entries, 0)
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.match(log.lines.find(({ level }) => level === WARN), { msg: 'a back-channel logout was refused: header "typ" is not allowed' })
  t.notMatch(log.text, /eyJ|another-session/)
})

t.test('what the specification allows is taken', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const good: TokenSpec[] = [
    { header: { typ: 'LOGOUT+JWT' } },
    { header: { typ: 'application/logout+jwt' } },
    { header: { typ: 'JWT' } },
    { header: { typ: undefined } },
    { claims: { typ: undefined } },
    { claims: { sub: undefined } },
    { claims: { aud: ['web', 'other'] } },
    { claims: { events: { 'http://schemas.openid.net/event/backchannel-logout': { more: 1 }, other: {} } } },
    { kid: null }
  ]
  for (const spec of good) t.equal((await logOut(app, realm, spec)).status, 200, JSON.stringify(spec))
})

t.test('a form has one logout_token, and whatever else it likes', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const token = () => realm.token({ kind: 'logout' })
  const send = (body: string, type = FORM) => post(app, '/backchannel-logout', type, body)
  for (const [body, type, reason] of [
    ['', FORM, 'the form does not have exactly one logout_token'],
    ['a=b', FORM, 'the form does not have exactly one logout_token'],
    [`logout_token=${token()}&logout_token=${token()}`, FORM, 'the form does not have exactly one logout_token'],
    ['logout_token=', FORM, 'the token does not have three parts'],
    // One character lies 1024 above one of base64url, and would become that one if only eight bits of it were kept.
    [`logout_token=${encodeURIComponent(token().replace(/(?<=\..*\.)\w/, (character) => String.fromCharCode(0x400 + character.charCodeAt(0))))}`, FORM, 'the signature does not verify'],
    [token(), 'text/plain', `the body must be ${FORM}`],
    [JSON.stringify({ logout_token: token() }), 'application/json', `the body must be ${FORM}`],
    [`logout_token=${token()}`, 'multipart/form-data; boundary=x', `the body must be ${FORM}`]
  ] as const) {
    t.match(await send(body, type), { status: 400, body: { error: 'invalid_request', error_description: reason } })
  }
  t.equal((await send(`logout_token=${token()}&state=x`)).status, 200)
  t.equal((await send(`logout_token=${token()}`, `${FORM}; charset=UTF-8`)).status, 200)
  const empty = await app.inject({ method: 'POST', url: '/backchannel-logout' })
  t.match(empty.json(), { error: 'invalid_request', error_description: 'there is no body' })
  t.equal((await app.inject({ method: 'GET', url: '/backchannel-logout' })).statusCode, 404)
})

t.test('a token counts once, for as long as it lives', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, revocation: { max: 3, leeway: 0 } })
  const token = realm.token({ kind: 'logout', expiresIn: 60, claims: { iat: now() - 30 } })
  t.equal((await backchannel(app, token)).status, 200)
  const again = await backchannel(app, token)
  t.match(again, { status: 400, body: { error_description: 'the call was made before' } })
  const [clocks, jti] = [clocksFor(t), 'the-same-id']
  t.equal((await logOut(app, realm, { claims: { jti }, expiresIn: 30 })).status, 200)
  t.equal((await logOut(app, realm, { claims: { jti }, expiresIn: 60 })).status, 400, 'another token of the same id')
  clocks.advance(31)
  t.equal((await logOut(app, realm, { claims: { jti }, expiresIn: 60 })).status, 200, 'once the first has ended')
  t.equal((await logOut(app, realm, { claims: { jti }, expiresIn: 60 })).status, 400)
  for (let times = 0; times < 3; times++) t.equal((await logOut(app, realm)).status, 200)
  t.equal((await logOut(app, realm, { claims: { jti }, expiresIn: 60 })).status, 200, 'ids are remembered in bounds as well')
})

t.test('the same call twice at once is one call', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  const token = realm.token({ kind: 'logout' })
  const answers = await Promise.all([backchannel(app, token), backchannel(app, token)])
  t.same(answers.map(({ status }) => status), [200, 200])
  t.equal((await backchannel(app, token)).status, 400)
})

t.test('a push that breaks any rule is 400, is logged, and changes nothing', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, LOGOUT, log)
  const name = 'PUSH_NOT_BEFORE'
  const bad: Array<[Record<string, unknown>, string]> = [
    [action(name, { typ: 'Bearer' }), 'typ is not allowed'],
    [action('LOGOUT'), 'the action is not that of the route'],
    [action(name, { action: undefined }), 'the action is not that of the route'],
    [action(name, { resource: 'web' }), 'the resource is not this client'],
    [action(name, { resource: ['api'] }), 'the resource is not this client'],
    [action(name, { expiration: undefined }), 'expiration is missing'],
    [action(name, { expiration: '1' }), 'expiration is not a finite number'],
    [action(name, { id: undefined }), 'id is not a string'],
    [action(name, { id: '' }), 'id is not a string'],
    [action(name, { notBefore: undefined }), 'notBefore is missing or negative'],
    [action(name, { notBefore: -1 }), 'notBefore is missing or negative'],
    [action(name, { notBefore: 'now' }), 'notBefore is not a finite number']
  ]
  for (const [payload, reason] of bad) {
    t.match(await push(app, realm.sign(payload), 'k_push_not_before'), { status: 400, body: { error: 'invalid_request', error_description: reason } })
  }
  const sessions: Array<[unknown, string]> = [
    [[], 'keycloakSessionIds is not a list of sessions'],
    ['a', 'keycloakSessionIds is not a list of sessions'],
    [['a', 5], 'keycloakSessionIds is not a list of sessions'],
    [['a', ''], 'keycloakSessionIds is not a list of sessions']
  ]
  for (const [keycloakSessionIds, reason] of sessions) {
    t.match(await push(app, realm.sign(action('LOGOUT', { keycloakSessionIds })), 'k_logout'), { status: 400, body: { error_description: reason } })
  }
  t.equal((await push(app, realm.sign(action(name)), 'k_logout')).status, 400, 'the other route')
  t.equal((await push(app, realm.sign(action(name), { typ: 'logout+jwt' }), 'k_push_not_before')).status, 400)
  t.equal((await push(app, realm.sign(action(name), { alg: 'none' }), 'k_push_not_before')).status, 400)
  t.equal((await push(app, realm.sign(action(name), { alg: 'HS256' }), 'k_push_not_before')).status, 400)
  t.equal((await push(app, realm.token(), 'k_push_not_before')).status, 400)
  t.equal((await post(app, '/keycloak/k_logout', FORM, `logout_token=${realm.sign(action('LOGOUT'))}`)).status, 400)
  t.same(app.keycloak.health().revocation, { ok: true, entries: 0, notBefore: 0, lag: null })
  t.match(log.lines.find(({ level }) => level === WARN), { msg: 'a push of not-before was refused: typ is not allowed' })
})

t.test('bad calls do not flood the log', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, LOGOUT, log)
  const clocks = clocksFor(t)
  for (let times = 0; times < 50; times++) t.equal((await backchannel(app, 'x')).status, 400)
  const warnings = () => log.lines.filter(({ level }) => level === WARN)
  t.equal(warnings().length, 10)
  clocks.advance(10.1)
  await backchannel(app, 'x')
  t.equal(warnings().length, 11)
  t.equal(warnings()[10]!.unwritten, 40)
})

t.test('a body has a size', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, LOGOUT)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const send = (path: string, type: string, body: string | ReadableStream) =>
    fetch(url + path, { method: 'POST', headers: { 'content-type': type }, body, ...(typeof body !== 'string' && { duplex: 'half' }) } as RequestInit)
  const token = realm.token({ kind: 'logout' })
  for (const [size, status] of [[65_536, 200], [65_537, 400], [10_000_000, 400]]) {
    const body = `logout_token=${realm.token({ kind: 'logout' })}&x=`
    const answer = await send('/backchannel-logout', FORM, body.padEnd(size!, 'x'))
    t.equal(answer.status, status, `${size} bytes`)
    await answer.text()
  }
  t.equal((await send('/keycloak/k_logout', 'text/plain', 'x'.repeat(100_000))).status, 400)
  // Without a length, in chunks.
  const chunked = await send('/backchannel-logout', FORM, new Blob([`logout_token=${token}&x=`, 'x'.repeat(100_000)]).stream())
  t.match(await chunked.json(), { error_description: 'the body has more than 65536 bytes' })
})

t.test('a body that is cut off is no call', async (t) => {
  const log = logging()
  const app = await apiFor(t, await realmFor(t), LOGOUT, log)
  const socket = await beginLogout(app)
  await once(app.server, 'request')
  socket.destroy()
  await until(() => log.text.includes('the body was cut off'))
  t.ok(log.lines.some(({ reasonCode }) => reasonCode === 'push_body_cut'))
  t.equal(app.keycloak.health().revocation!.entries, 0)
})

t.test('the application\'s own parsers and hooks stay what they are', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  app.addContentTypeParser(FORM, { parseAs: 'string' }, (_request, body, done) => done(null, { mine: body }))
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => done(null, { mine: body }))
  let busy = false
  app.addHook('onRequest', async (_request, reply) => { if (busy) return reply.code(429).send({ mine: true }) })
  app.addHook('preHandler', async (request) => { if (request.headers['x-fail']) throw Object.assign(new Error('mine'), { statusCode: 418 }) })
  app.setErrorHandler((error: FastifyError, _request, reply) => reply.code(error.statusCode ?? 500).send({ mine: error.message }))
  await app.register(keycloak, { ...realm.options, ...LOGOUT })
  app.post('/echo', async ({ body }) => body)
  for (const type of [FORM, 'text/plain']) t.same((await post(app, '/echo', type, 'a=b')).body, { mine: 'a=b' })
  t.equal((await logOut(app, realm)).status, 200)
  t.equal((await push(app, realm.sign(action('LOGOUT')), 'k_logout')).status, 200)
  const token = realm.token({ kind: 'logout' })
  const failing = await app.inject({ method: 'POST', url: '/backchannel-logout', headers: { 'content-type': FORM, 'x-fail': '1' }, payload: `logout_token=${token}` })
  t.equal(failing.statusCode, 418)
  t.same(failing.json(), { mine: 'mine' }, 'an error of the application is the application\'s')
  busy = true
  t.match(await logOut(app, realm), { status: 429, body: { mine: true } })
})

t.test('paths lie below the prefix of the scope', async (t) => {
  const realm: TestRealm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(async (api) => { await api.register(keycloak, { ...realm.options, ...LOGOUT, adminUrl: { path: '/' } }) }, { prefix: '/api' })
  t.equal((await post(app, '/api/backchannel-logout', FORM, `logout_token=${realm.token({ kind: 'logout' })}`)).status, 200)
  t.equal((await post(app, '/api/k_logout', 'text/plain', realm.sign(action('LOGOUT')))).status, 200)
})
