// The client of the API proves itself to a real Keycloak by a key, a federated assertion or a certificate; and each way that fails is named.
import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import Fastify, { type FastifyInstance } from 'fastify'
import keycloak, { type ClientCertificate, type ClientKey, type KeycloakOptions } from '../../index.js'
import { ask as askApi, refusalOf } from '../support/app.js'
import { CERTIFICATE } from '../support/certificate.js'
import { CLIENTS } from '../support/client-certificates.js'
import { reasonOf } from '../support/reasons.js'
import { apiClient, loginClient, ownRealm, person } from './own-realm.js'
import { tokenEndpoint } from './tls-client.js'
import { does, version } from './versions.js'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const next = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const ed = generateKeyPairSync('ed25519').privateKey

function publicJwk (key: KeyObject, more: object): object {
  const { d, p, q, dp, dq, qi, ...jwk } = key.export({ format: 'jwk' })
  return { ...jwk, use: 'sig', ...more }
}

const jwks = (...keys: object[]): Record<string, string> => ({ 'use.jwks.string': 'true', 'jwks.string': JSON.stringify({ keys }) })
const KEYS = jwks(publicJwk(rsa, { kid: 'rsa' }), publicJwk(ec, { kid: 'ec', alg: 'ES256' }), publicJwk(ed, { kid: 'ed', alg: 'EdDSA' }))

/** An issuer of assertions, such as a cluster of Kubernetes. */
const idpKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const idp = createServer((request, response) => {
  const body = request.url!.includes('openid-configuration') ? { issuer: cluster, jwks_uri: `${cluster}/keys` } : { keys: [publicJwk(idpKey, { kid: 'idp', alg: 'RS256' })] }
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
})
await new Promise<void>((resolve) => { idp.listen(0, '127.0.0.1', resolve) })
t.teardown(() => { idp.close().closeAllConnections() })
const cluster = `http://127.0.0.1:${(idp.address() as AddressInfo).port}`
const oidcIssuer = `http://localhost:${(idp.address() as AddressInfo).port}`

const toApi = (clientId: string, type: string, attributes: Record<string, string> = {}): object => apiClient(clientId, 'api-secret', { clientAuthenticatorType: type, attributes })

const dn = (subject: string): Record<string, string> => ({ 'x509.subjectdn': subject, 'x509.allow.regex.pattern.comparison': 'false' })

const realm = await ownRealm(t, {
  realm: `proofs-${randomUUID()}`,
  accessTokenLifespan: 300,
  clients: [
    toApi('by-key', 'client-jwt', KEYS), toApi('es-only', 'client-jwt', { ...KEYS, 'token.endpoint.auth.signing.alg': 'ES256' }), toApi('without-keys', 'client-jwt'),
    toApi('by-secret', 'client-secret'), toApi('by-certificate', 'client-x509', dn('CN=orders,OU=Api,O=Acme')), toApi('by-other', 'client-x509', dn('O=Acme,OU=Api,CN=orders')),
    toApi('rotating', 'client-jwt', KEYS), toApi('certificates', 'client-x509', dn('CN=client-a')),
    ...does('tellsWhyClientIsRefused') ? [toApi('pod', 'federated-jwt', { 'jwt.credential.issuer': 'cluster', 'jwt.credential.sub': 'system:serviceaccount:shop:api' }), toApi('workload', 'federated-jwt', { 'jwt.credential.issuer': 'workloads', 'jwt.credential.sub': 'workload' })] : [],
    loginClient('cli', { protocolMappers: ['by-key', 'by-certificate', 'rotating', 'certificates', 'pod', 'workload'].map((client) => ({ name: client, protocol: 'openid-connect', protocolMapper: 'oidc-audience-mapper', config: { 'included.custom.audience': client, 'access.token.claim': 'true', 'introspection.token.claim': 'true' } })) })
  ],
  users: [person('alice')]
})
const token = await realm.token('alice')

type Proof = Pick<KeycloakOptions, 'clientAssertion' | 'clientCertificate' | 'clientSecret'>

const optionsOf = (clientId: string, proof: Proof): KeycloakOptions => ({
  issuer: realm.issuer,
  clientId,
  audience: clientId,
  verifyTokensWithKeycloak: true,
  startCheck: false,
  ...proof,
  ...proof.clientCertificate !== undefined && { serverUrl: tokenEndpoint(realm.issuer).replace('/protocol/openid-connect/token', ''), ca: CERTIFICATE }
})

async function apiOf (t: Test, clientId: string, proof: Proof): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, optionsOf(clientId, proof))
  app.get('/me', { config: { authenticated: true } }, async () => 'me')
  return app
}

