// The client of this API proves itself by signed assertions (private_key_jwt, RFC 7523), which Keycloak takes once each.
import { generateKeyPairSync, KeyObject } from 'node:crypto'
import t from 'tap'
import type { Algorithm, ClientKey } from '../../index.js'
import { apiFor, ask, logging, realmFor, until } from '../support/app.js'
import { demandAssertions, publicOf } from '../support/assertions.js'
import { clocksFor } from '../support/clocks.js'
import { reasonOf } from '../support/reasons.js'

const ON = { verifyTokensWithKeycloak: true, clientSecret: undefined }
const UNAVAILABLE = '503 keycloak_unavailable'

const rsaKey = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const ecKey = (namedCurve = 'P-256'): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey
const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string

t.test('each call has a new assertion, for a minute, for the issuer alone', async (t) => {
  const realm = await realmFor(t)
  const key = ecKey()
  const server = demandAssertions(realm, { one: publicOf(key) })
  const log = logging()
  const app = await apiFor(t, realm, { ...ON, clientAssertion: { key: pem(key), keyId: 'one' } }, log)
  const token = realm.token()
  t.same(await Promise.all(Array.from({ length: 5 }, () => ask(app, '/me', token))), Array(5).fill('200'))
  t.equal(await ask(app, '/me', token), '200')
  t.ok(server.accepted.length >= 2)
  t.equal(new Set(server.accepted.map(({ claims }) => claims.jti)).size, server.accepted.length)
  const [{ form, header, claims }] = server.accepted as [typeof server.accepted[0]]
  t.same(header, { alg: 'ES256', typ: 'JWT', kid: 'one' })
  t.match(claims, { iss: 'api', sub: 'api', aud: realm.issuer })
  t.equal(claims.exp - claims.iat, 60)
  t.same(Object.keys(claims).sort(), ['aud', 'exp', 'iat', 'iss', 'jti', 'sub'])
  t.match(form, { client_id: 'api', token })
  t.equal(form.client_secret, undefined)
  t.notOk(log.text.includes(form.client_assertion!.split('.')[2]!))
})

t.test('the algorithm is that of the key, or the one of the options', async (t) => {
  const rsa = rsaKey()
  const cases: Array<[key: ClientKey, algorithm: Algorithm | undefined, used: string]> = [
    [rsa, undefined, 'RS256'], [rsa, 'RS512', 'RS512'], [rsa, 'PS256', 'PS256'], [rsa, 'PS384', 'PS384'],
    [{ ...rsa.export({ format: 'jwk' }), alg: 'PS512' }, undefined, 'PS512'],
    [ecKey('P-384'), undefined, 'ES384'], [ecKey('P-521'), undefined, 'ES512'], [generateKeyPairSync('ed25519').privateKey, undefined, 'EdDSA']
  ]
  for (const [key, algorithm, used] of cases) {
    const realm = await realmFor(t)
    const publicKey = publicOf(key instanceof KeyObject ? key : rsa)
    const server = demandAssertions(realm, { undefined: publicKey })
    const app = await apiFor(t, realm, { ...ON, clientAssertion: { key, ...algorithm && { algorithm } } })
    t.equal(await ask(app, '/me', realm.token()), '200', used)
    t.same(server.accepted[0]!.header, { alg: used, typ: 'JWT' })
  }
})

t.test('the kid of a JWK is the key\'s, unless keyId names another', async (t) => {
  const realm = await realmFor(t)
  const key = ecKey()
  const jwk = { ...key.export({ format: 'jwk' }), kid: 'own' }
  const server = demandAssertions(realm, { own: publicOf(key), other: publicOf(key) })
  for (const [keyId, kid] of [[undefined, 'own'], ['other', 'other']] as const) {
    t.equal(await ask(await apiFor(t, realm, { ...ON, clientAssertion: { key: jwk, keyId } }), '/me', realm.token()), '200')
    t.equal(server.accepted.at(-1)!.header.kid, kid)
  }
})

t.test('a key that Keycloak refuses is 503, and asked about no more', async (t) => {
  const realm = await realmFor(t)
  const server = demandAssertions(realm, { undefined: publicOf(ecKey()) })
  const log = logging()
  const app = await apiFor(t, realm, { ...ON, clientAssertion: { key: ecKey() } }, log)
  t.equal(await reasonOf(app, realm.token()), 'assertion_signature')
  t.equal(server.refused.length, 1)
  t.match(app.keycloak.health(), { introspection: { ok: false, reason: 'status 400 instead of 200: the assertion is signed by another key than that of the client' } })
})

t.test('an assertion that comes twice because its connection broke is made anew, once', async (t) => {
  const realm = await realmFor(t)
  const key = ecKey()
  const app = await apiFor(t, realm, { ...ON, clientAssertion: { key } })
  const came = new Set<string>()
  let left = 1
  realm.respond('introspect', (_request, response, body) => {
    came.add(new URLSearchParams(body).get('client_assertion')!)
    if (left-- > 0) response.writeHead(400).end('{"error":"invalid_client","error_description":"Token reuse detected"}')
    else response.end('{"active":true}')
  })
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(came.size, 2)
  left = Infinity
  t.equal(await reasonOf(app, realm.token()), 'assertion_reused')
  t.equal(came.size, 4, 'a second call, and no third')
})

