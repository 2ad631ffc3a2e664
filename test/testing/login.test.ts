import { once } from 'node:events'
import { connect } from 'node:net'
import Fastify from 'fastify'
import { decodeJwt } from 'jose'
import t from 'tap'
import { createTestRealm } from '../../lib/testing/index.js'
import { apiFor, ask } from '../support/app.js'
import {
  authorizationUrl, challengeOf, codeOf, endpoint, exchange, isActive, ledTo, logIn, post, realmWithLogin, REDIRECT, refresh, refusal,
  tokensOf, VERIFIER
} from '../support/login.js'

t.test('a user logs in, and the API knows who it is', async (t) => {
  const realm = await realmWithLogin(t)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true })
  const tokens = await tokensOf(realm)
  t.equal(await ask(app, '/profile', tokens.access_token), '200')
  t.equal(await ask(app, '/profile', (await tokensOf(realm, { username: 'bob' })).access_token), '403 permission_denied')
  t.equal(await ask(app, '/me', tokens.id_token), '401 token_not_valid')
  t.equal(await ask(app, '/me', tokens.refresh_token), '401 token_not_valid')
  t.match(tokens, { token_type: 'Bearer', expires_in: 300, refresh_expires_in: 1800, scope: 'openid email profile', session_state: String })
})

t.test('the answer leads back with code, state, session and issuer', async (t) => {
  const realm = await realmWithLogin(t)
  const response = await logIn(realm)
  t.equal(response.status, 303)
  t.equal(response.headers.get('cache-control'), 'no-store')
  t.ok(response.headers.get('location')!.startsWith(`${REDIRECT}?`))
  t.match(ledTo(response), { code: /^[\w-]{43}$/, state: 'a state', iss: realm.issuer })
  const inFragment = await logIn(realm, { response_mode: 'fragment', state: undefined })
  t.ok(inFragment.headers.get('location')!.startsWith(`${REDIRECT}#`))
  t.same(Object.keys(ledTo(inFragment)), ['code', 'iss'])
})

t.test('all tokens of a login are of one session, and the ID token answers the nonce', async (t) => {
  const realm = await realmWithLogin(t, { clientId: 'shop', users: { alice: { password: 'alice-pw', claims: { tenant: 'acme' }, realmRoles: ['staff'] } } })
  const tokens = await (await exchange(realm, await codeOf(realm, { client_id: 'shop' }), { client_id: 'shop' })).json() as Record<string, string>
  const [access, id] = [decodeJwt(tokens.access_token!), decodeJwt(tokens.id_token!)]
  t.match(access, { azp: 'shop', sid: tokens.session_state, tenant: 'acme', realm_access: { roles: ['staff'] } })
  t.match(id, { iss: realm.issuer, aud: 'shop', azp: 'shop', sid: access.sid, nonce: 'a nonce', tenant: 'acme', sub: access.sub })
  t.equal(decodeJwt(tokens.refresh_token!).sid, access.sid)
  t.match(access.sid, /^.{24}$/)
  t.equal(access.nonce, undefined)
})

t.test('two logins are two sessions', async (t) => {
  const realm = await realmWithLogin(t)
  const [one, two] = [await tokensOf(realm), await tokensOf(realm)]
  t.not(decodeJwt(one.access_token).sid, decodeJwt(two.access_token).sid)
})

t.test('without the scope openid there is no ID token; other scopes are granted', async (t) => {
  const realm = await realmWithLogin(t)
  const tokens = await tokensOf(realm, { scope: 'write' })
  t.equal(tokens.id_token, undefined)
  t.equal(decodeJwt(tokens.access_token).scope, 'write email profile')
  t.equal((await tokensOf(realm, { scope: undefined })).scope, 'email profile')
  t.equal(decodeJwt((await tokensOf(realm, { nonce: undefined })).id_token).nonce, undefined)
})

