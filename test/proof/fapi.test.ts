// The negative cases of FAPI 2.0 for a resource server, by requests: those of the conformance suite's module
// fapi2-security-profile-final-dpop-negative-tests by its titles, with the clause that each is about, and more of RFC 9449.
import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'
import type { TestRealm } from '../../lib/testing/index.js'
import { apiFor, realmFor } from '../support/app.js'
import { CLIENTS } from '../support/client-certificates.js'
import { boundTo, proofKey, type ProofSpec } from '../support/proofs.js'
import { agentOf, apiOverTls, type Client, get } from '../support/tls-api.js'
import { encode, hmac, sealed } from '../support/vectors.js'

const key = proofKey()
const other = proofKey()
const url = 'http://localhost:80/me'
const now = (): number => Date.now() / 1000

interface Request { proof: string | string[], scheme?: string, url?: string, header?: string, authorization?: string, body?: string }

interface Case {
  name: string
  /** The requirement: FAPI 2.0 Security Profile (FAPI2), RFC 9449 (DPOP), RFC 3986. */
  clause: string
  /** Given a function that makes proofs for the token. */
  request: (proof: (spec?: ProofSpec) => string, token: string, realm: TestRealm) => Request
  answer: string
}

const GOOD = '200'
const PROOF = '401 dpop_proof_not_valid, DPoP error="invalid_dpop_proof"'
const TOKEN = '401 token_not_valid, DPoP error="invalid_token"'
const BEARER = '401 token_not_valid, Bearer error="invalid_token"'
const NOBODY = '401 not_authenticated'
const HEADER = '401 bad_authorization_header, DPoP error="invalid_request"'

const wrong = (name: string, clause: string, spec: () => ProofSpec, answer = PROOF): Case => ({ name, clause, request: (proof) => ({ proof: proof(spec()) }), answer })

const unsigned = (proof: string, header: object, signature = ''): string => `${encode(header)}.${proof.split('.')[1]}.${signature}`