t.test('a key is changed without a restart', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const [old, next] = [ecKey(), rsaKey()]
  let key: ClientKey = old
  let asked = 0
  const server = demandAssertions(realm, { undefined: publicOf(old) })
  const app = await apiFor(t, realm, { ...ON, clientAssertion: { key: async () => { asked++; return key } } })
  for (let times = 0; times < 3; times++) t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(asked, 1)
  server.keys = { undefined: publicOf(next) }
  clocks.advance(1.01)
  t.equal(await ask(app, '/me', realm.token()), UNAVAILABLE, 'the function has the old one still')
  t.equal(asked, 2)
  t.equal(server.refused.length, 1, 'which is not tried again')
  key = next
  t.equal(await ask(app, '/me', realm.token()), UNAVAILABLE, 'it was asked a moment ago')
  t.equal(asked, 2)
  clocks.advance(1.01)
  t.same(await Promise.all(Array.from({ length: 8 }, () => ask(app, '/me', realm.token()))), Array(8).fill('200'))
  t.equal(asked, 3)
  t.equal(server.accepted.at(-1)!.header.alg, 'RS256')
})

t.test('a function that returns no key, or one that does not fit, is 503', async (t) => {
  for (const key of [() => '', () => undefined, () => ecKey(), async () => { throw new Error('SECRET') }, () => new Promise<never>(() => {})]) {
    const realm = await realmFor(t)
    const log = logging()
    const app = await apiFor(t, realm, { ...ON, introspection: { timeout: 200 }, clientAssertion: { key: key as () => ClientKey, algorithm: 'RS256' } }, log)
    t.equal(await reasonOf(app, realm.token()), 'client_key_missing')
    t.equal(realm.requests.introspect, 0)
    t.notMatch(log.text, /SECRET/)
  }
})

const JWT = (name: string): string => `e30.${Buffer.from(name).toString('base64url')}.c2ln`

/** Has Keycloak take the assertions that this function likes; answers those that came. */
function takeAssertions (realm: Awaited<ReturnType<typeof realmFor>>, isGood: (assertion: string) => boolean, description = 'Invalid client or Invalid client credentials'): string[] {
  const came: string[] = []
  realm.respond('introspect', (_request, response, body) => {
    const assertion = new URLSearchParams(body).get('client_assertion')!
    came.push(assertion)
    if (isGood(assertion)) response.end('{"active":true}')
    else response.writeHead(401).end(JSON.stringify({ error: 'invalid_client', error_description: description }))
  })
  return came
}

t.test('an assertion of a workload is read anew for each call', async (t) => {
  const realm = await realmFor(t)
  let count = 0
  const came = takeAssertions(realm, () => true)
  const app = await apiFor(t, realm, { ...ON, clientAssertion: async () => `${JWT(String(++count))}\n` })
  for (let times = 0; times < 3; times++) t.equal(await ask(app, '/me', realm.token()), '200')
  t.same(came, [1, 2, 3].map((each) => JWT(String(each))))
})

t.test('one that is refused is read again once, at most once a second', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const assertions = [JWT('old'), JWT('new'), JWT('old'), JWT('old'), JWT('old'), JWT('old')]
  let asked = 0
  const came = takeAssertions(realm, (assertion) => assertion === JWT('new'))
  const app = await apiFor(t, realm, { ...ON, clientAssertion: () => assertions[asked++]! })
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(asked, 2)
  t.equal(await ask(app, '/me', realm.token()), UNAVAILABLE)
  t.equal(asked, 3, 'it was read again a moment ago')
  clocks.advance(1.01)
  t.equal(await ask(app, '/me', realm.token()), UNAVAILABLE)
  t.equal(asked, 5)
  t.equal(came.length, 4, 'the same one is not sent twice')
})

t.test('one that came twice is always read again', async (t) => {
  const realm = await realmFor(t)
  let count = 0
  takeAssertions(realm, () => count % 2 === 0, 'Token reuse detected')
  const app = await apiFor(t, realm, { ...ON, clientAssertion: () => JWT(String(++count)) })
  for (let times = 0; times < 3; times++) t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(count, 6)
})

t.test('a function that returns no JWT is 503, and nothing of it is told', async (t) => {
  for (const provide of [() => '', () => 'SECRET', () => `e30.${'A'.repeat(20_000)}.AA`, () => undefined, () => { throw new Error('SECRET') }, async () => { throw new Error('SECRET') }]) {
    const realm = await realmFor(t)
    const log = logging()
    const app = await apiFor(t, realm, { ...ON, clientAssertion: provide as () => string }, log)
    t.equal(await reasonOf(app, realm.token()), 'assertion_missing')
    t.equal(realm.requests.introspect, 0)
    t.notMatch(log.text, /SECRET/)
  }
})

t.test('a function that never returns holds up each request for its time, and does not pile up', async (t) => {
  const realm = await realmFor(t)
  let asked = 0
  const app = await apiFor(t, realm, { ...ON, introspection: { timeout: 100 }, clientAssertion: () => { asked++; return new Promise<never>(() => {}) } })
  for (let times = 0; times < 12; times++) {
    await Promise.all(Array.from({ length: 32 }, (_each, at) => ask(app, '/me', realm.token({ sub: `${times} ${at}` }))))
  }
  t.equal(asked, 256)
  t.equal(await reasonOf(app, realm.token()), 'assertion_missing')
})

t.test('an API that closes waits for no key', async (t) => {
  const realm = await realmFor(t)
  let asked = 0
  const app = await apiFor(t, realm, { ...ON, clientAssertion: { key: () => { asked++; return new Promise<never>(() => {}) } } })
  const answer = ask(app, '/me', realm.token())
  await until(() => asked === 1)
  await app.close()
  t.equal(await answer, UNAVAILABLE)
})