/** Of a token, and by the check of the start: the reason, and the sentence. */
async function refused (t: Test, clientId: string, proof: Proof): Promise<[reason: string, sentence: string]> {
  const app = await apiOf(t, clientId, proof)
  return [await reasonOf(app, token), await refusalOf({ ...optionsOf(clientId, proof), startCheck: 'require' })]
}

async function changeClient (clientId: string, attributes: Record<string, string>): Promise<void> {
  const [found] = await realm.admin('GET', `/clients?clientId=${clientId}`)
  await realm.admin('PUT', `/clients/${found.id}`, { ...found, attributes: { ...found.attributes, ...attributes } })
}

t.test('a key signs each call, by each kind of key', async (t) => {
  const keys: Array<[ClientKey, string | undefined, NonNullable<Exclude<Proof['clientAssertion'], undefined | (() => unknown)>>['algorithm']]> = [
    [ec.export({ type: 'pkcs8', format: 'pem' }), 'ec', undefined], [{ ...ec.export({ format: 'jwk' }), kid: 'ec', alg: 'ES256' }, undefined, undefined],
    [rsa, 'rsa', undefined], [rsa, 'rsa', 'PS256'], [ed, 'ed', undefined], [ec, undefined, undefined]
  ]
  for (const [key, keyId, algorithm] of keys) {
    const app = await apiOf(t, 'by-key', { clientAssertion: { key, ...keyId && { keyId }, ...algorithm && { algorithm } } })
    t.same(await Promise.all(Array.from({ length: 10 }, () => askApi(app, '/me', token))), Array(10).fill('200'))
    t.match(await app.keycloak.serviceToken(), /^[\w-]+\.[\w-]+\.[\w-]+$/)
  }
})

t.test('a key is changed at Keycloak and here, without a restart', async (t) => {
  let key: ClientKey = ec
  const app = await apiOf(t, 'rotating', { clientAssertion: { key: () => key } })
  t.equal(await askApi(app, '/me', token), '200')
  await changeClient('rotating', jwks(publicJwk(next, { kid: 'next', alg: 'ES256' })))
  key = { ...next.export({ format: 'jwk' }), kid: 'next' }
  const later = performance.now.bind(performance)
  t.intercept(performance, 'now', { value: () => later() + 1100 })
  t.equal(await askApi(app, '/me', token), '200')
})

t.test('each refusal of an assertion is told', async (t) => {
  if (!does('tellsWhyClientIsRefused')) {
    t.match(await refused(t, 'by-key', { clientAssertion: { key: next, keyId: 'ec' } }), [/./, /introspection/])
    return
  }
  const cases: Array<[clientId: string, proof: Proof, reason: string, sentence: RegExp]> = [
    ['by-key', { clientAssertion: { key: next, keyId: 'ec' } }, 'assertion_signature', /signed by another key/],
    ['by-key', { clientAssertion: { key: next, keyId: 'unknown' } }, 'assertion_key_unknown', /no key for the kid/],
    ['without-keys', { clientAssertion: { key: ec } }, 'assertion_key_unknown', /no key for the kid/],
    ['es-only', { clientAssertion: { key: rsa, keyId: 'rsa' } }, 'assertion_algorithm', /another algorithm/],
    ['by-secret', { clientAssertion: { key: ec } }, 'secret_wrong', /by a secret, not by a signed JWT/],
    ['by-certificate', { clientAssertion: { key: ec } }, 'client_unknown', /is enabled and authenticates by a signed JWT/],
    ['by-key', { clientSecret: 'api-secret' }, 'client_assertion', /by a signed JWT, not by a secret/],
    ['nobody', { clientAssertion: { key: ec } }, 'client_unknown', /no client "nobody"/]
  ]
  for (const [clientId, proof, reason, sentence] of cases) {
    const [code, said] = await refused(t, clientId, { ...proof })
    // The token is for other clients; credentials come first.
    t.equal(code === 'aud_mismatch' ? reason : code, reason, `${clientId}: ${reason}`)
    t.match(said, sentence)
  }
  const { now } = Date
  t.teardown(() => { Date.now = now })
  for (const [seconds, sentence] of [[-90, /the assertion has expired/], [60, /the assertion comes from the future/]] as const) {
    Date.now = () => now() + seconds * 1000
    t.match(await refusalOf({ ...optionsOf('by-key', { clientAssertion: { key: ec, keyId: 'ec' } }), startCheck: 'require' }), sentence)
    Date.now = now
  }
})

