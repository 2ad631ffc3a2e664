// Bound tokens and proofs of the test realm, by another author's reading of the RFCs: jose.
import { generateKeyPairSync, X509Certificate, createHash } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader, EmbeddedJWK, jwtVerify } from 'jose'
import t from 'tap'
import type { DpopClient, InjectAsOptions } from '../../lib/testing/index.js'
import { realmFor } from '../support/app.js'
import { CERTIFICATE } from '../support/certificate.js'

const URL = 'https://api.example.com/orders'

/** An API without the plugin, which says what reached it; `nonces` of them are asked for first. */
function echo (t: { teardown (close: () => unknown): void }, nonces: string[] = []): FastifyInstance {
  const app = Fastify()
  t.teardown(() => app.close())
  app.all('/*', async (request, reply) => {
    const { authorization, dpop } = request.headers as Record<string, string>
    const wanted = nonces.shift()
    if (wanted !== undefined) void reply.code(401).headers({ 'dpop-nonce': wanted, 'www-authenticate': 'DPoP error="use_dpop_nonce"' })
    return { authorization, proof: dpop && decodeJwt(dpop), raw: dpop, url: `${request.protocol}://${request.host}${request.originalUrl.split('?')[0]}`, method: request.method }
  })
  return app
}

t.test('a client makes proofs that its key signs, of each algorithm, and that name its key', async (t) => {
  const realm = await realmFor(t)
  for (const algorithm of ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256'] as const) {
    const client = realm.dpop({ algorithm })
    const { payload, protectedHeader } = await jwtVerify(await client.proof({ method: 'POST', url: `${URL}?a=1#b` }), EmbeddedJWK, { typ: 'dpop+jwt' })
    t.match(protectedHeader, { alg: algorithm, typ: 'dpop+jwt' })
    t.equal(await calculateJwkThumbprint(protectedHeader.jwk!), client.jkt)
    t.equal((protectedHeader.jwk as { d?: string }).d, undefined, 'the private half stays with the client')
    t.match(payload, { htm: 'POST', htu: URL, jti: /^[\w-]{36}$/, iat: Number })
    t.same(Object.keys(payload), ['jti', 'htm', 'htu', 'iat'])
  }
  t.throws(() => realm.dpop({ algorithm: 'HS256' as never }), { name: 'TypeError', message: /^TestRealm.dpop\(\): algorithm is "HS256", which is none of RS256, / })
})

t.test('a proof names the token and the nonce, and anything else that a test wants of it', async (t) => {
  const client = (await realmFor(t)).dpop()
  t.match(decodeJwt(await client.proof({ url: URL, token: 'a.b.c', nonce: 'n' })), {
    htm: 'GET', nonce: 'n', ath: createHash('sha256').update('a.b.c').digest('base64url')
  })
  const odd = await client.proof({ url: URL, claims: { iat: 5, jti: 'again', htu: undefined }, header: { typ: 'JWT' } })
  t.match(decodeJwt(odd), { iat: 5, jti: 'again' })
  t.equal(decodeJwt(odd).htu, undefined)
  t.equal(decodeProtectedHeader(odd).typ, 'JWT')
  t.not(decodeJwt(await client.proof({ url: URL })).jti, decodeJwt(await client.proof({ url: URL })).jti)
})

t.test('a token is bound to a key, a certificate or both, as Keycloak writes it', async (t) => {
  const realm = await realmFor(t)
  const client = realm.dpop()
  const jkt = { jkt: client.jkt, 'kc-jkt-type': 'DPoP' }
  const certificate = { 'x5t#S256': createHash('sha256').update(new X509Certificate(CERTIFICATE).raw).digest('base64url') }
  const claimsOf = (spec: object) => { const { typ, cnf } = decodeJwt(realm.token(spec)); return { typ, cnf } }
  t.strictSame(claimsOf({ dpop: client }), { typ: 'DPoP', cnf: jkt })
  t.strictSame(claimsOf({ dpop: client, kind: 'dpop' }), { typ: 'DPoP', cnf: jkt })
  t.strictSame(claimsOf({ dpop: client, kind: 'lightweight' }), { typ: 'DPoP', cnf: jkt })
  t.strictSame(claimsOf({ dpop: client, kind: 'refresh' }), { typ: 'Refresh', cnf: jkt })
  t.strictSame(claimsOf({ dpop: client, kind: 'id' }), { typ: 'ID', cnf: undefined })
  t.strictSame(claimsOf({ certificate: CERTIFICATE }), { typ: 'Bearer', cnf: certificate })
  t.strictSame(claimsOf({ certificate: new X509Certificate(CERTIFICATE).raw }), { typ: 'Bearer', cnf: certificate })
  t.strictSame(claimsOf({ dpop: client, certificate: CERTIFICATE }), { typ: 'DPoP', cnf: { ...jkt, ...certificate } })
  t.strictSame(claimsOf({ dpop: true }), claimsOf({ dpop: true }), 'the realm has one client of its own')
  t.strictSame(claimsOf({}), { typ: 'Bearer', cnf: undefined })
})

