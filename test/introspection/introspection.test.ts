import { gzipSync } from 'node:zlib'
import t from 'tap'
import type { Handler } from '../../lib/testing/index.js'
import { apiFor, ask, bearer, logging, realmFor } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'

const NOT_VALID = '401 token_not_valid'
const UNAVAILABLE = '503 keycloak_unavailable'
const ON = { verifyTokensWithKeycloak: true }
const now = () => Math.floor(Date.now() / 1000)

function answerJson (body: unknown): Handler {
  return (_request, response) => { response.end(typeof body === 'string' ? body : JSON.stringify(body)) }
}

t.test('each request asks anew, after the local checks', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  const token = realm.token()
  for (let times = 1; times <= 3; times++) {
    t.equal(await ask(app, '/me', token), '200')
    t.equal(realm.requests.introspect, times)
  }
  for (const spec of [{ forged: true }, { expired: true }, { claims: { aud: 'x' } }]) await ask(app, '/me', realm.token(spec))
  t.equal(await ask(app, '/open'), '200')
  t.equal(realm.requests.introspect, 3, 'what is refused here never gets there')
})

t.test('the credentials and the token go as members of a form, whatever is in the secret', async (t) => {
  const clientSecret = 'a%b+c:d&e=f ü-ß-€ "\'\\'
  const realm = await realmFor(t, { clientSecret })
  const app = await apiFor(t, realm, ON)
  const token = realm.token()
  t.equal(await ask(app, '/me', token), '200')
  const { method, headers, body } = realm.lastRequest('introspect')!
  t.equal(method, 'POST')
  t.equal(headers['content-type'], 'application/x-www-form-urlencoded')
  t.equal(headers.authorization, undefined)
  const form = new URLSearchParams(body)
  t.match(Object.fromEntries(form), { client_id: 'api', client_secret: clientSecret, token })
})

t.test('a token that was revoked is refused at the next request', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  const token = realm.token()
  t.equal(await ask(app, '/me', token), '200')
  realm.revoke(token)
  t.equal(await ask(app, '/me', token), NOT_VALID)
})

t.test('a role withdrawn is gone at the next request, one granted is there', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  const token = realm.token({ roles: ['view-profile'] })
  t.equal(await ask(app, '/profile', token), '200')
  realm.update(token, { resource_access: undefined })
  t.equal(await ask(app, '/profile', token), '403 permission_denied', 'Keycloak leaves resource_access out with the last role')
  realm.update(token, { resource_access: { api: { roles: ['view-profile'] } } })
  t.equal(await ask(app, '/profile', token), '200')
})

t.test('a lightweight token is whole with introspection, and lacks its audience without', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  const token = realm.token({ kind: 'lightweight', roles: ['view-profile'] })
  t.equal(await ask(app, '/profile', token), '200')
  const { user, auth } = (await app.inject({ url: '/me', headers: bearer(token) })).json()
  t.equal(user.username, 'alice')
  t.match(auth, { sub: String, aud: ['api', 'account'], typ: 'Bearer' })
  t.notOk('active' in auth)
  t.equal(await ask(await apiFor(t, realm), '/me', token), NOT_VALID)
  realm.update(token, { aud: 'other' })
  t.equal(await ask(app, '/me', token), NOT_VALID, 'the audience is judged by what introspection says')
})

