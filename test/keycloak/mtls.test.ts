// Tokens that Keycloak binds to the client's certificate, from the login by TLS to an API that ends TLS itself or is behind a proxy.
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { request as forward } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import type { KeycloakOptions } from '../../types/options.js'
import { CERTIFICATE, KEY } from '../support/certificate.js'
import { CLIENTS } from '../support/client-certificates.js'
import { proofKey } from '../support/proofs.js'
import { API, boundRealm } from './bound-realm.js'
import { api, ask, decode } from './helpers.js'
import { thumbprintOf, tlsClient, tokenEndpoint } from './tls-client.js'

const realm = await boundRealm(t)
const { issuer } = realm
const TLS = { cert: CERTIFICATE, key: KEY, requestCert: true, rejectUnauthorized: false }
const ALICE = { grant_type: 'password', client_id: 'tls', username: 'alice', password: 'alice-pw', scope: 'openid' }

const bearer = (token: string, more: Record<string, string> = {}) => ({ authorization: `Bearer ${token}`, ...more })

/** The address of an API that listens, by TLS unless it is behind a proxy; its route /bound takes bound tokens alone. */
async function listening (t: Test, settings: Partial<KeycloakOptions> = {}, server: object = { https: TLS }): Promise<string> {
  const app = await api(t, { ...API, issuer, mtls: true, ...settings }, server as FastifyServerOptions)
  app.get('/bound', { config: { senderConstrained: true } }, async () => ({}))
  return app.listen({ host: '127.0.0.1', port: 0 })
}

/** The holder of a token's certificate, and what comes with another one and without one. */
function clients (t: Test) {
  return { owner: tlsClient(t, issuer, CLIENTS.a), thief: tlsClient(t, issuer, CLIENTS.b), nobody: tlsClient(t, issuer) }
}

t.test('a token is good with the certificate that it was requested with, and with no other', async (t) => {
  const url = await listening(t)
  const { owner, thief, nobody } = clients(t)
  const { access_token: token, token_type: type } = await owner.grant(ALICE)
  t.equal(type, 'Bearer')
  t.match(decode(token).claims, { typ: 'Bearer', cnf: { 'x5t#S256': thumbprintOf(CLIENTS.a.cert) } })
  for (const path of ['/me', '/bound', '/open']) {
    t.equal(await owner.get(url + path, bearer(token)), '200', path)
    for (const client of [thief, nobody]) t.equal(await client.get(url + path, bearer(token)), '401 token_not_valid', path)
  }
  t.equal(await owner.get(`${url}/profile`, bearer(token)), '403 permission_denied')
})

t.test('a plain token is taken beside, but not by a route for bound ones', async (t) => {
  const url = await listening(t)
  const { owner, nobody } = clients(t)
  const token = await realm.token('alice')
  for (const client of [owner, nobody]) {
    t.equal(await client.get(`${url}/me`, bearer(token)), '200')
    t.equal(await client.get(`${url}/bound`, bearer(token)), '401 token_not_valid')
  }
})

t.test('Keycloak gives this client no token without a certificate, and refreshes by the same one alone', async (t) => {
  const url = await listening(t)
  const { owner, thief, nobody } = clients(t)
  await t.rejects(nobody.grant(ALICE), /Client Certification missing/)
  await t.rejects(realm.token('alice', 'tls'), /Client Certification missing/)
  const { refresh_token: refreshToken } = await owner.grant(ALICE)
  const form = { grant_type: 'refresh_token', client_id: 'tls', refresh_token: refreshToken }
  await t.rejects(thief.grant(form), /^401 .*unauthorized_client/)
  const { access_token: token } = await owner.grant(form)
  t.equal(await owner.get(`${url}/bound`, bearer(token)), '200')
  t.equal(await thief.get(`${url}/bound`, bearer(token)), '401 token_not_valid')
})

