// Bound tokens beside the other options: nonces, extractToken, introspection, several issuers, proxies, and verify().
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import keycloak, { type KeycloakError } from '../../index.js'
import { apiFor, ask, bearer, logging, realmFor, WARN } from '../support/app.js'
import { CERTIFICATE, KEY } from '../support/certificate.js'
import { CLIENTS } from '../support/client-certificates.js'
import { clocksFor } from '../support/clocks.js'
import { LOGOUT, logOut } from '../support/logout.js'

const secret = 's'.repeat(32)
const URL_OF = 'http://localhost:80/me'

t.test('the client of the test realm answers the nonce of the API', async (t) => {
  const realm = await realmFor(t)
  const clocks = clocksFor(t)
  const app = await apiFor(t, realm, { dpop: { nonce: { secret, maxAge: 60 } } })
  const client = realm.dpop()
  t.equal((await realm.inject(app, { url: '/me', as: { dpop: client } })).statusCode, 200)
  const token = realm.token({ dpop: client })
  const send = async (nonce?: string) => app.inject({ url: '/me', headers: { authorization: `DPoP ${token}`, dpop: await client.proof({ url: URL_OF, token, ...nonce !== undefined && { nonce } }) } })
  const first = await send()
  t.match(first, { statusCode: 401, headers: { 'dpop-nonce': /^[\w-]{24}$/, 'cache-control': 'no-store', 'www-authenticate': /DPoP realm="test", error="use_dpop_nonce"/ } })
  t.equal(first.json().code, 'dpop_nonce_required')
  const nonce = String(first.headers['dpop-nonce'])
  t.match((await send('x')).headers, { 'dpop-nonce': nonce })
  clocks.advance(60)
  const due = await send(nonce)
  t.match(due, { statusCode: 200, headers: { 'dpop-nonce': /^[\w-]{24}$/, 'cache-control': 'no-store' } })
  t.not(due.headers['dpop-nonce'], nonce)
  t.equal((await send(String(due.headers['dpop-nonce']))).headers['dpop-nonce'], undefined)
})

t.test('a replay store that answers later', async (t) => {
  const used = new Set<string>()
  let closed = false
  const store = {
    async add (key: string) { return !used.has(key) && Boolean(used.add(key)) },
    close () { closed = true }
  }
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { dpop: { replay: { store } } })
  const client = realm.dpop()
  const token = realm.token({ dpop: client })
  const headers = { authorization: `DPoP ${token}`, dpop: await client.proof({ url: URL_OF, token }) }
  t.same(await Promise.all([1, 2, 3].map(async () => (await app.inject({ url: '/me', headers })).statusCode)), [200, 401, 401])
  await app.close()
  t.ok(closed)
})

t.test('extractToken finds tokens elsewhere, and the scheme DPoP stays in the header', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { dpop: true, extractToken: ({ headers }) => headers['x-token'] as string | undefined })
  const client = realm.dpop()
  const token = realm.token({ dpop: client })
  const status = async (headers: Record<string, string>): Promise<number> => (await app.inject({ url: '/me', headers })).statusCode
  t.equal(await status({ authorization: `DPoP ${token}`, dpop: await client.proof({ url: URL_OF, token }) }), 200)
  t.equal(await status({ 'x-token': realm.token() }), 200)
  t.equal(await status({ 'x-token': token, dpop: await client.proof({ url: URL_OF, token }) }), 401)
  t.equal(await status(bearer(realm.token())), 401, 'nobody looks there')
  const certificates = await apiFor(t, realm, { mtls: true, extractToken: ({ headers }) => headers['x-token'] as string | undefined })
  t.equal((await certificates.inject({ url: '/me', headers: { 'x-token': realm.token() } })).statusCode, 200)
})