t.test('only active: true is active, and an answer about another token is none about this one', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  const claims = { jti: 'one', sub: 'me' }
  const token = realm.token({ claims, roles: ['view-profile'] })
  const base = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
  const cases: Array<[string, object | string, string]> = [
    ['active true alone: the token\'s own claims', { active: true }, '200'],
    ['the same claims', { ...base, active: true }, '200'],
    ['without sub', { ...base, sub: undefined, active: true }, '200'],
    ['without iat, whose place the token\'s takes', { ...base, iat: undefined, active: true }, '200'],
    ['active false', { active: false }, NOT_VALID],
    ['active "true"', { ...base, active: 'true' }, NOT_VALID],
    ['active "false"', { active: 'false' }, NOT_VALID],
    ['active 1', { active: 1 }, NOT_VALID],
    ['active absent', base, NOT_VALID],
    ['nothing', {}, NOT_VALID],
    ['another jti', { ...base, active: true, jti: 'two' }, NOT_VALID],
    ['jti null', { ...base, active: true, jti: null }, NOT_VALID],
    ['another iss', { active: true, iss: 'https://evil.example' }, NOT_VALID],
    ['another sub', { active: true, sub: 'you' }, NOT_VALID],
    ['another sub, with jti', { ...base, active: true, sub: 'you' }, NOT_VALID],
    ['exp of now', { ...base, active: true, exp: now() - 5 }, '401 token_expired'],
    ['exp no number', { ...base, active: true, exp: 'never' }, NOT_VALID],
    ['exp null', { ...base, active: true, exp: null }, NOT_VALID],
    ['exp absent: the token\'s', { ...base, active: true, exp: undefined }, '200'],
    ['nbf in the future', { ...base, active: true, nbf: now() + 50 }, NOT_VALID],
    ['aud of others: the token\'s own is judged', { ...base, active: true, aud: ['x'] }, '200'],
    ['aud absent', { ...base, active: true, aud: undefined }, '200'],
    ['user absent', { ...base, active: true, preferred_username: undefined }, NOT_VALID],
    ['typ and cnf stay the token\'s', { ...base, active: true, typ: 'DPoP', cnf: { jkt: 'x' } }, '200'],
    ['roles absent', { ...base, active: true, resource_access: undefined }, '403 permission_denied']
  ]
  for (const [name, answer, expected] of cases) {
    realm.respond('introspect', answerJson(answer))
    t.equal(await ask(app, '/profile', token), expected, name)
  }
})

t.test('a token without jti, sub and typ agrees with no answer that has another jti', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  const token = realm.token({ claims: { jti: undefined, sub: undefined, typ: undefined } })
  realm.respond('introspect', answerJson({ active: true, jti: 'x' }))
  t.equal(await ask(app, '/me', token), NOT_VALID)
  realm.respond('introspect', answerJson({ active: true, sub: 'x' }))
  t.equal(await ask(app, '/me', token), '200')
  const lightweight = realm.token({ claims: { typ: undefined, jti: 'x' } })
  realm.respond('introspect', answerJson({ ...JSON.parse(Buffer.from(lightweight.split('.')[1]!, 'base64url').toString()), active: true, typ: 'DPoP' }))
  t.equal(await ask(app, '/me', lightweight), '200', 'typ of the answer does not count')
})

t.test('an answer never prolongs a token', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  const token = realm.token({ expiresIn: 60 })
  realm.update(token, { exp: now() + 9999, jwt: 'a.b.c' })
  const { auth } = (await app.inject({ url: '/me', headers: bearer(token) })).json()
  t.ok(auth.exp <= now() + 60)
  t.notOk('jwt' in auth, 'and hands no token on')
})

t.test('whatever is no answer is 503, told to the log once and without secrets', async (t) => {
  const answers: Record<string, Handler> = {
    'an empty body': answerJson(''),
    HTML: answerJson('<html>SECRET-TEXT</html>'),
    null: answerJson('null'),
    'an array': answerJson('[{"active":true}]'),
    true: answerJson('true'),
    'two members active': answerJson('{"active":false,"active":true}'),
    'a body that is too long': answerJson(JSON.stringify({ active: true, x: 'x'.repeat(600_000) })),
    'a body nested without end': answerJson(`{"active":true,"x":${'['.repeat(5000)}${']'.repeat(5000)}}`),
    'a body in gzip': (_request, response) => { response.setHeader('content-encoding', 'gzip'); response.end(gzipSync('{"active":true}')) },
    'status 201': (_request, response) => { response.statusCode = 201; response.end('{"active":true}') },
    'status 400': (_request, response) => { response.statusCode = 400; response.end('{"error":"SECRET-TEXT"}') },
    'status 401': (_request, response) => { response.statusCode = 401; response.end('{"error":"invalid_client"}') },
    'status 403': (_request, response) => { response.statusCode = 403; response.end('{"error":"SECRET-TEXT"}') },
    'status 500': (_request, response) => { response.statusCode = 500; response.end('SECRET-TEXT') },
    'a redirect': (_request, response) => { response.writeHead(307, { location: '/' }); response.end() },
    'a connection cut': (request) => { request.socket.destroy() }
  }
  for (const [name, handler] of Object.entries(answers)) {
    const realm = await realmFor(t, { clientSecret: 'my-secret' })
    const log = logging()
    const app = await apiFor(t, realm, ON, log)
    realm.respond('introspect', handler)
    const token = realm.token()
    const response = await app.inject({ url: '/me', headers: bearer(token) })
    t.match(response.json(), { statusCode: 503, code: 'keycloak_unavailable' }, name)
    t.equal(response.headers['retry-after'], '1')
    t.notMatch(response.body + log.text, /SECRET-TEXT|my-secret/)
    t.notOk((response.body + log.text).includes(token.split('.')[2]!))
    t.equal(log.lines.filter(({ level, msg }) => level === 40 && /token\/introspect/.test(msg)).length, 1, `${name}: warned once`)
    await app.close()
    await realm.close()
  }
})