t.test('a token tells the level and the time of the login', async (t) => {
  const realm = await realmFor(t)
  for (const kind of ['access', 'id'] as const) {
    t.match(decodeJwt(realm.token({ kind, acr: 'gold', authTime: 1700000000.9 })), { acr: 'gold', auth_time: 1700000000 })
    const { acr, auth_time: authTime } = decodeJwt(realm.token({ kind }))
    t.strictSame([acr, authTime], ['1', undefined])
  }
})

t.test('what binds a token is a client or a certificate, and nothing else', async (t) => {
  const realm = await realmFor(t)
  const { publicKey } = generateKeyPairSync('ed25519')
  const cases: Array<[spec: unknown, message: string]> = [
    [{ dpop: false }, 'dpop must be true, or a client of TestRealm.dpop(), not false.'],
    [{ dpop: {} }, 'dpop must be true, or a client of TestRealm.dpop(), not an object.'],
    [{ certificate: 'x' }, 'certificate must be a certificate, as PEM or DER, not a string.'],
    [{ certificate: publicKey }, 'certificate must be a certificate, as PEM or DER, not an object.'],
    [{ acr: 2 }, 'acr must be a string, not a number.'],
    [{ authTime: 'now' }, 'authTime must be a number of seconds since 1970, not a string.'],
    [{ authtime: 5 }, '"authtime" is unknown; write "authTime".']
  ]
  for (const [spec, message] of cases) t.throws(() => realm.token(spec as object), { name: 'TypeError', message: `TestRealm.token(): ${message}` })
})

t.test('inject sends the scheme DPoP and a proof for the URL that the API sees, however it is written', async (t) => {
  const realm = await realmFor(t)
  const app = echo(t)
  const as = { dpop: true } as const
  const requests: InjectAsOptions[] = [
    { as, url: '/orders?a=1', method: 'POST' },
    { as, path: '/orders', query: { a: '1' } },
    { as, url: '//orders' },
    { as, url: { pathname: '/orders' } },
    { as, url: { pathname: '/orders', hostname: 'api.example.com', port: 8080, protocol: 'http' } },
    { as, url: '/orders', authority: 'api.example.com' },
    { as, url: '/orders', headers: { Host: 'api.example.com' } },
    { as, url: 'http://api.example.com/orders', method: 'delete' as never }
  ]
  for (const request of requests) {
    const { authorization, proof, url, method } = (await realm.inject(app, request)).json()
    t.match(authorization, /^DPoP [\w.-]+$/)
    t.equal(proof.htm, method)
    t.equal(new globalThis.URL(proof.htu).href, new globalThis.URL(url).href, JSON.stringify(request))
    t.equal(proof.ath, createHash('sha256').update(authorization.slice(5)).digest('base64url'))
  }
})

t.test('inject answers one challenge for a nonce, with the same token and a new proof', async (t) => {
  const realm = await realmFor(t)
  const { proof, authorization } = (await realm.inject(echo(t, ['first']), { as: { dpop: true }, url: '/' })).json()
  t.equal(proof.nonce, 'first')
  t.equal(proof.ath, createHash('sha256').update(authorization.slice(5)).digest('base64url'))
  const twice = await realm.inject(echo(t, ['first', 'second', 'third']), { as: { dpop: true }, url: '/' })
  t.equal(twice.statusCode, 401)
  t.equal(twice.json().proof.nonce, 'first', 'one challenge, not two')
})

t.test('a refusal that names no nonce is the answer', async (t) => {
  const realm = await realmFor(t)
  for (const headers of [{ 'dpop-nonce': 'n' }, { 'www-authenticate': 'DPoP error="use_dpop_nonce"' }]) {
    let requests = 0
    const app = Fastify()
    t.teardown(() => app.close())
    app.get('/', async (_, reply) => { requests++; return reply.code(401).headers(headers).send() })
    t.equal((await realm.inject(app, { as: { dpop: true }, url: '/' })).statusCode, 401)
    t.equal(requests, 1)
  }
})

t.test('a proof of the test\'s own goes along as it is, and a token alone is a thief\'s', async (t) => {
  const realm = await realmFor(t)
  const app = echo(t)
  const client: DpopClient = realm.dpop()
  const token = realm.token({ dpop: client })
  const proof = await client.proof({ url: 'http://localhost/other', token })
  t.equal((await realm.inject(app, { as: { dpop: client }, url: '/', headers: { DPoP: proof } })).json().raw, proof)
  const stolen = (await realm.inject(app, { as: token, url: '/' })).json()
  t.strictSame([stolen.authorization, stolen.proof], [`Bearer ${token}`, undefined])
  t.match(realm.headers({ dpop: client }), { authorization: /^DPoP / })
  t.match(realm.headers(token), { authorization: /^Bearer / })
})

t.test('a proof without the URL of its request is a mistake of the test', async (t) => {
  const realm = await realmFor(t)
  for (const request of [undefined, {}, { method: 'POST' }, { url: new globalThis.URL(URL) }]) {
    await t.rejects(realm.dpop().proof(request as never), { name: 'TypeError', message: 'DpopClient.proof(): url is missing: write { method, url } of the request that the proof is for, with the whole URL as clients see it.' })
  }
})
