// The options by which the client of this API authenticates: each mistake is one sentence, and no sentence shows a key.
import { createPrivateKey, createPublicKey, createSecretKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import t from 'tap'
import { Agent } from 'undici'
import { refusalOf } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { CLIENTS } from '../support/client-certificates.js'

const REALM = 'https://sso.example.com/realms/acme'
const good = { issuer: REALM, clientId: 'api', startCheck: false }
const PKCS8 = { type: 'pkcs8', format: 'pem' } as const

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const PEM = ec.privateKey.export(PKCS8)
const JWK = ec.privateKey.export({ format: 'jwk' })
const PRIVATE = JWK.d!

const KEY = 'option "clientAssertion.key" must be a private key in PEM (its text, not its path), as a JWK or as a KeyObject, or a function that returns one, not '
const ASSERTION = 'option "clientAssertion" must be an object with key, algorithm and keyId, or a function that returns an assertion, not '
const CERTIFICATE = 'option "clientCertificate" must be an object with cert and key, or a function that returns one, not '
const CERT = 'option "clientCertificate.cert" must be the certificate of that client in PEM as string or Buffer (its text, not its path), not '
const CERT_KEY = 'option "clientCertificate.key" must be the private key of that certificate in PEM as string or Buffer (its text, not its path), not '
const ONE = 'keep the one that the client has in Keycloak (Credentials tab, Client Authenticator)'

type Cases = Array<[options: object, sentence: string]>

function refused (name: string, cases: Cases): void {
  t.test(name, async (t) => {
    for (const [options, expected] of cases) {
      const refusal = await refusalOf({ ...good, ...options })
      t.equal(refusal, `fastify-keycloak-bearer: ${expected}`)
      for (const secret of [PRIVATE, PEM.toString().split('\n')[1]!]) t.notOk(refusal.includes(secret))
    }
  })
}

const started = (name: string, cases: object[]): void => {
  t.test(name, async (t) => {
    for (const [at, options] of cases.entries()) t.equal(await refusalOf({ ...good, verifyTokensWithKeycloak: true, ...options }), 'started', String(at))
  })
}

const key = (value: unknown, more: object = {}): object => ({ clientAssertion: { key: value, ...more } })

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const ed = generateKeyPairSync('ed25519').privateKey

started('a key is PEM, a JWK or a KeyObject, of each type that Keycloak takes', [
  key(PEM), key(Buffer.from(PEM)), key(JWK), key(ec.privateKey), key(rsa), key(ed),
  key(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey), key(generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey), key(generateKeyPairSync('ed448').privateKey),
  key({ ...JWK, alg: 'ES256', kid: 'one' }), key(PEM, { algorithm: 'ES256', keyId: 'one' }), key(rsa, { algorithm: 'PS512' }),
  key(createPrivateKey({ key: ec.privateKey.export({ ...PKCS8, cipher: 'aes-256-cbc', passphrase: 'p' }), passphrase: 'p' })),
  key(() => PEM), { clientAssertion: () => 'a.b.c' },
  { clientCertificate: CLIENTS.a }, { clientCertificate: { cert: Buffer.from(CLIENTS.a.cert), key: Buffer.from(CLIENTS.a.key) } }, { clientCertificate: () => CLIENTS.a }
])

refused('anything else is no key', [
  [key(''), `${KEY}an empty one`],
  [key('/run/secrets/client.key'), `${KEY}a path: write readFileSync(path)`],
  [key(PEM.toString().replaceAll('\n', '\\n')), `${KEY}one whose line breaks are written as \\n: write .replaceAll("\\\\n", "\\n")`],
  [key(ec.publicKey.export({ type: 'spki', format: 'pem' })), `${KEY}a public key, which signs nothing`],
  [key(CLIENTS.a.cert), `${KEY}a certificate, which signs nothing`],
  [key(ec.privateKey.export({ ...PKCS8, cipher: 'aes-256-cbc', passphrase: 'p' })), `${KEY}an encrypted one: write createPrivateKey({ key, passphrase }) of node:crypto`],
  [key(JSON.stringify(JWK)), `${KEY}JSON: write JSON.parse(text)`],
  [key('hunter2'), `${KEY}another text`],
  [key(ec.publicKey), `${KEY}a public key, which signs nothing that Keycloak could check`],
  [key(createSecretKey(Buffer.alloc(32))), `${KEY}a secret key, which signs nothing that Keycloak could check`],
  [key(createPublicKey(ec.publicKey.export({ type: 'spki', format: 'pem' })).export({ format: 'jwk' })), `${KEY}a JWK without a private part (d)`],
  [key({ kty: 'oct', k: PRIVATE }), `${KEY}a JWK of a shared secret (kty oct): write clientSecret`],
  [key({ keys: [JWK] }), `${KEY}a set of keys: write one of its keys`],
  [key({}), `${KEY}an object`],
  [key([JWK]), `${KEY}an array`],
  [key({ ...JWK, x: 'AA' } as JsonWebKey), `${KEY}a JWK that is not valid`],
  [key({ ...JWK, alg: 'RS256' }), `${KEY}a JWK whose alg does not fit it`],
  [key(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey), `${KEY}an RSA key of 1024 bits, which is too short: 2048 at least`],
  [key(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey), `${KEY}a key of secp256k1, which none of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA uses`],
  [key(generateKeyPairSync('x25519').privateKey), `${KEY}a key of x25519, which none of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA uses`],
  [key(undefined), `${KEY}undefined: is an environment variable unset?`],
  [key(null), `${KEY}null: leave it out instead`],
  [key(4711), `${KEY}a number`],
  [key(Promise.resolve(PEM)), `${KEY}a promise: write await before it`],
  [{ clientAssertion: PEM }, `${ASSERTION}a string`],
  [{ clientAssertion: 4711 }, `${ASSERTION}a number`],
  [{ clientAssertion: { privateKey: PEM } }, 'option "clientAssertion.privateKey" is unknown'],
  [{ clientAssertion: { key: PEM, alg: 'ES256' } }, 'option "clientAssertion.alg" is unknown; write "clientAssertion.algorithm"']
])

refused('the algorithm fits the key', [
  [key(PEM, { algorithm: 'RS256' }), 'option "clientAssertion.algorithm" must be ES256, which fits the key, not "RS256"'],
  [key(rsa, { algorithm: 'ES256' }), 'option "clientAssertion.algorithm" must be RS256 or PS256 or RS384 or RS512 or PS384 or PS512, which fit the key, not "ES256"'],
  [key({ ...rsa.export({ format: 'jwk' }), alg: 'PS256' }, { algorithm: 'RS256' }), 'option "clientAssertion.algorithm" must be PS256, which fits the key, not "RS256"'],
  [key(PEM, { algorithm: 'HS256' }), 'option "clientAssertion.algorithm" must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA that fits the key, not another string'],
  [key(PEM, { keyId: '' }), 'option "clientAssertion.keyId" must be the id of that key in Keycloak (kid), not an empty string']
])

refused('a certificate has its key, and is valid today', [
  [{ clientCertificate: CLIENTS.a.cert }, `${CERTIFICATE}a string`],
  [{ clientCertificate: { cert: CLIENTS.a.cert } }, `${CERT_KEY}undefined`],
  [{ clientCertificate: { key: CLIENTS.a.key } }, `${CERT}undefined`],
  [{ clientCertificate: { ...CLIENTS.a, cert: '/etc/tls/tls.crt' } }, `${CERT}a path: write readFileSync(path)`],
  [{ clientCertificate: { cert: CLIENTS.a.key, key: CLIENTS.a.cert } }, `${CERT}a private key, which belongs to nobody but its owner`],
  [{ clientCertificate: { ...CLIENTS.a, key: CLIENTS.a.cert } }, `${CERT_KEY}a certificate, which signs nothing`],
  [{ clientCertificate: { ...CLIENTS.a, key: CLIENTS.b.key } }, `${CERT_KEY}the key of another certificate`],
  [{ clientCertificate: { ...CLIENTS.a, key: 4711 } }, `${CERT_KEY}a number`],
  [{ clientCertificate: { ...CLIENTS.a, passphrase: 'x' } }, 'option "clientCertificate.passphrase" is unknown']
])

t.test('its dates are those of the clock', async (t) => {
  const clocks = clocksFor(t)
  const year = 365 * 86_400
  clocks.jump(-10 * year)
  t.match(await refusalOf({ ...good, clientCertificate: CLIENTS.a }), `${CERT}one that is not valid before 2026-11-29T08:41:59.000Z`)
  clocks.jump(120 * year)
  t.match(await refusalOf({ ...good, clientCertificate: CLIENTS.a }), `${CERT}one that has expired, at 2126-11-05T08:41:59.000Z`)
})

const dispatcher = new Agent()
t.teardown(() => dispatcher.close())

refused('exactly one of them authenticates', [
  [{ clientSecret: 's', ...key(PEM) }, `option "clientAssertion" goes without clientSecret; ${ONE}`],
  [{ clientCertificate: CLIENTS.a, ...key(PEM) }, `option "clientCertificate" goes without clientAssertion; ${ONE}`],
  [{ clientCertificate: CLIENTS.a, dispatcher }, 'option "clientCertificate" goes without dispatcher, since a dispatcher makes its own connections; leave the dispatcher out'],
  [{ clientCertificate: CLIENTS.a, issuer: 'http://localhost/realms/acme' }, 'option "issuer" must begin with https:// when clientCertificate is given, since a certificate belongs to a connection of TLS'],
  [{ clientCertificate: CLIENTS.a, serverUrl: 'http://keycloak/realms/acme' }, 'option "serverUrl" must begin with https:// when clientCertificate is given, since a certificate belongs to a connection of TLS']
])

const entries = (entry: object, common: object): object => ({ issuer: undefined, issuers: [{ issuer: REALM, ...entry }], ...common })

started('each of several issuers has its own, in place of the common one', [
  entries(key(PEM, { keyId: 'own' }), { clientSecret: 'common' }),
  entries(key(PEM), key(rsa, { algorithm: 'RS256', keyId: 'common' })),
  entries({}, { clientCertificate: CLIENTS.a }),
  { issuer: undefined, issuers: () => null, clientCertificate: CLIENTS.a }
])

refused('a wrong one of several issuers is named', [
  [entries(key('hunter2'), { clientSecret: 'common' }), KEY.replace('"', '"issuers[0].') + 'another text'],
  [entries({ clientSecret: 's', ...key(PEM) }, {}), `option "issuers[0].clientAssertion" goes without clientSecret; ${ONE}`]
])
