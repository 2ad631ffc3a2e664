// The private keys of the test realm are published with this package: whoever trusts them trusts everybody.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Fastify, { type FastifyInstance } from 'fastify'
import { SignJWT } from 'jose'
import t, { type Test } from 'tap'
import keycloak, { type Algorithm, type KeycloakOptions } from '../../index.js'
import { fingerprint, refuseTestKeys } from '../../lib/keys/test-keys.js'
import { FIXED_KEYS, STRANGER } from '../../lib/testing/fixed-keys.js'
import { createTestRealm } from '../../lib/testing/index.js'
import { ask, logging, realmFor, refusalOf, WARN } from '../support/app.js'
import { backchannel, LOGOUT } from '../support/logout.js'

const NOT_VALID = '401 token_not_valid'
const PUBLISHED = [...Object.values(FIXED_KEYS).flat(), STRANGER]
const WARNING = /has keys of the test realm .* left out, and tokens that they signed are 401\. .* set NODE_ENV to test or development/

const ALGORITHMS: Record<string, Algorithm[]> = {
  RSA: ['RS256', 'RS512', 'PS256'], 'P-256': ['ES256'], 'P-384': ['ES384'], 'P-521': ['ES512'], Ed25519: ['EdDSA']
}

/** The spellings of NODE_ENV that lift nothing. */
const UNKNOWN = [undefined, '', 'production', 'prod', 'Production', 'staging', 'dev', 'testing']

function setEnvironment (t: Test, value: string | undefined): void {
  const { NODE_ENV, ...others } = process.env
  t.intercept(process, 'env', { value: value === undefined ? others : { ...others, NODE_ENV: value } })
}