t.test('a certificate of the connection', async (t) => {
  const app = await apiOf(t, 'by-certificate', { clientCertificate: CLIENTS.c })
  t.same(await Promise.all(Array.from({ length: 10 }, () => askApi(app, '/me', token))), Array(10).fill('200'))
  t.match(await app.keycloak.serviceToken(), /^[\w-]+\.[\w-]+\.[\w-]+$/)
  const require = (clientId: string, clientCertificate: ClientCertificate): Promise<string> => refusalOf({ ...optionsOf(clientId, { clientCertificate }), startCheck: 'require' })
  t.equal(await require('by-certificate', CLIENTS.c), 'started')
  const told = does('tellsWhyClientIsRefused')
  t.match(await require('by-certificate', CLIENTS.a), told ? /takes this certificate \(status 401\): .*the Subject DN "CN=client-a"/ : /clientCertificate is not the certificate/)
  t.match(await require('by-other', CLIENTS.c), /"CN=orders,OU=Api,O=Acme"/, 'the order of the subject counts')
  t.match(await require('by-certificate', CLIENTS.d), /Keycloak may not trust clientCertificate/)
  if (told) t.match(await require('by-key', CLIENTS.c), /by a signed JWT, not by a certificate/)
})

t.test('a certificate is changed at Keycloak and here, without a restart', async (t) => {
  let pair = CLIENTS.a
  const app = await apiOf(t, 'certificates', { clientCertificate: async () => pair })
  t.equal(await askApi(app, '/me', token), '200')
  await changeClient('certificates', { 'x509.subjectdn': 'CN=client-b' })
  pair = CLIENTS.b
  const later = performance.now.bind(performance)
  t.intercept(performance, 'now', { value: () => later() + 1100 })
  t.equal(await askApi(app, '/me', token), '200')
})

/** A token of the cluster, as Kubernetes projects it. */
function projected (claims: object): string {
  const now = Math.floor(Date.now() / 1000)
  const text = [{ alg: 'RS256', kid: 'idp' }, { iss: cluster, aud: realm.issuer, iat: now, exp: now + 600, ...claims }].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${sign('sha256', Buffer.from(text), idpKey).toString('base64url')}`
}

t.test('an assertion of the platform', async (t) => {
  // They are a preview before.
  if (!does('tellsWhyClientIsRefused')) {
    t.match(version, /^26\.[0-6]/)
    return
  }
  await realm.admin('POST', '/identity-provider/instances', { alias: 'cluster', providerId: 'kubernetes', enabled: true, config: { issuer: cluster } })
  await realm.admin('POST', '/identity-provider/instances', {
    alias: 'workloads',
    providerId: 'oidc',
    enabled: true,
    config: { issuer: oidcIssuer, jwksUrl: `${oidcIssuer}/keys`, useJwksUrl: 'true', validateSignature: 'true', supportsClientAssertions: 'true', clientId: 'a', clientSecret: 'b', tokenUrl: `${oidcIssuer}/t`, authorizationUrl: `${oidcIssuer}/a` }
  })
  const service = projected({ sub: 'system:serviceaccount:shop:api' })
  const pod = await apiOf(t, 'pod', { clientAssertion: async () => `${service}\n` })
  for (let times = 0; times < 3; times++) t.equal(await askApi(pod, '/me', token), '200', 'the same token again and again')
  const workload = (): string => projected({ iss: oidcIssuer, sub: 'workload', jti: randomUUID() })
  const app = await apiOf(t, 'workload', { clientAssertion: workload })
  for (let times = 0; times < 3; times++) t.equal(await askApi(app, '/me', token), '200')
  const require = (clientId: string, clientAssertion: () => string): Promise<string> => refusalOf({ ...optionsOf(clientId, { clientAssertion }), startCheck: 'require' })
  const once = workload()
  t.equal(await require('workload', () => once), 'started')
  t.match(await require('workload', () => once), /the assertion was used before/)
  t.match(await require('workload', () => projected({ iss: oidcIssuer, sub: 'workload' })), /the assertion lacks a claim/)
  const sub = 'system:serviceaccount:shop:api'
  t.match(await require('pod', () => projected({ sub, aud: 'https://kubernetes.default.svc' })), /for another audience .*, the issuer of the realm, be its only audience/)
  t.match(await require('pod', () => projected({ sub, exp: 1_000_000_000 })), /return one from the function clientAssertion that is still valid/)
  t.match(await require('pod', () => projected({ sub: 'system:serviceaccount:shop:other' })), /takes this assertion .*sub with the subject of the client/)
})