t.test('a wrong password, or nobody\'s name, shows the form again', async (t) => {
  const realm = await realmWithLogin(t)
  for (const wrong of [{ password: 'wrong' }, { password: '' }, { username: 'mallory' }, { username: '__proto__' }, { username: '', password: '' }]) {
    const response = await logIn(realm, wrong)
    t.equal(response.status, 200)
    t.match(await response.text(), '<p role="alert">Invalid username or password.</p>')
  }
  for (const form of [{}, { username: 'alice' }, { username: 'mallory' }]) {
    t.equal((await post(authorizationUrl(realm), form)).status, 200, 'no password')
  }
})

t.test('the page says what it is, names the test users, and escapes whatever it is given', async (t) => {
  const users = { '<b>': { password: '"quoted"', roles: ['a&b', 'c'] } }
  const realm = await realmWithLogin(t, { users }, 'my <realm>')
  const response = await fetch(authorizationUrl(realm, { login_hint: '"><script>', state: '"\'><script>' }))
  const page = await response.text()
  t.match(page, 'never for production')
  t.match(page, '<h1>Log in to my &lt;realm&gt;</h1>')
  t.match(page, '<th scope="row">&lt;b&gt;</th><td><code>&quot;quoted&quot;</code></td><td>a&amp;b, c</td>')
  t.match(page, 'value="&quot;&gt;&lt;script&gt;"')
  t.notMatch(page, '<script')
  t.match(response.headers.get('content-security-policy'), /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self' http:\/\/127\.0\.0\.1:3999; base-uri 'none'; frame-ancestors 'none'$/)
  t.same(['cache-control', 'referrer-policy', 'x-content-type-options'].map((name) => response.headers.get(name)), ['no-store', 'no-referrer', 'nosniff'])
})

t.test('an unknown client or redirect URI is said on a page, and leads nowhere', async (t) => {
  const realm = await realmWithLogin(t)
  const cases: Array<[string, string]> = [
    [authorizationUrl(realm, { client_id: undefined }), 'Client not found.'],
    [authorizationUrl(realm, { client_id: 'api' }), 'Client not found.'],
    [authorizationUrl(realm, { redirect_uri: undefined }), 'redirect_uri'],
    ...[`${REDIRECT}/`, `${REDIRECT}?x`, `${REDIRECT}/../callback`, REDIRECT.replace('127.0.0.1', 'localhost'), REDIRECT.toUpperCase(), 'https://evil.example/']
      .map((uri): [string, string] => [authorizationUrl(realm, { redirect_uri: uri }), 'redirect_uri is none of those']),
    [`${authorizationUrl(realm)}&redirect_uri=${encodeURIComponent(REDIRECT)}`, 'redirect_uri is there more than once.'],
    [`${authorizationUrl(realm)}&client_id=web`, 'client_id is there more than once.']
  ]
  for (const [url, message] of cases) {
    for (const method of ['GET', 'POST']) {
      const response = await fetch(url, { method, redirect: 'manual' })
      t.equal(response.status, 400)
      t.equal(response.headers.get('location'), null)
      t.match(await response.text(), message)
    }
  }
})

t.test('what else is wrong with the request is told to the client, before anybody types a password', async (t) => {
  const realm = await realmWithLogin(t)
  const cases: Array<[string, Record<string, string | undefined>]> = [
    ['invalid_request', { response_type: undefined }],
    ['unsupported_response_type', { response_type: 'token' }],
    ['unsupported_response_type', { response_type: 'code id_token' }],
    ['invalid_request', { response_mode: 'form_post' }],
    ['invalid_request', { code_challenge: undefined, code_challenge_method: undefined }],
    ['invalid_request', { code_challenge: undefined }],
    ['invalid_request', { code_challenge: VERIFIER, code_challenge_method: 'plain' }],
    ['invalid_request', { code_challenge_method: undefined }],
    ['invalid_request', { code_challenge: 'short' }],
    ['invalid_request', { code_challenge: `${challengeOf(VERIFIER)}=` }],
    ['invalid_scope', { scope: 'openid  profile' }],
    ['invalid_scope', { scope: 'openid "' }],
    ['invalid_scope', { scope: 'openid offline_access' }],
    ['login_required', { prompt: 'none' }]
  ]
  for (const [error, changes] of cases) {
    for (const method of ['GET', 'POST']) {
      const response = await fetch(authorizationUrl(realm, changes), { method, redirect: 'manual' })
      t.equal(response.status, 303)
      t.match(ledTo(response), { error, error_description: /./, state: 'a state', iss: realm.issuer }, JSON.stringify(changes))
    }
  }
  const repeated = await fetch(`${authorizationUrl(realm)}&state=another`, { redirect: 'manual' })
  t.match(ledTo(repeated), { error: 'invalid_request' })
})

t.test('a code is bound to client, redirect URI and challenge, and spent by a wrong try', async (t) => {
  const redirectUris = [REDIRECT, `${REDIRECT}/2`]
  const realm = await realmWithLogin(t, { redirectUris })
  const cases: Array<[string, Record<string, string | undefined>]> = [
    ['400 invalid_grant', { redirect_uri: redirectUris[1] }],
    ['400 invalid_grant', { redirect_uri: undefined }],
    ['400 invalid_grant', { code_verifier: 'w'.repeat(43) }],
    ['400 invalid_grant', { code_verifier: challengeOf(VERIFIER) }],
    ['400 invalid_grant', { code_verifier: 'v'.repeat(42) }]
  ]
  for (const [expected, changes] of cases) {
    const code = await codeOf(realm)
    t.equal(await refusal(await exchange(realm, code, changes)), expected, JSON.stringify(changes))
    t.equal(await refusal(await exchange(realm, code)), '400 invalid_grant', 'the code is spent')
  }
})

t.test('the token endpoint refuses what is no good request', async (t) => {
  const realm = await realmWithLogin(t)
  const code = await codeOf(realm)
  const cases: Array<[string, Record<string, string | undefined>]> = [
    ['401 invalid_client', { client_id: 'api' }],
    ['401 invalid_client', { client_id: undefined }],
    ['400 unsupported_grant_type', { grant_type: 'password' }],
    ['400 unsupported_grant_type', { grant_type: 'constructor' }],
    ['400 invalid_request', { grant_type: undefined }],
    ['400 invalid_request', { code: '' }],
    ['400 invalid_request', { code_verifier: undefined }],
    ['400 invalid_grant', { code: 'made-up' }]
  ]
  for (const [expected, changes] of cases) {
    const response = await exchange(realm, code, changes)
    t.equal(response.headers.get('cache-control'), 'no-store')
    t.equal(await refusal(response), expected, JSON.stringify(changes))
  }
  const form = `grant_type=authorization_code&client_id=web&client_id=web&code=${code}`
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  t.equal(await refusal(await fetch(endpoint(realm, 'token'), { method: 'POST', headers, body: form })), '400 invalid_request')
  t.equal(await refusal(await fetch(endpoint(realm, 'token'), { method: 'POST', body: form })), '400 invalid_request', 'no form')
  t.equal((await fetch(endpoint(realm, 'token'))).status, 405)
  t.equal((await exchange(realm, code)).status, 200, 'none of them has spent the code')
})

t.test('a code that comes twice ends the session it gave', async (t) => {
  const realm = await realmWithLogin(t)
  const code = await codeOf(realm)
  const tokens = await (await exchange(realm, code)).json() as Record<string, string>
  t.ok(await isActive(realm, tokens.access_token!))
  t.equal(await refusal(await exchange(realm, code)), '400 invalid_grant')
  t.notOk(await isActive(realm, tokens.access_token!))
  t.equal(await refusal(await refresh(realm, tokens.refresh_token!)), '400 invalid_grant')
  t.equal(await refusal(await exchange(realm, code)), '400 invalid_grant', 'and a third time')
})

t.test('a code is short-lived', async (t) => {
  const realm = await realmWithLogin(t, { codeLifespan: 0 })
  t.equal(await refusal(await exchange(realm, await codeOf(realm))), '400 invalid_grant')
})

t.test('a thousand codes are remembered, the oldest is forgotten', async (t) => {
  const realm = await realmWithLogin(t)
  const first = await codeOf(realm)
  const url = authorizationUrl(realm)
  const second = ledTo(await post(url, { username: 'bob', password: 'bob-pw' })).code!
  for (let count = 0; count < 999; count++) await (await post(url, { username: 'bob', password: 'bob-pw' })).text()
  t.equal(await refusal(await exchange(realm, first)), '400 invalid_grant')
  t.equal((await exchange(realm, second)).status, 200)
})

t.test('a refresh token is good once; one that was replaced ends the session', async (t) => {
  const realm = await realmWithLogin(t)
  const first = await tokensOf(realm)
  const second = await (await refresh(realm, first.refresh_token)).json() as Record<string, string>
  t.equal(decodeJwt(second.access_token!).sid, decodeJwt(first.access_token).sid)
  t.equal(decodeJwt(second.id_token!).nonce, undefined, 'a refreshed ID token has no nonce')
  t.ok(await isActive(realm, first.access_token))
  t.equal(await refusal(await refresh(realm, first.refresh_token)), '400 invalid_grant')
  t.equal(await refusal(await refresh(realm, second.refresh_token!)), '400 invalid_grant')
  t.notOk(await isActive(realm, second.access_token!))
})

t.test('a refresh token of nobody\'s is refused', async (t) => {
  const realm = await realmWithLogin(t)
  const { access_token: accessToken, refresh_token: good } = await tokensOf(realm)
  const { sid } = decodeJwt(good)
  for (const token of ['made-up', accessToken, realm.token({ kind: 'refresh' }), realm.token({ kind: 'refresh', forged: true, claims: { sid } }), `${good}x.y`]) {
    t.equal(await refusal(await refresh(realm, token)), '400 invalid_grant')
  }
  t.equal(await refusal(await refresh(realm, good, { client_id: 'api' })), '401 invalid_client')
  t.equal((await refresh(realm, good)).status, 200, 'and the session lives on')
})

t.test('a refresh token ends', async (t) => {
  const realm = await realmWithLogin(t)
  const { refresh_token: token } = await tokensOf(realm)
  const now = Date.now()
  t.intercept(Date, 'now', { value: () => now + 1_801_000 })
  t.equal(await refusal(await refresh(realm, token)), '400 invalid_grant')
})

t.test('logging out ends the session, tells the API and leads back', async (t) => {
  const told: Array<Record<string, unknown>> = []
  const api = Fastify()
  t.teardown(() => api.close())
  api.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, done) => done(null, new URLSearchParams(String(body))))
  api.post('/backchannel-logout', async ({ body }) => { told.push(decodeJwt((body as URLSearchParams).get('logout_token')!)) })
  const url = await api.listen({ host: '127.0.0.1', port: 0 })
  const realm = await realmWithLogin(t, { backchannelLogoutUrl: () => `${url}/backchannel-logout` })
  const [tokens, others] = [await tokensOf(realm), await tokensOf(realm)]
  const { sid, sub } = decodeJwt(tokens.access_token)

  const form = { id_token_hint: tokens.id_token, post_logout_redirect_uri: REDIRECT, state: 'bye' }
  const response = await fetch(`${endpoint(realm, 'logout')}?${new URLSearchParams(form)}`, { redirect: 'manual' })
  t.equal(response.status, 303)
  t.equal(response.headers.get('location'), `${REDIRECT}?state=bye`)
  t.match(told, [{ iss: realm.issuer, aud: 'web', sid, sub, typ: 'Logout' }])
  t.notOk(await isActive(realm, tokens.access_token))
  t.equal(await refusal(await refresh(realm, tokens.refresh_token)), '400 invalid_grant')
  t.ok(await isActive(realm, others.access_token), 'alice\'s other session lives on')

  const again = await post(endpoint(realm, 'logout'), { ...form, state: undefined })
  t.equal(again.headers.get('location'), REDIRECT)
  t.equal(told.length, 1, 'a session ends once')
})