t.test('a wrong secret is our fault, not the caller\'s: 503', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, { ...ON, clientSecret: 'guessed-s3cret' }, log)
  t.equal(await ask(app, '/me', realm.token()), UNAVAILABLE)
  t.match(app.keycloak.health(), { ok: false, introspection: { ok: false, reason: 'status 401 instead of 200' } })
  t.notMatch(log.text, 'guessed-s3cret')
})

t.test('Keycloak away is 503 and never open; back again, it is 200', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, ON, log)
  const token = realm.token()
  t.equal(await ask(app, '/me', token), '200')
  await realm.down()
  t.equal(await ask(app, '/me', token), UNAVAILABLE)
  t.equal(await ask(app, '/open', token), UNAVAILABLE, 'on a public route as well')
  t.equal(await ask(app, '/open'), '200')
  await realm.up()
  t.equal(await ask(app, '/me', token), '200')
  t.match(log.lines.map(({ msg }) => msg).filter((msg) => /introspect/.test(msg)), [
    /^Keycloak cannot be used at token\/introspect: ECONNREFUSED$/,
    /^Keycloak answers again at token\/introspect, after \d+ s$/
  ])
})

t.test('an answer that hangs ends at the deadline', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...ON, introspection: { timeout: 100 } })
  realm.hang('introspect')
  t.equal(await ask(app, '/me', realm.token()), UNAVAILABLE)
})

t.test('a connection that was closed while it was idle is made anew, once', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, ON)
  let asked = 0
  realm.respond('introspect', (request, response) => {
    asked++
    if (asked === 1) request.socket.destroy()
    else response.end('{"active":true}')
  })
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(asked, 2)
})

t.test('cacheTtl shares one answer between requests for the same token, for so long', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...ON, introspection: { cacheTtl: 60_000 } })
  const token = realm.token()
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(app, '/me', token)))
  t.ok(answers.every((answer) => answer === '200'))
  t.equal(realm.requests.introspect, 1)
  t.equal(await ask(app, '/me', realm.token({ username: 'bob' })), '200')
  t.equal(realm.requests.introspect, 2, 'another token is asked for by itself')
  realm.revoke(token)
  t.equal(await ask(app, '/me', token), '200')
  clocks.advance(60.1)
  t.equal(await ask(app, '/me', token), NOT_VALID)
})

t.test('an answer kept never outlives the token, and a failure is not kept', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...ON, introspection: { cacheTtl: 600_000 } })
  const token = realm.token({ expiresIn: 60 })
  realm.error(500, 'introspect')
  t.equal(await ask(app, '/me', token), UNAVAILABLE)
  realm.respond('introspect', null)
  t.equal(await ask(app, '/me', token), '200')
  clocks.advance(60.1)
  t.equal(await ask(app, '/me', token), '401 token_expired')
})

t.test('only so many answers are kept', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...ON, introspection: { cacheTtl: 60_000 }, cache: { max: 100 } })
  const first = realm.token({ username: 'first' })
  t.equal(await ask(app, '/me', first), '200')
  for (let at = 0; at < 100; at++) await ask(app, '/me', realm.token({ username: `user-${at}` }))
  t.equal(realm.requests.introspect, 101)
  t.equal(await ask(app, '/me', first), '200')
  t.equal(realm.requests.introspect, 102)
})