const CASES: readonly Case[] = [
  { name: 'DPoP proof with all upper case header value', clause: 'DPOP-4.1', request: (proof) => ({ proof: proof(), header: 'DPOP' }), answer: GOOD },
  { name: 'more than one DPoP in the header', clause: 'DPOP-4.3-1', request: (proof) => ({ proof: [proof(), proof()] }), answer: PROOF },
  { name: 'the same DPoP proof twice', clause: 'DPOP-4.3-1', request: (proof) => { const one = proof(); return { proof: [one, one] } }, answer: PROOF },
  { name: 'DPoP proof not well-formed JWT: no signature', clause: 'DPOP-4.3-2', request: (proof) => ({ proof: proof().split('.').slice(0, 2).join('.') }), answer: PROOF },
  { name: 'DPoP proof not well-formed JWT: text', clause: 'DPOP-4.3-2', request: () => ({ proof: 'proof' }), answer: PROOF },
  { name: 'DPoP proof not well-formed JWT: two in one field', clause: 'DPOP-4.3-2', request: (proof) => ({ proof: `${proof()}, ${proof()}` }), answer: PROOF },
  ...['typ', 'alg', 'jwk'].map((name) => wrong(`DPoP proof where '${name}' is missing in header`, 'DPOP-4.2, DPOP-4.3-3', () => ({ header: { [name]: undefined } }))),
  ...['jti', 'htm', 'htu', 'iat', 'ath'].map((name) => wrong(`DPoP proof where '${name}' is missing`, 'DPOP-4.2, DPOP-4.3-3', () => ({ payload: { [name]: undefined } }))),
  ...['jti', 'htm', 'htu', 'iat', 'ath'].map((name) => wrong(`DPoP proof where '${name}' is of another type`, 'DPOP-4.2, DPOP-4.3-3', () => ({ payload: { [name]: ['x'] } }))),
  ...['JWT', 'at+jwt', 'application/dpop+jwt', 'DPOP+JWT'].map((typ) => wrong(`DPoP proof with invalid 'typ' in header: ${typ}`, 'DPOP-4.3-4', () => ({ header: { typ } }))),
  wrong('DPoP proof signed using RS256', 'FAPI2-5.4.1, DPOP-4.3-5', () => ({ header: { alg: 'RS256' } })),
  { name: 'DPoP proof with none alg', clause: 'FAPI2-5.4.1, DPOP-4.3-5', request: (proof) => ({ proof: unsigned(proof(), { typ: 'dpop+jwt', alg: 'none', jwk: key.jwk }) }), answer: PROOF },
  { name: 'DPoP proof with HS256 and a symmetric key', clause: 'DPOP-4.3-5', request: (proof) => ({ proof: sealed(unsigned(proof(), { typ: 'dpop+jwt', alg: 'HS256', jwk: { kty: 'oct', k: 'AAAA' } }).slice(0, -1), hmac('HS256', Buffer.from('AAAA', 'base64url'))) }), answer: PROOF },
  { name: 'DPoP proof with HS256 by the public key', clause: 'DPOP-4.3-5', request: (proof) => ({ proof: sealed(unsigned(proof(), { typ: 'dpop+jwt', alg: 'HS256', jwk: key.jwk }).slice(0, -1), hmac('HS256', JSON.stringify(key.jwk))) }), answer: PROOF },
  wrong('DPoP proof with invalid signature', 'DPOP-4.3-6', () => ({ key: other.privateKey })),
  { name: 'DPoP proof with the signature of another one', clause: 'DPOP-4.3-6', request: (proof) => ({ proof: proof().replace(/[^.]*$/, proof().split('.')[2]!) }), answer: PROOF },
  wrong('DPoP proof with jwk header incorrectly containing private key', 'DPOP-4.3-7', () => ({ header: { jwk: key.privateKey.export({ format: 'jwk' }) } })),
  wrong('DPoP proof with incorrect \'htm\'', 'DPOP-4.3-8', () => ({ method: 'PUT' })),
  wrong('DPoP proof where \'htu\' has a query and a fragment, which are ignored', 'DPOP-4.3-9', () => ({ url: `${url}?a=b#c` }), GOOD),
  { name: 'DPoP proof where \'htu\' does not contain the query', clause: 'DPOP-4.3-9', request: (proof) => ({ proof: proof(), url: '/me?a=b' }), answer: GOOD },
  ...['http://localhost:80/', 'http://localhost:80/me/', 'http://localhost:81/me', 'https://localhost:80/me', 'http://evil.example/me'].map((url) => wrong(`DPoP proof where 'htu' is a different url: ${url}`, 'DPOP-4.3-9', () => ({ url }))),
  wrong('DPoP proof where \'iat\' is one hour in the future', 'DPOP-4.3-11', () => ({ payload: { iat: now() + 3600 } })),
  wrong('DPoP proof where \'iat\' is one hour in the past', 'DPOP-4.3-11', () => ({ payload: { iat: now() - 3600 } })),
  wrong('DPoP proof where \'iat\' is 8 seconds in the future', 'FAPI2-5.3.2.1-13', () => ({ payload: { iat: now() + 8 } }), GOOD),
  wrong('DPoP proof where \'iat\' is 10 seconds in the past', 'FAPI2-5.3.2.1-13', () => ({ payload: { iat: now() - 10 } }), GOOD),
  wrong('DPoP proof where \'iat\' is over 60 seconds in the future', 'FAPI2-5.3.2.1-13', () => ({ payload: { iat: now() + 65 } })),
  wrong('DPoP reuse, first use of jti', 'DPOP-11.1', () => ({ payload: { jti: 'one' } }), GOOD),
  wrong('DPoP reuse, second use of the same jti', 'DPOP-11.1', () => ({ payload: { jti: 'one' } })),
  wrong('DPoP proof where \'ath\' is incorrect', 'DPOP-4.3-12', () => ({ token: 'another token' })),
  { name: 'DPoP signed with a different key', clause: 'DPOP-4.3-12, DPOP-7.1', request: (_proof, token) => ({ proof: other.proof({ url, token }) }), answer: TOKEN },
  wrong('DPoP proof with extra claims on header and claims, which are ignored', 'DPOP-4.2', () => ({ header: { kid: 'x', more: { a: [] } }, payload: { more: { a: [] }, nbf: Math.floor(now()), exp: Math.floor(now()) + 300 } }), GOOD),
  wrong('DPoP proof with a critical extension', 'RFC 7515 section 4.1.11', () => ({ header: { crit: ['more'], more: 1 } })),
  wrong('DPoP proof whose htu has scheme and host in upper case', 'RFC 3986 section 6.2.2', () => ({ url: 'HTTP://LOCALHOST:80/me' }), GOOD),
  wrong('DPoP proof whose htu is without the default port', 'RFC 3986 section 6.2.3', () => ({ url: 'http://localhost/me' }), GOOD),
  { name: 'resource access without DPoP proof', clause: 'FAPI2-5.3.4-5, DPOP-7.1', request: () => ({ proof: [] }), answer: PROOF },
  { name: 'resource access without DPoP proof and authorization type changed to Bearer', clause: 'FAPI2-5.3.4-5, DPOP-7.1', request: () => ({ proof: [], scheme: 'Bearer' }), answer: BEARER },
  { name: 'authorization type changed to Bearer beside the DPoP proof', clause: 'DPOP-7.1', request: (proof) => ({ proof: proof(), scheme: 'Bearer' }), answer: BEARER },
  { name: 'access token that is not sender-constrained, as DPoP', clause: 'FAPI2-5.3.4-5', request: (_proof, _token, realm) => { const token = realm.token(); return { proof: key.proof({ url, token }), authorization: `DPoP ${token}` } }, answer: TOKEN },
  { name: 'access token that is not sender-constrained, as Bearer', clause: 'FAPI2-5.3.4-5', request: (_proof, _token, realm) => ({ proof: [], authorization: `Bearer ${realm.token()}` }), answer: BEARER },
  { name: 'access token in the query', clause: 'FAPI2-5.3.4-2', request: (proof, token) => ({ proof: proof(), authorization: '', url: `/me?access_token=${token}` }), answer: NOBODY },
  { name: 'access token in the body', clause: 'FAPI2-5.3.4-1', request: (_proof, token) => ({ proof: key.proof({ url, token, method: 'POST' }), authorization: '', body: `access_token=${token}` }), answer: NOBODY },
  { name: 'two access tokens in the header', clause: 'DPOP-7.1', request: (proof, token) => ({ proof: proof(), authorization: `DPoP ${token}, Bearer ${token}` }), answer: HEADER },
  { name: 'expired access token with a correct DPoP proof', clause: 'FAPI2-5.3.4-3', request: (_proof, _token, realm) => { const token = realm.token({ claims: boundTo(key), expired: true }); return { proof: key.proof({ url, token }), authorization: `DPoP ${token}` } }, answer: '401 token_expired, DPoP error="invalid_token"' },
  { name: 'forged access token with a correct DPoP proof', clause: 'FAPI2-5.3.4-3', request: (_proof, _token, realm) => { const token = realm.token({ claims: boundTo(key), forged: true }); return { proof: key.proof({ url, token }), authorization: `DPoP ${token}` } }, answer: TOKEN },
  { name: 'access token whose authorization does not suffice', clause: 'FAPI2-5.3.4-4', request: (proof) => ({ proof: proof({ url: 'http://localhost:80/profile' }), url: '/profile' }), answer: '403 permission_denied, DPoP error="insufficient_scope"' },
  { name: 'a correct DPoP proof still works', clause: 'DPOP-7.1', request: (proof) => ({ proof: proof() }), answer: GOOD }
]