t.test('an API that takes back-channel logouts refuses the tokens at once, without introspection', async (t) => {
  let address = ''
  const realm = await realmWithLogin(t, { backchannelLogoutUrl: () => `${address}/backchannel-logout` })
  const app = await apiFor(t, realm, { backchannelLogout: { path: '/backchannel-logout', clients: ['web'] } })
  address = await app.listen({ host: '127.0.0.1', port: 0 })
  const [ended, other] = [await tokensOf(realm), await tokensOf(realm)]
  t.equal(await ask(app, '/me', ended.access_token), '200')
  const response = await post(endpoint(realm, 'logout'), { client_id: 'web', refresh_token: ended.refresh_token })
  t.equal(response.status, 204)
  t.equal(await ask(app, '/me', ended.access_token), '401 token_not_valid')
  t.equal(await ask(app, '/me', other.access_token), '200')
})

t.test('a logout succeeds although the API cannot be told', async (t) => {
  const closed = await createTestRealm()
  await closed.close()
  const realm = await realmWithLogin(t, { backchannelLogoutUrl: closed.issuer })
  const tokens = await tokensOf(realm)
  const response = await fetch(`${endpoint(realm, 'logout')}?id_token_hint=${tokens.id_token}`)
  t.equal(response.status, 200)
  t.match(await response.text(), 'You are logged out')
  t.notOk(await isActive(realm, tokens.access_token))
})

