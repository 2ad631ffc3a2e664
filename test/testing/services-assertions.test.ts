// private_key_jwt at the token endpoint and at introspection of the realm. The answers were observed at Keycloak 26.7.3.
import { generateKeyPairSync, randomUUID, type JsonWebKey, type KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { createTestRealm, type ServiceClient, type TestRealm } from '../../lib/testing/index.js'
import { endpointOf, post, realmWithServices, refusal, type Parameters } from '../support/services.js'

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const INVALID = 'Invalid client or Invalid client credentials'
const FAILED = 'Client authentication with signed JWT failed: Signature on JWT token failed validation'
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
const JWK: JsonWebKey = { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256' }

interface Changes { claims?: Record<string, unknown>, header?: { alg?: string, kid?: string | undefined }, key?: KeyObject | Uint8Array }

/** An assertion of the client api that is all right but for the changes. */
async function assertion (realm: TestRealm, { claims, header, key = rsa.privateKey }: Changes = {}): Promise<Parameters> {
  const now = Math.floor(Date.now() / 1000)
  const payload = { iss: 'api', sub: 'api', aud: realm.issuer, jti: randomUUID(), iat: now, exp: now + 60, ...claims }
  const token = await new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'k1', ...header }).sign(key)
  return { client_assertion_type: TYPE, client_assertion: token }
}

async function realmWithKeys (t: Test, keys: ServiceClient['keys'] = [JWK]): Promise<TestRealm> {
  const { realm } = await realmWithServices(t, { clients: { api: { keys }, worker: { secret: 'worker-secret' } } })
  return realm
}

const ask = (realm: TestRealm, form: Parameters) => post(endpointOf(realm), { grant_type: 'client_credentials', ...form })
const introspect = (realm: TestRealm, form: Parameters) => post(`${endpointOf(realm)}/introspect`, { token: realm.token(), ...form })

t.test('an assertion of the client\'s key is taken once, at both endpoints', async (t) => {
  const realm = await realmWithKeys(t)
  const { issuer } = realm
  const now = Math.floor(Date.now() / 1000)
  const good: Changes[] = [
    {},
    { claims: { aud: [issuer] } },
    { claims: { aud: endpointOf(realm) } },
    { claims: { aud: `${endpointOf(realm)}/introspect` } },
    { claims: { exp: now + 36_000, nbf: now - 60 } },
    { claims: { iat: undefined } },
    { header: { kid: undefined } }
  ]
  for (const changes of good) {
    const form = await assertion(realm, changes)
    t.equal((await ask(realm, form)).status, 200)
    t.same(await introspect(realm, form), refusal(400, 'invalid_client', 'Token reuse detected'))
    t.match(await introspect(realm, { client_id: 'api', ...await assertion(realm, changes) }), { status: 200, body: { active: true } })
  }
})

t.test('keys are JWK, PEM or KeyObject, of any algorithm, private ones too', async (t) => {
  const pem = String(rsa.publicKey.export({ type: 'spki', format: 'pem' }))
  for (const key of [pem, rsa.publicKey, rsa.privateKey, { ...JWK, alg: undefined }]) {
    t.equal((await ask(await realmWithKeys(t, [key]), await assertion(await realmWithKeys(t), { }))).status, 400, 'for another issuer')
    const realm = await realmWithKeys(t, [key])
    t.equal((await ask(realm, await assertion(realm, { header: { alg: 'PS256' } }))).status, 200)
  }
  const realm = await realmWithKeys(t, [JWK, ec.publicKey])
  t.equal((await ask(realm, await assertion(realm, { header: { alg: 'ES256' }, key: ec.privateKey }))).status, 200)
})