t.test('introspection does not take the binding away', async (t) => {
  const realm = await realmFor(t)
  for (const cacheTtl of [0, 5000]) {
    const app = await apiFor(t, realm, { dpop: true, verifyTokensWithKeycloak: true, introspection: { cacheTtl } })
    const client = realm.dpop()
    const token = realm.token({ dpop: client })
    for (let times = 0; times < 3; times++) {
      t.equal((await app.inject({ url: '/me', headers: { authorization: `DPoP ${token}`, dpop: await client.proof({ url: URL_OF, token }) } })).statusCode, 200)
      t.equal(await ask(app, '/me', token), '401 token_not_valid')
    }
  }
})

t.test('the proof comes before logouts and introspection: without it nobody learns anything, and Keycloak is not asked', async (t) => {
  const [acme, globex] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' })]
  const dpop = { dpop: true, verifyTokensWithKeycloak: true, ...LOGOUT, adminUrl: undefined }
  const several = { ...dpop, issuers: [acme, globex].map(({ options }) => options) }
  for (const options of [{ ...acme.options, ...dpop }, several]) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(keycloak, options as never)
    app.get('/me', { config: { authenticated: true } }, async () => 'ok')
    const client = acme.dpop()
    const token = acme.token({ dpop: client, username: `user-${Object.keys(options).length}` })
    const answer = async (headers: Record<string, string>): Promise<string> => {
      const { statusCode, body } = await app.inject({ url: '/me', headers: { authorization: `DPoP ${token}`, ...headers } })
      return statusCode === 200 ? '200' : `${statusCode} ${JSON.parse(body).code}`
    }
    const proof = async (url = URL_OF): Promise<{ dpop: string }> => ({ dpop: await client.proof({ url, token }) })
    t.equal(await answer(await proof()), '200')
    t.equal((await app.keycloak.verify(token, { proof: (await proof()).dpop, method: 'GET', url: URL_OF })).typ, 'DPoP')
    const { introspect } = acme.requests
    t.equal(await answer({}), '401 dpop_proof_not_valid')
    t.equal(await answer(await proof('http://localhost:80/other')), '401 dpop_proof_not_valid')
    t.equal(await ask(app, '/me', token), '401 token_not_valid')
    await t.rejects(app.keycloak.verify(token), { code: 'token_not_valid', reasonCode: 'dpop_token_as_bearer' })
    t.equal(acme.requests.introspect, introspect, 'Keycloak is not asked')
    t.equal((await logOut(app, acme, { username: `user-${Object.keys(options).length}` })).status, 200)
    t.equal(await answer({}), '401 dpop_proof_not_valid')
    t.equal(await answer(await proof()), '401 token_not_valid')
    t.equal(acme.requests.introspect, introspect, 'nor about a session that has ended')
  }
})

t.test('several issuers: a token of each by its key, and the challenge of its realm', async (t) => {
  const [acme, globex] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' })]
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { issuers: [acme, globex].map(({ options: { issuer, audience, clientId } }) => ({ issuer, audience, clientId })) as never, dpop: true })
  app.get('/me', { config: { authenticated: true } }, async ({ issuer }) => ({ issuer }))
  const client = acme.dpop()
  for (const realm of [acme, globex]) {
    const token = realm.token({ dpop: client })
    for (let times = 0; times < 3; times++) {
      const good = await app.inject({ url: '/me', headers: { authorization: `DPoP ${token}`, dpop: await client.proof({ url: URL_OF, token }) } })
      t.equal(good.statusCode, 200)
      const bad = await app.inject({ url: '/me', headers: bearer(token) })
      t.equal(bad.headers['www-authenticate'], `Bearer realm="${good.json().issuer}", error="invalid_token", error_description="The access token is not valid.", DPoP realm="${good.json().issuer}", algs="ES256 ES384 ES512 EdDSA PS256 RS256"`)
    }
  }
  t.match((await app.inject('/me')).headers, { 'www-authenticate': /^Bearer realm="keycloak", DPoP realm="keycloak"/ })
})

