// A token that is bound to a key is worth nothing without that key, kept or not.
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { TestRealm } from '../../lib/testing/index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { apiFor, ask, bearer, logging, realmFor, refusalsIn } from '../support/app.js'
import { CLIENTS } from '../support/client-certificates.js'
import { boundTo, proofKey, type ProofSpec } from '../support/proofs.js'

const key = proofKey()

const bound = (realm: TestRealm, of = key): string => realm.token({ claims: boundTo(of) })

async function setUp (t: Test, options: Partial<KeycloakOptions> = {}): Promise<{ realm: TestRealm, app: FastifyInstance, token: string }> {
  const realm = await realmFor(t)
  return { realm, app: await apiFor(t, realm, { dpop: true, ...options }), token: bound(realm) }
}

interface Request extends ProofSpec { scheme?: string, path?: string, proofs?: string[], of?: typeof key }

/** Ask by DPoP; status, code, and the challenge by its scheme and error. */
async function askBound (app: FastifyInstance, token: string, { scheme = 'DPoP', path = '/me', of = key, proofs, ...spec }: Request = {}): Promise<string> {
  const sent = proofs ?? [of.proof({ token, url: `http://localhost:80${path}`, ...spec })]
  const response = await app.inject({ url: path, headers: { authorization: `${scheme} ${token}`, ...sent.length > 0 && { dpop: sent as never } } })
  return response.statusCode < 400 ? String(response.statusCode) : `${response.statusCode} ${response.json().code}`
}

t.test('a kept bound token never lets a request pass without its proof', async (t) => {
  const { app, token } = await setUp(t)
  for (let times = 0; times < 4; times++) {
    t.equal(await askBound(app, token), '200')
    t.equal(await ask(app, '/me', token), '401 token_not_valid', 'as Bearer')
    t.equal(await ask(app, '/open', token), '401 token_not_valid', 'on an open route')
    t.equal(await askBound(app, token, { proofs: [] }), '401 dpop_proof_not_valid', 'without a proof')
    t.equal(await askBound(app, token, { of: proofKey() }), '401 token_not_valid', 'with a proof of another key')
  }
})

t.test('a Bearer token is taken beside, unless a route or the option demands a bound one', async (t) => {
  const realm = await realmFor(t)
  const both = await apiFor(t, realm, { dpop: true })
  both.get('/bound', { config: { senderConstrained: true } }, async () => 'ok')
  const token = realm.token()
  const stray = { ...bearer(token), dpop: 'x' }
  for (let times = 0; times < 3; times++) {
    t.equal(await ask(both, '/me', token), '200')
    t.equal((await both.inject({ url: '/me', headers: stray })).statusCode, 200, 'with a stray DPoP header')
    t.equal(await ask(both, '/bound', token), '401 token_not_valid')
    t.equal(await askBound(both, token), '401 token_not_valid', 'by the scheme DPoP')
  }
  t.equal(await ask(both, '/bound'), '401 not_authenticated')
  t.equal(await askBound(both, bound(realm), { path: '/bound' }), '200')
  t.same(both.keycloak.routes().find(({ url }) => url === '/bound'), { method: 'GET', url: '/bound', access: 'restricted', rule: 'senderConstrained' })
  const required = await apiFor(t, realm, { dpop: { required: true } })
  for (const path of ['/me', '/open']) t.equal(await ask(required, path, token), '401 token_not_valid', path)
  t.equal(await ask(required, '/open'), '200', 'anonymous')
  t.equal(await askBound(required, bound(realm)), '200')
})

t.test('a route that demands a bound token, and nothing could be one, stops the start', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  t.throws(() => app.get('/bound', { config: { senderConstrained: true } }, async () => 'ok'), { message: /config.senderConstrained needs the option dpop or mtls/ })
  t.equal(await askBound(app, bound(realm), { path: '/open' }), '200', 'without the option the scheme DPoP is another scheme: anonymous')
  t.equal(await ask(app, '/me', bound(realm)), '401 token_not_valid')
})

for (const [name, spec] of Object.entries<Request>({
  'another method': { method: 'POST' },
  'another path': { url: 'http://localhost:80/open' },
  'another host': { url: 'http://evil.example/me' },
  'another token': { token: 'x' },
  'no ath': { payload: { ath: undefined } },
  'an old one': { payload: { iat: Math.floor(Date.now() / 1000) - 100 } },
  'one of tomorrow': { payload: { iat: Math.floor(Date.now() / 1000) + 100 } },
  'a signature of another key': { key: proofKey().privateKey },
  'another typ': { header: { typ: 'JWT' } },
  'a critical extension': { header: { crit: ['x'] } },
  'an algorithm that is not allowed': { header: { alg: 'HS256' } },
  'a private key': { header: { jwk: { ...key.jwk, d: 'AAAA' } } },
  garbage: { proofs: ['x'] },
  'an empty one': { proofs: [''] },
  two: { proofs: [key.proof(), key.proof()] }
})) {
  t.test(`a proof that is wrong: ${name}`, async (t) => {
    const { app, token } = await setUp(t)
    t.equal(await askBound(app, token), '200')
    t.equal(await askBound(app, token, spec), '401 dpop_proof_not_valid')
    t.equal(await askBound(app, token), '200')
  })
}