function answerOf ({ statusCode, headers, json }: LightMyRequestResponse): string {
  if (statusCode < 400) return String(statusCode)
  const challenge = /(\w+) realm="test", (error="\w+")/.exec(String(headers['www-authenticate']))
  return `${statusCode} ${json().code}${challenge === null ? '' : `, ${challenge[1]} ${challenge[2]}`}`
}

t.test('FAPI 2.0 with DPoP', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { dpop: { required: true, algorithms: ['PS256', 'ES256', 'EdDSA'], leeway: 10 } })
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => { done(null, body) })
  app.post('/me', { config: { authenticated: true } }, async () => 'in')
  const token = realm.token({ claims: boundTo(key) })
  for (const { name, clause, request, answer } of CASES) {
    await t.test(`${clause}: ${name}`, async (t) => {
      const { proof, scheme = 'DPoP', url: path = '/me', header = 'DPoP', authorization = `${scheme} ${token}`, body } = request((spec) => key.proof({ url, token, ...spec }), token, realm)
      const proofs = [proof].flat()
      const response = await app.inject({
        method: body === undefined ? 'GET' : 'POST',
        url: path,
        headers: { ...authorization !== '' && { authorization }, ...proofs.length > 0 && { [header]: proofs as never }, ...body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' } },
        ...body !== undefined && { body }
      })
      t.equal(answerOf(response), answer)
    })
  }
})

t.test('FAPI 2.0 with mTLS', async (t) => {
  const { realm, port, token } = await apiOverTls(t, {}, { mtls: { required: true } })
  const cases: ReadonlyArray<readonly [name: string, clause: string, client: Client, token: string | undefined, path: string, answer: number]> = [
    ['its certificate', 'FAPI2-5.3.4-5, RFC 8705 section 3', CLIENTS.a, token, '/me', 200],
    ['no certificate', 'FAPI2-5.3.4-5, RFC 8705 section 3', {}, token, '/me', 401],
    ['the certificate of another client', 'FAPI2-5.3.4-5, RFC 8705 section 3', CLIENTS.b, token, '/me', 401],
    ['a token of another certificate', 'FAPI2-5.3.4-5, RFC 8705 section 3', CLIENTS.a, realm.token({ certificate: CLIENTS.b.cert }), '/me', 401],
    ['a token that is not sender-constrained', 'FAPI2-5.3.4-5', CLIENTS.a, realm.token(), '/me', 401],
    ['a token of another method', 'RFC 7800 section 3.1', CLIENTS.a, realm.token({ claims: { cnf: { x5t: 'x' } } }), '/me', 401],
    ['an expired token', 'FAPI2-5.3.4-3', CLIENTS.a, realm.token({ certificate: CLIENTS.a.cert, expired: true }), '/me', 401],
    ['a token in the query', 'FAPI2-5.3.4-2', CLIENTS.a, undefined, `/me?access_token=${token}`, 401],
    ['its certificate, once more', 'RFC 8705 section 3', CLIENTS.a, token, '/me', 200]
  ]
  for (const [name, clause, client, token, path, answer] of cases) {
    await t.test(`${clause}: ${name}`, async (t) => {
      t.equal((await get(port, path, token, agentOf(t, client))).status, answer)
    })
  }
})
