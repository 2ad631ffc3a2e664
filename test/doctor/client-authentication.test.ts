// Keycloak refuses a client that proves itself by a key, an assertion or a certificate: each cause is named, with what mends it.
import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { subjectOf } from '../../lib/options/client-certificate.js'
import type { KeycloakOptions } from '../../index.js'
import { realmFor } from '../support/app.js'
import { CERTIFICATE } from '../support/certificate.js'
import { demandCertificate } from '../support/certificate-server.js'
import { CLIENTS } from '../support/client-certificates.js'
import { required } from '../support/doctor.js'

const ON = { verifyTokensWithKeycloak: true, clientSecret: undefined }
const KEY = { ...ON, clientAssertion: { key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey } }
const FUNCTION = { ...ON, clientAssertion: () => 'a.b.c' }
const SECRET = { verifyTokensWithKeycloak: true }

/** An answer of Keycloak 26.7.3 unless another version is named; the options, and the sentence. */
const cases: Array<[status: number, error: string, description: string, options: Partial<KeycloakOptions>, says: RegExp]> = [
  [400, 'invalid_client', 'Client authentication with signed JWT failed: Signature on JWT token failed validation', KEY,
    /signed by another key than the client "api" has in Keycloak \(status 400\): give the client the public part of clientAssertion\.key \(Keys tab\), under the kid that keyId names;/],
  [400, 'invalid_client', 'Unable to load public key', KEY, /has no key for the kid and the algorithm of the assertion \(status 400\): give it the key \(Keys tab: a JWKS URL .*"use": "sig"/],
  [400, 'invalid_client', 'Invalid signature algorithm', KEY, /demands assertions of another algorithm .*clientAssertion\.algorithm be its Signature Algorithm/],
  [400, 'invalid_client', 'Token is not active', KEY, /the assertion has expired \(status 400\): set the clock of this machine by NTP/],
  [400, 'invalid_client', 'Token is not active', FUNCTION, /the assertion has expired \(status 400\): return one from the function clientAssertion that is still valid; or set the clocks/],
  [400, 'invalid_client', 'Token was issued in the future', KEY, /the assertion comes from the future \(status 400\): set the clock of this machine by NTP.*15 s/],
  [400, 'invalid_client', 'Invalid token audience', FUNCTION, /for another audience \(status 400\): let "http:\/\/127\.0\.0\.1:\d+\/realms\/test", the issuer of the realm, be its only audience/],
  [400, 'invalid_client', 'Token jti claim is required', FUNCTION, /lacks a claim \(status 400\): give it exp, iat, and jti/],
  [400, 'invalid_client', 'Token reuse detected', FUNCTION, /was used before \(status 400\): return a new one at each call of the function clientAssertion/],
  [400, 'invalid_client', 'Missing client_id parameter', KEY, /"api" has to prove itself by a certificate, not by a signed JWT \(status 400\): in its Credentials tab in Keycloak set Client Authenticator to "Signed JWT";/],
  [400, 'unauthorized_client', 'Client authentication with client secret signed JWT failed: Signature on JWT token by client secret failed validation', KEY, /has to sign its JWT by its secret, not by a key .*set Client Authenticator to "Signed JWT";/],
  [401, 'invalid_client', 'Client authentication failed.', KEY, /"api" has to prove itself by a secret, not by a signed JWT \(status 401\): in its Credentials tab in Keycloak set Client Authenticator to "Signed JWT";/],
  [401, 'invalid_client', 'Client authentication failed.', FUNCTION, /by a secret, not by a signed JWT .*"Signed JWT - Federated"/],
  [400, 'invalid_client', 'Parameter client_assertion_type is missing', SECRET, /by a signed JWT, not by a secret .*"Client Id and Secret";/],
  [401, 'invalid_client', 'Invalid client or Invalid client credentials', KEY, /has no client "api" that is enabled and authenticates by a signed JWT \(status 401\): correct clientId.*"Signed JWT";/],
  [401, 'invalid_client', 'Invalid client or Invalid client credentials', FUNCTION, /enabled and takes this assertion .*compare iss with the Issuer of its identity provider, sub with the subject of the client/],
  [400, 'invalid_request', 'Request not allowed', KEY, /forbids the client "api" to ask, or to ask by a signed JWT/],
  // 26.4.7
  [401, 'invalid_request', 'Authentication failed.', KEY, /clientAssertion\.key is not the key of the client "api", or there is no such client, .*Keys tab/],
  [401, 'invalid_request', 'Authentication failed.', FUNCTION, /the assertion of the function clientAssertion is not one of the client "api", or .*compare its iss and sub/]
]

for (const [status, error, description, options, says] of cases) {
  t.test(`${description} (${'clientAssertion' in options ? typeof options.clientAssertion : 'secret'})`, async (t) => {
    const realm = await realmFor(t)
    realm.respond('introspect', (_request, response) => { response.writeHead(status).end(JSON.stringify({ error, error_description: description })) })
    const { message, checks } = await required(t, realm, options)
    t.same(checks, ['credentials'])
    t.match(message, says)
    t.match(message, /^fastify-keycloak-bearer: introspection: .*; until then every request with a token is 503$/)
  })
}

t.test('a 401 in unknown words may be about the credentials', async (t) => {
  const realm = await realmFor(t)
  realm.respond('introspect', (_request, response) => { response.writeHead(401).end('SECRET') })
  t.match(await required(t, realm, KEY), { checks: ['credentials'], message: /clientAssertion\.key is not the key of the client "api", or there is no such client \(status 401 instead of 200\): give its public part/ })
})

t.test('a function that returns no credentials is named', async (t) => {
  const realm = await realmFor(t)
  const throws = (): never => { throw new Error('SECRET') }
  t.match(await required(t, realm, { ...ON, clientAssertion: throws }), { checks: ['introspection'], message: /introspection: the function clientAssertion returned no assertion within introspection\.timeout: correct it;/ })
  t.match(await required(t, realm, { ...ON, clientAssertion: { key: throws } }), { checks: ['introspection'], message: /introspection: the function clientAssertion\.key returned no key that signs within introspection\.timeout: correct it;/ })
  const { serverUrl } = await demandCertificate(t, realm, CLIENTS.a)
  t.match(await required(t, realm, { ...ON, serverUrl, clientCertificate: throws }), { checks: ['tls'], message: /the function clientCertificate returned no certificate with its key\): correct that function/ })
})