/** A server on loopback that publishes these keys as a realm's; each answer is the key set and the discovery document. */
async function publisher (t: Test, keys: object[], port = 0): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ keys, issuer: url(), jwks_uri: `${url()}/protocol/openid-connect/certs` }))
  })
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/realms/test`
  t.teardown(() => { server.close() })
  await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve) })
  return url()
}

async function api (t: Test, issuer: string, options: Partial<KeycloakOptions> = {}) {
  const log = logging()
  const app: FastifyInstance = Fastify(log)
  t.teardown(() => app.close())
  await app.register(keycloak, { issuer, clientId: 'api', audience: 'api', algorithms: Object.values(ALGORITHMS).flat(), startCheck: false, acceptRisks: ['user_id_mutable', 'token_lifetime_unlimited'], ...options })
  app.get('/', async () => 'hello')
  return { app, warnings: () => log.lines.filter(({ level }) => level === WARN).map(({ msg }) => msg) }
}

/** An access token of somebody who has the private key. */
async function token (issuer: string, jwk: JsonWebKey, alg: string, kid: string, claims = {}, typ = 'JWT'): Promise<string> {
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  return new SignJWT({ aud: 'api', typ: 'Bearer', preferred_username: 'mallory', ...claims })
    .setProtectedHeader({ alg, kid, typ }).setIssuer(issuer).setIssuedAt().setExpirationTime('5 minutes').sign(key)
}

function publicHalf ({ kty, crv, n, e, x, y }: JsonWebKey): JsonWebKey {
  return { kty, crv, n, e, x, y }
}

function own (): JsonWebKey {
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
}

for (const value of UNKNOWN) {
  t.test(`a key set holds published test keys and NODE_ENV is ${value}: their tokens are 401, the other keys stay good`, async (t) => {
    setEnvironment(t, value)
    const mine = own()
    const entries = PUBLISHED.flatMap((jwk) => ALGORITHMS[jwk.crv ?? 'RSA']!.map((alg) => ({ jwk, alg, kid: `${Math.random()}` })))
    const published = entries.map(({ jwk, alg, kid }) => ({ ...publicHalf(jwk), kid, alg, use: 'sig' }))
    const issuer = await publisher(t, [...published.slice(3), { ...publicHalf(mine), kid: 'mine' }, ...published.slice(0, 3)])
    const { app, warnings } = await api(t, issuer)
    for (const { jwk, alg, kid } of entries) t.equal(await ask(app, '/', await token(issuer, jwk, alg, kid)), NOT_VALID, `${jwk.kty} ${alg}`)
    t.equal(await ask(app, '/', await token(issuer, mine, 'RS256', 'mine')), '200')
    t.match(warnings(), [WARNING])
    t.equal(warnings().length, 1)
  })
}

t.test('a published key is known however it is written, and a key like it is not', async (t) => {
  const [rsa] = FIXED_KEYS.RSA
  const mine = own()
  const keys = [
    { ...publicHalf(rsa!), kid: 'zeros', n: `AAAA${rsa!.n}` },
    { ...publicHalf(rsa!), kid: 'exponent', e: 'AAAAAQAB' },
    { ...publicHalf(mine), kid: 'mine' }
  ]
  const issuer = await publisher(t, keys)
  const { app } = await api(t, issuer)
  for (const { kid } of keys.slice(0, 2)) t.equal(await ask(app, '/', await token(issuer, rsa!, 'RS256', kid)), NOT_VALID, kid)
  t.equal(await ask(app, '/', await token(issuer, mine, 'RS256', 'mine')), '200')
  t.equal(app.keycloak.health().keys.count, 1)
  const isRefused = refuseTestKeys({ issuer, baseUrl: issuer }, app.log)
  // Whoever knows the factors of the modulus makes a private key for any exponent.
  t.ok(isRefused(createPublicKey({ key: { ...publicHalf(rsa!), e: 'Aw' }, format: 'jwk' })), 'another exponent')
})

t.test('the list of published keys is that of the test realm', async (t) => {
  const isRefused = refuseTestKeys({ issuer: 'https://sso.example.com/realms/acme', baseUrl: 'https://sso.example.com/realms/acme' }, Fastify().log)
  setEnvironment(t, undefined)
  for (const jwk of PUBLISHED) t.ok(isRefused(createPublicKey({ key: jwk, format: 'jwk' })), fingerprint(createPublicKey({ key: jwk, format: 'jwk' })))
  const listed = readFileSync(new URL('../../lib/keys/test-keys.ts', import.meta.url), 'utf8').match(/^ {2}'[\w-]{43}'/gm)
  t.equal(listed?.length, PUBLISHED.length, 'and no others')
  for (const type of ['rsa', 'ed25519', 'ed448'] as const) {
    t.notOk(isRefused(generateKeyPairSync(type as 'rsa', { modulusLength: 2048 }).publicKey), type)
  }
  t.notOk(isRefused(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey))
})

for (const value of ['test', 'development', 'Test', 'development ']) {
  t.test(`a test realm in another process serves where NODE_ENV is "${value}"`, async (t) => {
    setEnvironment(t, value)
    const [jwk] = FIXED_KEYS['P-256']
    const issuer = await publisher(t, [{ ...publicHalf(jwk!), kid: 'a' }])
    const { app, warnings } = await api(t, issuer)
    t.equal(await ask(app, '/', await token(issuer, jwk!, 'ES256', 'a')), '200')
    t.same(warnings(), [])
  })
}

t.test('the test realm of this process serves whatever NODE_ENV is, until it is closed', async (t) => {
  setEnvironment(t, undefined)
  const realm = await createTestRealm()
  const { app, warnings } = await api(t, realm.issuer, { jwks: { cooldown: 0 } })
  t.equal(await ask(app, '/', realm.token()), '200')
  await realm.down()
  await realm.up()
  realm.rotateKeys()
  t.equal(await ask(app, '/', realm.token()), '200', 'after an outage and a rotation as well')
  t.same(warnings(), [])
  const next = realm.token()
  await realm.close()
  await publisher(t, PUBLISHED.slice(0, 2).map((jwk, at) => ({ ...publicHalf(jwk), kid: `${at}` })), Number(new URL(realm.issuer).port))
  const { app: later } = await api(t, realm.issuer)
  t.equal(await ask(later, '/', next), NOT_VALID)
  for (const at of [0, 1]) t.equal(await ask(later, '/', await token(realm.issuer, PUBLISHED[at]!, 'RS256', `${at}`)), NOT_VALID)
})

t.test('to close a test realm twice does not end the one that has its port by then', async (t) => {
  setEnvironment(t, undefined)
  const first = await createTestRealm()
  await first.close()
  const second = await realmFor(t, { port: Number(new URL(first.issuer).port) })
  await first.close()
  const { app } = await api(t, second.issuer)
  t.equal(await ask(app, '/', second.token()), '200')
})

t.test('a test realm is known by issuer and by serverUrl', async (t) => {
  setEnvironment(t, undefined)
  const realm = await realmFor(t)
  const { app: direct } = await api(t, 'https://sso.example.com/realms/acme', { serverUrl: realm.issuer })
  t.equal(await ask(direct, '/', realm.token({ claims: { iss: 'https://sso.example.com/realms/acme' } })), '200')
  const { keys } = await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).json() as { keys: object[] }
  const { app: proxied } = await api(t, realm.issuer, { serverUrl: await publisher(t, keys) })
  t.equal(await ask(proxied, '/', realm.token()), '200')
})

t.test('a realm of nothing but test keys is refused, not away: 401, said once and by the check at start', async (t) => {
  setEnvironment(t, 'production')
  const issuer = await publisher(t, [{ ...publicHalf(STRANGER), kid: 'a' }])
  const { app, warnings } = await api(t, issuer, { jwks: { cooldown: 0 } })
  for (let times = 0; times < 5; times++) t.equal(await ask(app, '/', await token(issuer, STRANGER, 'RS256', 'a')), NOT_VALID)
  t.equal(warnings().length, 1)
  t.match(app.keycloak.health(), { keys: { ok: true, count: 0 } })
  const strict = Fastify()
  t.teardown(() => strict.close())
  await t.rejects(async () => strict.register(keycloak, { issuer, clientId: 'api', audience: 'api', startCheck: 'require' }), /has no keys except those of the test realm/)
})

t.test('a logout that a test key signed ends nobody\'s session', async (t) => {
  setEnvironment(t, 'production')
  const mine = own()
  const issuer = await publisher(t, [{ ...publicHalf(STRANGER), kid: 'a' }, { ...publicHalf(mine), kid: 'mine' }])
  const { app } = await api(t, issuer, LOGOUT)
  const good = await token(issuer, mine, 'RS256', 'mine', { sub: 'alice', sid: 'session' })
  const logout = { aud: 'web', typ: 'Logout', sid: 'session', jti: 'once', events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }
  t.equal((await backchannel(app, await token(issuer, STRANGER, 'RS256', 'a', logout, 'logout+jwt'))).status, 400)
  t.equal(await ask(app, '/', good), '200')
  t.equal((await backchannel(app, await token(issuer, mine, 'RS256', 'mine', logout, 'logout+jwt'))).status, 200)
  t.equal(await ask(app, '/', good), NOT_VALID)
})

for (const value of ['production', 'prod', 'Production', 'PRODUCTION', 'prod-eu', ' production']) {
  t.test(`NODE_ENV "${value}" is production: neither a test realm nor verifySignature: false starts`, async (t) => {
    setEnvironment(t, value)
    await t.rejects(createTestRealm(), { message: 'createTestRealm() refuses to start when NODE_ENV is production: its private keys are public.' })
    t.match(await refusalOf({ issuer: 'https://sso.example.com/realms/acme', verifySignature: false }), /option "verifySignature" must be true when NODE_ENV is production/)
  })
}

t.test('the plugin does not load the testing code, and asks for NODE_ENV in one place', (t) => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const files = ['index.ts', ...readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' }).map((file) => join('lib', file))].filter((file) => file.endsWith('.ts'))
  const texts = files.map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }))
  const ofPlugin = texts.filter(({ file }) => !file.startsWith(join('lib', 'testing')))
  t.same(ofPlugin.filter(({ text }) => /from '[^']*\/testing\//.test(text)).map(({ file }) => file), [])
  t.same(texts.filter(({ text }) => text.includes('process.env.NODE_ENV')).map(({ file }) => file), [join('lib', 'util', 'environment.ts')])
  t.end()
})