t.test('a logout that is not allowed changes nothing', async (t) => {
  const realm = await realmWithLogin(t, { postLogoutRedirectUris: [`${REDIRECT}/bye`] })
  const tokens = await tokensOf(realm)
  const { sid } = decodeJwt(tokens.id_token)
  const hints = [undefined, 'made-up', tokens.access_token, realm.token({ kind: 'id', claims: { sid, aud: 'api' } }), realm.token({ kind: 'id', claims: { sid: undefined } }), realm.token({ kind: 'id', forged: true, claims: { sid } })]
  for (const hint of hints) {
    const response = await post(endpoint(realm, 'logout'), { id_token_hint: hint, post_logout_redirect_uri: `${REDIRECT}/bye` })
    t.equal(response.status, 400)
    t.match(await response.text(), 'id_token_hint must be the ID token of the login')
  }
  const elsewhere = await post(endpoint(realm, 'logout'), { id_token_hint: tokens.id_token, post_logout_redirect_uri: REDIRECT })
  t.equal(elsewhere.status, 400)
  t.match(await elsewhere.text(), 'post_logout_redirect_uri is none of those')
  t.equal(await refusal(await post(endpoint(realm, 'logout'), { client_id: 'api', refresh_token: tokens.refresh_token })), '401 invalid_client')
  t.equal(await refusal(await post(endpoint(realm, 'logout'), { client_id: 'web', refresh_token: 'made-up' })), '400 invalid_grant')
  t.ok(await isActive(realm, tokens.access_token))
})