t.test('assertions that Keycloak refuses, in its words', async (t) => {
  const realm = await realmWithKeys(t)
  const now = Math.floor(Date.now() / 1000)
  const bad = (description: string, status = 400) => refusal(status, 'invalid_client', description)
  const cases: Array<[Changes, ReturnType<typeof bad>]> = [
    [{ claims: { aud: [realm.issuer, endpointOf(realm)] } }, bad('Multiple audiences not allowed')],
    [{ claims: { aud: 'https://x' } }, bad('Invalid token audience')],
    [{ claims: { aud: undefined } }, bad('Invalid token audience')],
    [{ claims: { exp: now - 100 } }, bad('Token is not active')],
    [{ claims: { nbf: now + 1000 } }, bad('Token is not active')],
    [{ claims: { exp: undefined } }, bad('Token exp claim is required')],
    [{ claims: { iat: now + 1000, exp: now + 2000 } }, bad('Token was issued in the future')],
    [{ claims: { iat: now - 10_000 } }, bad('Token was issued too far in the past to be used now')],
    [{ claims: { jti: undefined } }, bad('Token jti claim is required')],
    [{ claims: { jti: '' } }, bad('Token jti claim is required')],
    [{ claims: { iss: undefined } }, bad(INVALID, 401)],
    [{ claims: { sub: 'other' } }, bad(INVALID, 401)],
    [{ claims: { iss: 'worker', sub: 'worker' } }, bad(INVALID, 401)],
    [{ claims: { iss: 'nope', sub: 'nope' } }, bad(INVALID, 401)],
    [{ header: { kid: 'k2' } }, bad('Unable to load public key')],
    [{ header: { alg: 'RS384' } }, bad(FAILED)],
    [{ header: { alg: 'ES256' }, key: ec.privateKey }, bad(FAILED)],
    [{ key: stranger.privateKey }, bad(FAILED)],
    [{ header: { alg: 'HS256' }, key: new Uint8Array(32) }, bad('Invalid signature algorithm')]
  ]
  for (const [changes, expected] of cases) {
    t.same(await ask(realm, await assertion(realm, changes)), expected)
    t.same(await introspect(realm, await assertion(realm, changes)), expected)
  }
})

t.test('requests without a whole assertion', async (t) => {
  const realm = await realmWithKeys(t)
  const missing = refusal(400, 'invalid_client', 'Parameter client_assertion_type is missing')
  const unknown = refusal(401, 'invalid_client', INVALID)
  const { client_assertion: token } = await assertion(realm)
  t.same(await ask(realm, { client_id: 'api' }), missing)
  t.same(await ask(realm, { client_id: 'api', client_secret: 'test-secret' }), missing, 'it has no secret any more')
  t.same(await ask(realm, { client_id: 'api', client_assertion: token }), missing)
  t.same(await ask(realm, { client_assertion: token }), unknown)
  t.same(await ask(realm, { client_assertion: token, client_assertion_type: 'nope' }), unknown)
  t.same(await ask(realm, { client_assertion: 'garbage', client_assertion_type: TYPE }), unknown)
  t.same(await ask(realm, { client_assertion_type: TYPE }), unknown)
  t.same(await ask(realm, { client_id: 'api', client_assertion_type: TYPE }), unknown)
  t.same(await ask(realm, { client_id: 'api', ...await assertion(realm, { claims: { iss: 'x' } }) }), unknown)
  t.same(await ask(realm, { client_id: 'worker', client_assertion: token, client_assertion_type: TYPE }), refusal(401, 'unauthorized_client', INVALID))
  t.same(await introspect(realm, { client_id: 'worker', client_assertion: token, client_assertion_type: TYPE }), refusal(401, 'invalid_client', 'Client authentication failed.'))
})

t.test('keys that are none, and a client with both a secret and keys, are refused at once', async (t) => {
  const realm = await createTestRealm()
  t.teardown(() => realm.close())
  for (const key of ['garbage', {}, 5, null]) {
    await t.rejects(realm.services({ clients: { api: { keys: [JWK, key as string] } } }), new TypeError('TestRealm.services(): clients.api.keys[1] must be a public key, as PEM, JWK or KeyObject.'))
  }
  await t.rejects(realm.services({ clients: { api: { keys: [JWK], secret: 'x' } } }), new TypeError('TestRealm.services(): clients.api must have either secret or keys.'))
  await t.rejects(realm.services({ clients: { api: { keys: [] } } }), new TypeError('TestRealm.services(): clients.api.keys must be an array of public keys, not an empty array.'))
  const services = await realm.services({ clients: { api: { keys: [JWK] } } })
  t.throws(() => services.rotateSecret('x'), new TypeError('TestServices.rotateSecret(): the realm has no client "api" with a secret.'))
})