t.test('a certificate that is not that of the client comes with the subject to write', async (t) => {
  const realm = await realmFor(t)
  const { serverUrl } = await demandCertificate(t, realm, CLIENTS.a)
  const said = async (clientCertificate: KeycloakOptions['clientCertificate']): Promise<string> => {
    const { message, checks } = await required(t, realm, { ...ON, serverUrl, ca: CERTIFICATE, clientCertificate })
    t.same(checks, ['credentials'])
    return message
  }
  t.match(await said(CLIENTS.c), /has no client "api" that is enabled and takes this certificate \(status 401\): .*"X509 Certificate", with the Subject DN "CN=orders,OU=Api,O=Acme" and Allow regex pattern comparison off; or have Keycloak ask for certificates \(its option https-client-auth=request\)/)
  t.match(await said(CLIENTS.d), /with the Subject DN of the certificate, in the order of RFC 2253 \(openssl x509 -noout -subject -nameopt RFC2253\) and/)
  t.match(await said(() => CLIENTS.c), /with the Subject DN of the certificate, in the order of RFC 2253/)
  t.equal(subjectOf(CLIENTS.a.cert), 'CN=client-a')
})

t.test('so is it for other refusals of a certificate', async (t) => {
  const realm = await realmFor(t)
  const { serverUrl } = await demandCertificate(t, realm, CLIENTS.a)
  const https = { ...ON, serverUrl, ca: CERTIFICATE, clientCertificate: CLIENTS.c }
  for (const [error, description, says] of [
    ['invalid_client', 'Client authentication failed.', /by a secret, not by a certificate .*"X509 Certificate"/],
    ['invalid_client', 'Parameter client_assertion_type is missing', /by a signed JWT, not by a certificate .*"X509 Certificate"/],
    ['invalid_request', 'Authentication failed.', /clientCertificate is not the certificate of the client "api", or .*write "CN=orders,OU=Api,O=Acme" into the Subject DN/]
  ] as const) {
    const server = await demandCertificate(t, realm, CLIENTS.a)
    server.refuses = { error, error_description: description }
    t.match(await required(t, realm, { ...https, serverUrl: server.serverUrl }), { checks: ['credentials'], message: says })
  }
})

for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
  t.test(`a certificate that Keycloak does not trust ends the connection, with ${maxVersion}`, async (t) => {
    const realm = await realmFor(t)
    const { serverUrl } = await demandCertificate(t, realm, CLIENTS.a, { rejectUnauthorized: true, ca: CLIENTS.b.cert, maxVersion })
    const { message, checks } = await required(t, realm, { ...ON, serverUrl, ca: CERTIFICATE, clientCertificate: CLIENTS.a })
    t.match(checks, [/^(tls|unreachable)$/])
    t.match(message, /Keycloak may not trust clientCertificate: put the certificate of its authority into the trust store of Keycloak \(https-trust-store-file\)/)
  })
}

t.test('so does a handshake that is refused aloud', async (t) => {
  const realm = await realmFor(t)
  const { serverUrl } = await demandCertificate(t, realm, CLIENTS.a, { ciphers: 'PSK-AES128-CBC-SHA', maxVersion: 'TLSv1.2' })
  t.match(await required(t, realm, { ...ON, serverUrl, ca: CERTIFICATE, clientCertificate: CLIENTS.a }), { checks: ['tls'], message: /it refused our TLS handshake: Keycloak may not trust clientCertificate/ })
})