t.test('an ID token that has expired still logs out', async (t) => {
  const realm = await realmWithLogin(t)
  const tokens = await tokensOf(realm)
  const expired = realm.token({ kind: 'id', expired: true, claims: { sid: decodeJwt(tokens.id_token).sid } })
  t.equal((await post(endpoint(realm, 'logout'), { id_token_hint: expired })).status, 200)
  t.notOk(await isActive(realm, tokens.access_token))
})

t.test('userinfo tells who it is, of an access token that is good', async (t) => {
  const realm = await realmWithLogin(t)
  const tokens = await tokensOf(realm)
  const userinfo = (token: string) => fetch(endpoint(realm, 'userinfo'), { headers: { authorization: `Bearer ${token}` } })
  t.match(await (await userinfo(tokens.access_token)).json(), { sub: decodeJwt(tokens.access_token).sub, preferred_username: 'alice', email: 'alice@example.com' })
  await post(endpoint(realm, 'logout'), { id_token_hint: tokens.id_token })
  for (const response of [await userinfo(tokens.access_token), await userinfo(realm.token({ kind: 'dpop' })), await fetch(endpoint(realm, 'userinfo'))]) {
    t.match(response.headers.get('www-authenticate'), /^Bearer error="invalid_token"/)
    t.equal(await refusal(response), '401 invalid_token')
  }
})