t.test('mTLS alone has no scheme but Bearer, and may be required', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { mtls: { required: true, certificate: () => CLIENTS.a.cert } })
  t.equal(await ask(app, '/open', realm.token({ certificate: CLIENTS.a.cert })), '200')
  t.equal(await ask(app, '/open', realm.token({ certificate: CLIENTS.b.cert })), '401 token_not_valid')
  const refused = await app.inject({ url: '/open', headers: bearer(realm.token()) })
  t.equal(refused.headers['www-authenticate'], 'Bearer realm="test", error="invalid_token", error_description="The access token is not valid."')
  const both = await apiFor(t, realm, { dpop: { required: true }, mtls: true })
  t.match((await both.inject('/me')).headers, { 'www-authenticate': /^Bearer realm="test", DPoP/ }, 'a certificate-bound token comes as Bearer')
})

t.test('the URL is that which clients see', async (t) => {
  const realm = await realmFor(t)
  const client = realm.dpop()
  const token = realm.token({ dpop: client })
  const status = async (t: Test, url: unknown, seen: string, more: object = {}, server: object = {}): Promise<number> => {
    const app = await apiFor(t, realm, { dpop: url === undefined ? true : { url: url as string } }, server)
    return (await app.inject({ url: '/me?x=1', headers: { authorization: `DPoP ${token}`, dpop: await client.proof({ url: seen, token }), ...more } })).statusCode
  }
  t.equal(await status(t, 'https://api.example.com', 'https://api.example.com/me'), 200)
  t.equal(await status(t, 'https://api.example.com/', 'https://api.example.com/me'), 200)
  t.equal(await status(t, 'https://api.example.com/v1', 'https://api.example.com/v1/me'), 200)
  t.equal(await status(t, 'https://api.example.com/v1/', 'https://api.example.com/v1/me'), 200)
  t.equal(await status(t, 'https://api.example.com', URL_OF), 401)
  t.equal(await status(t, () => 'https://api.example.com/v1', 'https://api.example.com/v1/me?x=2'), 200)
  t.equal(await status(t, () => 'api.example.com', 'https://api.example.com/me'), 500, 'the application\'s fault')
  t.equal(await status(t, () => 5, 'https://api.example.com/me'), 500)
  const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'api.example.com' }
  t.equal(await status(t, undefined, 'https://api.example.com/me', forwarded, { trustProxy: true }), 200)
  t.equal(await status(t, undefined, 'https://api.example.com/me', forwarded), 401, 'nobody trusts that header')
  const app = await apiFor(t, realm, { dpop: true })
  const headers = { authorization: `DPoP ${token}`, dpop: await client.proof({ url: URL_OF, token, method: 'OPTIONS' }) }
  t.equal((await app.inject({ method: 'OPTIONS', url: '/me', headers })).statusCode, 404)
})

const started = async (t: Test, address: string, dpop: object | true, server: object = {}): Promise<unknown[]> => {
  const [log, realm] = [logging(), await realmFor(t)]
  const app = await apiFor(t, realm, { dpop, startCheck: false }, { logger: log.logger as never, ...server })
  t.intercept(app, 'addresses', { value: () => [{ address }, { address: '::1' }] })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return log.lines.filter(({ level, code }) => level === WARN && code === 'dpop_url_unknown')
}

t.test('the start warns if nobody says which URL clients see, and the server listens beyond this machine', async (t) => {
  t.equal((await started(t, '0.0.0.0', true)).length, 1)
  t.equal((await started(t, '10.0.0.1', {})).length, 1)
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) t.same(await started(t, address, true), [], address)
  t.same(await started(t, '0.0.0.0', { url: 'https://api.example.com' }), [])
  t.same(await started(t, '0.0.0.0', true, { trustProxy: true }), [])
})