t.test('each proof is accepted once', async (t) => {
  const { app, token } = await setUp(t)
  const proofs = [key.proof({ token })]
  t.equal(await askBound(app, token, { proofs }), '200')
  for (let times = 0; times < 3; times++) t.equal(await askBound(app, token, { proofs }), '401 dpop_proof_not_valid')
})

t.test('the error stands on the challenge of the scheme that was used', async (t) => {
  const { realm, app, token } = await setUp(t)
  const challengeOf = async (headers: Record<string, string>, path = '/me'): Promise<unknown> => (await app.inject({ url: path, headers })).headers['www-authenticate']
  const algs = 'algs="ES256 ES384 ES512 EdDSA PS256 RS256"'
  t.equal(await challengeOf({}), `Bearer realm="test", DPoP realm="test", ${algs}`)
  t.equal(await challengeOf(bearer(token)), `Bearer realm="test", error="invalid_token", error_description="The access token is not valid.", DPoP realm="test", ${algs}`)
  t.equal(await challengeOf({ authorization: `DPoP ${token}` }), `Bearer realm="test", DPoP realm="test", error="invalid_dpop_proof", error_description="The DPoP proof is not valid.", ${algs}`)
  t.match(await challengeOf({ authorization: `DPoP ${realm.token({ claims: boundTo(key), expired: true })}` }), /DPoP realm="test", error="invalid_token", error_description="The access token has expired."/)
  t.match(await challengeOf({ authorization: `dpop ${bound(realm)}`, dpop: key.proof({ token: bound(realm) }) }), /DPoP realm="test", error="invalid_/)
  const denied = realm.token({ claims: boundTo(key), roles: [] })
  t.match(await challengeOf({ authorization: `DPoP ${denied}`, dpop: key.proof({ token: denied, url: 'http://localhost:80/profile' }) }, '/profile'), /^Bearer realm="test", DPoP realm="test", error="insufficient_scope"/)
  const required = await apiFor(t, realm, { dpop: { required: true } })
  t.equal((await required.inject('/me')).headers['www-authenticate'], `DPoP realm="test", ${algs}`)
})

t.test('credentials that are not one scheme and one token are refused', async (t) => {
  const { app, token } = await setUp(t)
  for (const authorization of ['DPoP', 'DPoP ', `DPoP ${token} ${token}`, `DPoP ${token}, Bearer ${token}`, `Bearer ${token}, DPoP ${token}`, `dpop\t${token}`]) {
    const response = await app.inject({ url: '/open', headers: { authorization, dpop: key.proof({ token }) } })
    t.match([response.statusCode, response.json().code], [401, 'bad_authorization_header'], authorization.replaceAll(token, 'token'))
  }
})

t.test('the reason in the log names the fault', async (t) => {
  const log = logging()
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { dpop: true }, { logger: log.logger })
  const token = bound(realm)
  await ask(app, '/me', token)
  await askBound(app, token, { of: proofKey() })
  await askBound(app, realm.token())
  await askBound(app, token, { payload: { htu: 'x' } })
  t.same(refusalsIn(log).map(({ reasonCode }) => reasonCode), ['dpop_token_as_bearer', 'dpop_key_other', 'dpop_token_unbound', 'proof_htu'])
  t.notOk(log.text.includes(token))
})

t.test('the reasons of credentials and of tokens that are not bound', async (t) => {
  const log = logging()
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { dpop: { required: true }, mtls: { certificate: () => log.lines.some(({ reasonCode }) => reasonCode === 'certificate_missing') ? CLIENTS.b.cert : undefined } }, { logger: log.logger })
  for (const authorization of ['DPoP', 'DPoP x y']) await app.inject({ url: '/me', headers: { authorization } })
  await ask(app, '/me', realm.token())
  for (let times = 0; times < 2; times++) await ask(app, '/me', realm.token({ certificate: CLIENTS.a.cert }))
  t.same(refusalsIn(log).map(({ reasonCode }) => reasonCode), ['dpop_authorization_empty', 'dpop_authorization_malformed', 'sender_constraint_missing', 'certificate_missing', 'certificate_other'])
})

t.test('a header of the proxy that cannot be read is told from none', async (t) => {
  const log = logging()
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { mtls: { header: 'client-cert', proxies: ['127.0.0.1'] } }, { logger: log.logger })
  const authorization = `Bearer ${realm.token({ certificate: CLIENTS.a.cert })}`
  for (const headers of [{}, { 'client-cert': 'HIDDEN' }, { 'client-cert': '' }]) t.equal((await app.inject({ url: '/me', headers: { authorization, ...headers } })).statusCode, 401)
  t.same(refusalsIn(log).map(({ reasonCode }) => reasonCode), ['certificate_missing', 'certificate_unreadable', 'certificate_unreadable'])
  t.notMatch(log.text, 'HIDDEN')
})