t.test('pages of the client\'s own origins may call, and no others', async (t) => {
  const realm = await realmWithLogin(t)
  const origin = new URL(REDIRECT).origin
  for (const name of ['token', 'userinfo', 'logout']) {
    const own = await fetch(endpoint(realm, name), { method: 'OPTIONS', headers: { origin } })
    t.equal(own.status, 204)
    t.equal(own.headers.get('access-control-allow-origin'), origin)
    t.match(own.headers.get('access-control-allow-headers'), 'Authorization')
    for (const other of ['null', 'http://127.0.0.1:4000', `${origin}.evil.example`, 'http://localhost:3999']) {
      const response = await fetch(endpoint(realm, name), { method: 'OPTIONS', headers: { origin: other } })
      t.equal(response.headers.get('access-control-allow-origin'), null, other)
      t.equal(response.headers.get('vary'), 'Origin')
    }
  }
  const answer = await post(endpoint(realm, 'token'), {}, { origin })
  t.equal(answer.headers.get('access-control-allow-origin'), origin, 'a refusal can be read, too')
  const page = await fetch(authorizationUrl(realm), { headers: { origin } })
  t.equal(page.headers.get('access-control-allow-origin'), null, 'the login page is for people')
  t.equal((await fetch(authorizationUrl(realm), { method: 'OPTIONS' })).status, 405)
})

t.test('discovery names what a login needs, only where there is one', async (t) => {
  const document = async (issuer: string) => await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
  const realm = await realmWithLogin(t)
  t.match(await document(realm.issuer), {
    end_session_endpoint: endpoint(realm, 'logout'),
    userinfo_endpoint: endpoint(realm, 'userinfo'),
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true
  })
  const without = await createTestRealm()
  t.teardown(() => without.close())
  t.equal((await document(without.issuer) as Record<string, unknown>).end_session_endpoint, undefined)
  t.equal((await fetch(authorizationUrl(without))).status, 404)
})

t.test('other addresses stay 404, broken ones too', async (t) => {
  const realm = await realmWithLogin(t)
  for (const url of [endpoint(realm, 'toString'), endpoint(realm, 'auth/'), endpoint(realm, 'auth').replace('test', 'other')]) {
    t.equal((await fetch(url)).status, 404, url)
  }
  const { port } = new URL(realm.issuer)
  const socket = connect(Number(port), '127.0.0.1')
  socket.end('GET // HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  t.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 404/)
})

t.test('redirect URIs can be those of an application that does not listen yet', async (t) => {
  let uris: string[] | undefined = [REDIRECT]
  const realm = await realmWithLogin(t, { redirectUris: () => uris! })
  t.equal((await fetch(authorizationUrl(realm))).status, 200)
  uris = undefined
  const response = await fetch(authorizationUrl(realm))
  t.equal(response.status, 500)
  t.match(await response.json(), { error_description: /^createTestRealm\(\): login.redirectUris must be an array of whole http URLs/ })
})

t.test('wrong options are one clear sentence', async (t) => {
  const users = { alice: { password: 'x' } }
  const message = 'createTestRealm(): login.redirectUris must be an array of whole http URLs without "*" and "#", such as ["http://127.0.0.1:3000/"].'
  for (const uris of [undefined, 'http://127.0.0.1/', ['http://localhost:*'], ['/callback'], ['http://localhost/#x'], ['app://login'], [1]]) {
    await t.rejects(createTestRealm({ login: { users, redirectUris: uris as string[] } }), { name: 'TypeError', message })
  }
  for (const nobody of [{}, undefined]) {
    await t.rejects(createTestRealm({ login: { users: nobody!, redirectUris: [REDIRECT] } }), {
      name: 'TypeError',
      message: 'createTestRealm(): login.users must have at least one user, such as { alice: { password: "alice-pw" } }.'
    })
  }
})