t.test('introspection tells of the certificate, and ends with the session', async (t) => {
  const url = await listening(t, { verifyTokensWithKeycloak: true })
  const { owner, thief } = clients(t)
  const { access_token: token } = await owner.grant(ALICE)
  const form = { token, client_id: API.clientId, client_secret: API.clientSecret }
  const answer = await ask('token/introspect', form, {}, `${issuer}/protocol/openid-connect`)
  t.match(answer, { active: true, token_type: 'Bearer', cnf: { 'x5t#S256': thumbprintOf(CLIENTS.a.cert) } })
  t.equal(await owner.get(`${url}/bound`, bearer(token)), '200')
  t.equal(await thief.get(`${url}/bound`, bearer(token)), '401 token_not_valid')
  await realm.admin('DELETE', `/sessions/${decode(token).claims.sid}`)
  t.equal(await owner.get(`${url}/bound`, bearer(token)), '401 token_not_valid')
})

/** A proxy that ends TLS and hands the certificate on, in place of a header that the client sent; answers its address. */
async function proxyFor (t: Test, api: string, header: string, form: (certificate: X509Certificate) => string): Promise<string> {
  const proxy = createServer(TLS, (request, response) => {
    const certificate = (request.socket as TLSSocket).getPeerX509Certificate()
    const { [header]: _spoofed, ...headers } = request.headers
    forward(api + request.url, { headers: { ...headers, ...certificate && { [header]: form(certificate) } } }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    }).on('error', () => response.destroy()).end()
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => { proxy.close().closeAllConnections() })
  return `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`
}

const FORMS = {
  'client-cert': ({ raw }: X509Certificate) => `:${raw.toString('base64')}:`,
  'ssl-client-cert': (certificate: X509Certificate) => encodeURIComponent(certificate.toString()),
  'x-forwarded-client-cert': ({ fingerprint256 }: X509Certificate) => `Hash=${fingerprint256.replaceAll(':', '').toLowerCase()}`
}

for (const [header, form] of Object.entries(FORMS) as Array<[keyof typeof FORMS, (certificate: X509Certificate) => string]>) {
  t.test(`a proxy hands the certificate on in ${header}`, async (t) => {
    const behind = await listening(t, { mtls: { header, proxies: ['127.0.0.1'] } }, {})
    const url = await proxyFor(t, behind, header, form)
    const { owner, thief, nobody } = clients(t)
    const { access_token: token } = await owner.grant(ALICE)
    const spoofed = { [header]: form(new X509Certificate(CLIENTS.a.cert)) }
    t.equal(await owner.get(`${url}/bound`, bearer(token)), '200')
    for (const client of [thief, nobody]) {
      t.equal(await client.get(`${url}/bound`, bearer(token)), '401 token_not_valid')
      t.equal(await client.get(`${url}/bound`, bearer(token, spoofed)), '401 token_not_valid', 'the proxy removes what the client sent')
    }
    const elsewhere = await listening(t, { mtls: { header, proxies: ['10.0.0.0/8'] } }, {})
    t.equal(await owner.get(`${elsewhere}/bound`, bearer(token, spoofed)), '401 token_not_valid', 'the sender is no proxy')
  })
}

t.test('a client with both bindings gets a token of type DPoP without a key of proofs, which is refused', async (t) => {
  const url = await listening(t, { dpop: true })
  const { owner } = clients(t)
  const key = proofKey()
  const dpop = key.proof({ method: 'POST', url: tokenEndpoint(issuer) })
  const { access_token: token, token_type: type } = await owner.grant({ ...ALICE, client_id: 'both' }, { dpop })
  t.equal(type, 'DPoP')
  t.strictSame(decode(token).claims.cnf, { 'x5t#S256': thumbprintOf(CLIENTS.a.cert) })
  t.equal(decode(token).claims.typ, 'DPoP')
  const proof = () => ({ dpop: key.proof({ url: `${url}/me`, token }) })
  t.equal(await owner.get(`${url}/me`, { authorization: `DPoP ${token}`, ...proof() }), '401 token_not_valid')
  t.equal(await owner.get(`${url}/me`, bearer(token, proof())), '401 token_not_valid')
  t.equal(await owner.get(`${url}/me`, bearer(token)), '401 token_not_valid')
})