t.test('the start warns if the certificate of the connection counts, and the server speaks plain HTTP', async (t) => {
  const realm = await realmFor(t)
  const codes = async (options: object, server: object = {}): Promise<unknown[]> => {
    const log = logging()
    const app = await apiFor(t, realm, { startCheck: false, ...options }, { logger: log.logger as never, ...server })
    await app.listen({ host: '127.0.0.1', port: 0 })
    return log.lines.filter(({ level, msg }) => level === WARN && /^mtls takes the certificate/.test(msg)).map(({ code }) => code)
  }
  t.same(await codes({ mtls: true }), ['mtls_without_tls'])
  t.same(await codes({ mtls: { required: true } }), ['mtls_without_tls'])
  t.same(await codes({ mtls: true, acceptRisks: ['mtls_without_tls'] }), [], 'accepted')
  t.same(await codes({ mtls: { header: 'client-cert', proxies: ['127.0.0.1'] } }), [])
  t.same(await codes({ mtls: { certificate: () => undefined } }), [])
  t.same(await codes({ dpop: true }), [])
  for (const server of [{}, { http2: true }]) t.same(await codes({ mtls: true }, { https: { cert: CERTIFICATE, key: KEY, requestCert: true }, ...server }), [])
})

t.test('verify() takes a bound token with its proof, once', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { dpop: true, mtls: true })
  const client = realm.dpop()
  const token = realm.token({ dpop: client })
  const url = 'https://api.example.com/socket'
  const outcome = async (token: string, presentation?: object): Promise<string> => app.keycloak.verify(token, presentation as never).then(() => 'good', (error: KeycloakError) => error.code ?? error.message)
  const proof = await client.proof({ url, token })
  t.equal(await outcome(token), 'token_not_valid')
  t.equal(await outcome(token, {}), 'token_not_valid')
  t.equal(await outcome(token, { proof, method: 'POST', url }), 'dpop_proof_not_valid')
  t.equal(await outcome(token, { proof, method: 'GET', url }), 'good')
  t.equal(await outcome(token, { proof, method: 'GET', url }), 'dpop_proof_not_valid')
  t.equal(await outcome(realm.token()), 'good')
  t.equal(await outcome(realm.token(), { proof, method: 'GET', url }), 'token_not_valid')
  const certified = realm.token({ certificate: CLIENTS.a.cert })
  t.equal(await outcome(certified, { certificate: CLIENTS.a.cert }), 'good')
  t.equal(await outcome(certified, { certificate: CLIENTS.b.cert }), 'token_not_valid')
  t.equal(await outcome(certified), 'token_not_valid')
  t.equal(await outcome(token, { proof }), 'verify() needs method beside proof: { proof, method, url }, those of the request that the proof was made for')
  t.equal(await outcome(token, { proof, method: 'GET' }), 'verify() needs url beside proof: { proof, method, url }, those of the request that the proof was made for')
  for (const wrong of ['/socket', 'ws://api.example.com/socket', 'https://']) t.match(await outcome(token, { proof, method: 'GET', url: wrong }), /^verify\(\) needs url as the whole URL/)
  t.equal(await outcome(token, { proof: 5 }), 'verify() needs proof as a string, not a number')
  const plain = await apiFor(t, realm)
  await t.rejects(plain.keycloak.verify(realm.token(), { proof, method: 'GET', url }), { message: /^verify\(\) takes a proof with the option dpop or mtls alone/ })
})

t.test('the error of verify() has the challenges and the nonce', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { dpop: { nonce: { secret } } })
  const client = realm.dpop()
  const token = realm.token({ dpop: client })
  const url = 'https://api.example.com/socket'
  await t.rejects(app.keycloak.verify(token, { proof: await client.proof({ url, token }), method: 'GET', url }), {
    code: 'dpop_nonce_required', headers: { 'dpop-nonce': /^[\w-]{24}$/, 'www-authenticate': /^Bearer realm="test", DPoP realm="test", error="use_dpop_nonce"/ }
  })
  await t.rejects(app.keycloak.verify(token), { code: 'token_not_valid', headers: { 'www-authenticate': /^Bearer realm="test", error="invalid_token".*, DPoP realm="test", algs=/ } })
})
