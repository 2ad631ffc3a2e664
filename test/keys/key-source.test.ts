import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { Agent, interceptors, MockAgent, Pool, RetryAgent } from 'undici'
import { type Handler } from '../../lib/testing/index.js'
import { apiFor, ask, logging, realmFor, until } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'

const NOT_VALID = '401 token_not_valid'
const UNAVAILABLE = '503 keycloak_unavailable'

function answerJson (body: unknown): Handler {
  return (_request, response) => { response.end(typeof body === 'string' ? body : JSON.stringify(body)) }
}

t.test('one fetch serves the whole set and all who wait for it', async (t) => {
  const realm = await realmFor(t, { algorithms: ['RS256', 'ES256', 'PS256', 'EdDSA'] })
  const app = await apiFor(t, realm, { algorithms: ['RS256', 'ES256', 'PS256', 'EdDSA'] })
  const tokens = Array.from({ length: 40 }, (_, at) => realm.token({ alg: (['RS256', 'ES256', 'PS256', 'EdDSA'] as const)[at % 4] }))
  const answers = await Promise.all(tokens.map((token) => ask(app, '/open', token)))
  t.ok(answers.every((answer) => answer === '200'))
  t.equal(realm.requests.certs, 1)
})

t.test('every asymmetric algorithm works once it is configured', async (t) => {
  const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const
  const realm = await realmFor(t, { algorithms })
  const app = await apiFor(t, realm, { algorithms })
  for (const alg of algorithms) {
    t.equal(await ask(app, '/open', realm.token({ alg })), '200', alg)
    t.equal(await ask(app, '/open', realm.token({ alg, forged: true })), NOT_VALID, `${alg}, forged`)
    t.equal(await ask(app, '/open', realm.token({ alg, kid: null })), algorithms.filter((each) => each === alg).length === 1 ? '200' : NOT_VALID, `${alg}, without kid`)
  }
})

t.test('a secret made of the public key is no key', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  for (const alg of ['HS256', 'HS384', 'HS512', 'none']) t.equal(await ask(app, '/open', realm.token({ header: { alg } })), NOT_VALID, alg)
})

t.test('a rotated key is found at the first request', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const before = realm.token()
  t.equal(await ask(app, '/open', before), '200')
  realm.rotateKeys()
  t.equal(await ask(app, '/open', realm.token()), '200')
  t.equal(await ask(app, '/open', before), '200', 'and the former one is still in the set')
  t.equal(realm.requests.certs, 2)
})

t.test('unknown kids force one refresh per cooldown, and after it a rotated key is found at once', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { jwks: { cooldown: 2000 } })
  t.equal(await ask(app, '/open', realm.token()), '200')
  const flood = (from: number) => Promise.all(Array.from({ length: 50 }, (_, at) => ask(app, '/open', realm.token({ kid: `random-${from + at}` }))))
  t.ok((await flood(0)).every((answer) => answer === NOT_VALID))
  t.equal(realm.requests.certs, 2, 'one for the first load, one for all the unknown kids')
  realm.rotateKeys()
  t.ok((await flood(50)).every((answer) => answer === NOT_VALID))
  t.equal(await ask(app, '/open', realm.token()), NOT_VALID, 'the cooldown forbids to ask')
  t.equal(realm.requests.certs, 2)
  clocks.advance(2.01)
  t.equal(await ask(app, '/open', realm.token()), '200')
  t.equal(realm.requests.certs, 3)
})

t.test('the first load does not count, and answers for a kid that it lacks', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  t.equal(await ask(app, '/open', realm.token({ kid: 'other' })), NOT_VALID)
  t.equal(realm.requests.certs, 1)
  realm.rotateKeys()
  t.equal(await ask(app, '/open', realm.token()), '200')
})

t.test('a key that left the set is not trusted after the next refresh, for tokens seen before either', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { jwks: { cooldown: 0 } })
  const token = realm.token()
  for (let times = 0; times < 2; times++) t.equal(await ask(app, '/open', token), '200')
  realm.rotateKeys({ removeOld: true })
  t.equal(await ask(app, '/open', token), '200', 'nobody has told us')
  t.equal(await ask(app, '/open', realm.token()), '200', 'an unknown kid refreshes the set')
  t.equal(await ask(app, '/open', token), NOT_VALID)
})

t.test('an idle API finds out that a key has left as well', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { jwks: { maxAge: 60_000 } })
  const token = realm.token()
  for (let times = 0; times < 2; times++) t.equal(await ask(app, '/open', token), '200')
  realm.rotateKeys({ removeOld: true })
  clocks.advance(60)
  t.equal(await ask(app, '/open', token), NOT_VALID)
})

t.test('a key that comes back under the same kid with other material does not vouch for old tokens', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { jwks: { maxAge: 60_000 } })
  const token = realm.token()
  for (let times = 0; times < 2; times++) t.equal(await ask(app, '/open', token), '200')
  const { kid } = JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString())
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })
  realm.respond('certs', answerJson({ keys: [{ ...other, kid, alg: 'RS256', use: 'sig' }] }))
  clocks.advance(60)
  t.equal(await ask(app, '/open', token), NOT_VALID)
})

t.test('tokens kept from one key set stay good under the next, when their key does', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { jwks: { maxAge: 60_000 } })
  const tokens = [realm.token(), realm.token({ kid: null })]
  for (const token of [...tokens, ...tokens]) t.equal(await ask(app, '/open', token), '200')
  clocks.advance(60)
  for (const token of tokens) t.equal(await ask(app, '/open', token), '200')
  t.equal(realm.requests.certs, 2)
})

t.test('a key whose entry was rewritten is the same key', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { jwks: { maxAge: 60_000 } })
  const token = realm.token()
  for (let times = 0; times < 2; times++) t.equal(await ask(app, '/open', token), '200')
  const { keys: [{ alg, ...key }] } = await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).json() as { keys: [Record<string, unknown>] }
  realm.respond('certs', answerJson({ keys: [key] }))
  clocks.advance(60)
  t.equal(alg, 'RS256')
  t.equal(await ask(app, '/open', token), '200')
})

t.test('a set of a hundred keys is one fetch as well, and each is found', async (t) => {
  const realm = await realmFor(t)
  const { keys: [key] } = await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).json() as { keys: [object] }
  realm.respond('certs', answerJson({ keys: Array.from({ length: 100 }, (_, at) => ({ ...key, kid: `key-${at}` })) }))
  const app = await apiFor(t, realm)
  for (const at of [0, 50, 99]) t.equal(await ask(app, '/open', realm.token({ kid: `key-${at}` })), '200')
  t.equal(realm.requests.certs, 2, 'the test\'s own and one')
})

t.test('a token without kid needs exactly one key that fits its algorithm', async (t) => {
  const realm = await realmFor(t, { algorithms: ['RS256', 'ES256'] })
  const app = await apiFor(t, realm, { algorithms: ['RS256', 'ES256'] })
  t.equal(await ask(app, '/open', realm.token({ kid: null })), '200')
  t.equal(await ask(app, '/open', realm.token({ kid: null, forged: true })), NOT_VALID)
  t.equal(await ask(app, '/open', realm.token({ kid: null, alg: 'ES256' })), '200')
  realm.rotateKeys()
  t.equal(await ask(app, '/open', realm.token()), '200', 'the set has two keys now')
  t.equal(await ask(app, '/open', realm.token({ kid: null })), NOT_VALID)
})

t.test('bad entries spoil no key set, and never verify anything', async (t) => {
  const realm = await realmFor(t)
  const good = (await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).json() as { keys: Array<Record<string, unknown>> }).keys[0]!
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  const bad = [
    null, 5, 'key', [], [null], {}, { kty: 'RSA' }, { kty: 'constructor' }, { kty: 'EC', crv: '__proto__' }, { kty: 5 },
    { kty: 'oct', k: 'AAAA', kid: good.kid, alg: 'HS256' },
    { ...good, use: 'enc' }, { ...good, use: null }, { ...good, key_ops: ['encrypt'] }, { ...good, key_ops: 'verify' },
    { ...good, alg: 'ES256' }, { ...good, alg: 'RSA-OAEP' }, { ...good, alg: 5 },
    { ...good, d: 'AQAB' }, { ...good, e: 'AQ' }, { ...good, e: 'Ag' }, { ...good, n: 'AQAB' }, { ...good, n: 5 }, { ...good, n: '' },
    { ...weak, kid: good.kid, use: 'sig' }, { ...ec, x: ec.y, kid: good.kid }, { ...ec, crv: 'P-384', kid: good.kid },
    { ...ec, crv: 'secp256k1', kid: good.kid }, { ...good, kid: '\ud800' }, { ...good, kid: 5 }, { ...good, kid: ['x'] }
  ]
  realm.respond('certs', answerJson({ keys: bad, other: 1 }))
  t.equal(await ask(await apiFor(t, realm), '/open', realm.token()), UNAVAILABLE, 'bad ones alone are no key set')
  realm.respond('certs', answerJson({ keys: [...bad, { ...good, key_ops: ['verify'], x5c: ['x'] }] }))
  const app = await apiFor(t, realm, { algorithms: ['RS256', 'RS384', 'ES256', 'ES384'] })
  t.equal(await ask(app, '/open', realm.token()), '200')
  t.equal(await ask(app, '/open', realm.token({ kid: '\ud800' })), NOT_VALID)
  for (const kid of ['__proto__', 'constructor', '', 'x'.repeat(2000), '{"kid":"x"}']) t.equal(await ask(app, '/open', realm.token({ kid })), NOT_VALID, kid.slice(0, 20))
})

t.test('a key without alg or kid serves the algorithms of its type', async (t) => {
  const realm = await realmFor(t)
  const { keys: [{ n, e }] } = await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).json() as { keys: [{ n: string, e: string }] }
  realm.respond('certs', answerJson({ keys: [{ kty: 'RSA', n, e }] }))
  const app = await apiFor(t, realm)
  t.equal(await ask(app, '/open', realm.token({ kid: null })), '200')
  t.equal(await ask(app, '/open', realm.token({ kid: 'some' })), NOT_VALID)
  t.ok(createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' }))
})

t.test('keys of several types may share a kid, or have none', async (t) => {
  const realm = await realmFor(t, { algorithms: ['RS256', 'ES256'] })
  const { keys } = await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).json() as { keys: Array<Record<string, string>> }
  const bare = keys.filter(({ use }) => use === 'sig').map(({ alg, kid, ...key }) => key)
  for (const set of [bare, [...bare].reverse()]) {
    realm.respond('certs', answerJson({ keys: [...set.map((key) => ({ ...key, kid: 'one' })), { ...set[0], kid: 'one' }] }))
    const app = await apiFor(t, realm, { algorithms: ['RS256', 'ES256'] })
    for (const alg of ['RS256', 'ES256'] as const) t.equal(await ask(app, '/open', realm.token({ alg, kid: 'one' })), '200', alg)
    realm.respond('certs', answerJson({ keys: set }))
    const nameless = await apiFor(t, realm, { algorithms: ['RS256', 'ES256'] })
    for (const alg of ['RS256', 'ES256'] as const) t.equal(await ask(nameless, '/open', realm.token({ alg, kid: null })), '200', `${alg}, without kid`)
  }
})

t.test('the global fetch plays no part: a stub in somebody\'s tests, or a port that it forbids', async (t) => {
  const realm = await realmFor(t)
  const { fetch: real } = globalThis
  t.teardown(() => { globalThis.fetch = real })
  globalThis.fetch = async () => { throw new Error('no network in tests') }
  t.equal(await ask(await apiFor(t, realm), '/open', realm.token()), '200')
})

t.test('a dispatcher that misbehaves is 503', async (t) => {
  const realm = await realmFor(t)
  const request = async (): Promise<never> => { throw undefined } // eslint-disable-line no-throw-literal
  const thrown = (): never => { throw undefined } // eslint-disable-line no-throw-literal
  const told = (_options: unknown, handler: { onResponseError: (controller: unknown, error: unknown) => void }): void => handler.onResponseError(null, undefined)
  for (const dispatch of [thrown, told]) {
    const app = await apiFor(t, realm, { dispatcher: { dispatch, request, compose () {} } as never })
    t.equal(await ask(app, '/open', realm.token()), UNAVAILABLE)
  }
})

t.test('dispatchers of undici, composed ones and those for tests among them, are taken', async (t) => {
  const realm = await realmFor(t)
  const { origin, pathname } = new URL(realm.issuer)
  const keys = await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).text()
  const mock = new MockAgent()
  mock.disableNetConnect()
  mock.get(origin).intercept({ path: `${pathname}/protocol/openid-connect/certs` }).reply(200, keys)
  const dispatchers = [
    mock,
    new Agent(),
    new RetryAgent(new Agent()),
    new Pool(origin).compose(interceptors.deduplicate(), interceptors.cache()),
    new Agent().compose(interceptors.redirect({ maxRedirections: 1 }))
  ]
  for (const dispatcher of dispatchers) {
    const app = await apiFor(t, realm, { dispatcher })
    t.equal(await ask(app, '/open', realm.token()), '200')
    await app.close()
    await dispatcher.close()
  }
})

t.test('Ed448 keys are EdDSA keys too', async (t) => {
  const realm = await realmFor(t)
  const jwk = generateKeyPairSync('ed448').publicKey.export({ format: 'jwk' })
  realm.respond('certs', answerJson({ keys: [{ ...jwk, kid: 'a' }] }))
  const app = await apiFor(t, realm, { algorithms: 'EdDSA' })
  t.equal(await ask(app, '/open', 'eyJhbGciOiJFZERTQSIsImtpZCI6ImEifQ.e30.AAAA'), NOT_VALID, 'a bad signature, and no crash')
  t.equal(app.keycloak.health().keys.count, 1)
})

t.test('whatever is no key set is 503, told to the log once and without a word of Keycloak\'s', async (t) => {
  const answers: Record<string, Handler> = {
    'an empty body': answerJson(''),
    HTML: answerJson('<html>SECRET-TEXT</html>'),
    null: answerJson('null'),
    'an array': answerJson('[]'),
    'no keys': answerJson({}),
    'keys no array': answerJson({ keys: {} }),
    'no key at all': answerJson({ keys: [] }),
    'truncated JSON': answerJson('{"keys":[{"kty":"RSA"'),
    'status 500': (_request, response) => { response.statusCode = 500; response.end('SECRET-TEXT') },
    'status 404': (_request, response) => { response.statusCode = 404; response.end('{"error":"SECRET-TEXT"}') },
    'status 204': (_request, response) => { response.statusCode = 204; response.end() },
    'a redirect': (_request, response) => { response.writeHead(302, { location: '/realms/test/protocol/openid-connect/certs?x' }); response.end() },
    'a body in gzip': (_request, response) => { response.setHeader('content-encoding', 'gzip'); response.end(gzipSync('{"keys":[]}')) },
    'a body without end': (_request, response) => {
      const more = () => { while (response.write('x'.repeat(65_536))); }
      response.on('drain', more)
      more()
    },
    'a connection cut in the middle': (_request, response) => { response.write('{"keys":['); setImmediate(() => response.destroy()) },
    'a connection cut at once': (request) => { request.socket.destroy() }
  }
  for (const [name, handler] of Object.entries(answers)) {
    const realm = await realmFor(t)
    const log = logging()
    const app = await apiFor(t, realm, {}, log)
    realm.respond('certs', handler)
    const response = await app.inject({ url: '/open', headers: { authorization: `Bearer ${realm.token()}` } })
    t.match(response.json(), { statusCode: 503, code: 'keycloak_unavailable', error: 'Service Unavailable' }, name)
    t.equal(response.headers['retry-after'], '1')
    t.notMatch(response.body + log.text, /SECRET-TEXT/)
    t.equal(log.lines.filter(({ level, msg }) => level === 40 && /certs/.test(msg)).length, 1, `${name}: warned once`)
    t.equal(app.keycloak.health().ok, false)
    await realm.close()
    await app.close()
  }
})

t.test('a fetch that hangs, or drips, ends at its deadline', async (t) => {
  for (const handler of [
    (() => {}) as Handler,
    ((_request, response) => {
      response.write('{"keys":[')
      const drip = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(drip))
    }) as Handler
  ]) {
    const realm = await realmFor(t)
    realm.respond('certs', handler)
    const app = await apiFor(t, realm, { jwks: { timeout: 150 } })
    t.equal(await ask(app, '/open', realm.token()), UNAVAILABLE)
    t.match(app.keycloak.health().keys.reason, /no answer within 150 ms/)
  }
})

t.test('cold and unreachable: 503 for whatever needs a key, 401 for what is malformed', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  await realm.down()
  t.equal(await ask(app, '/open', realm.token()), UNAVAILABLE)
  t.equal(await ask(app, '/open', realm.token({ expired: true })), UNAVAILABLE)
  t.equal(await ask(app, '/open', 'x.y.z'), NOT_VALID)
  t.equal(await ask(app, '/open', realm.token({ header: { alg: 'none' } })), NOT_VALID)
  t.equal(await ask(app, '/open'), '200', 'anonymous requests go on')
  t.equal(await ask(app, '/me'), '401 not_authenticated')
})

t.test('an outage that ends is over within a second, and the log says both', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, {}, log)
  await realm.down()
  for (let times = 0; times < 5; times++) t.equal(await ask(app, '/open', realm.token()), UNAVAILABLE)
  await realm.up()
  clocks.advance(0.55)
  t.equal(await ask(app, '/open', realm.token()), '200')
  t.equal(log.lines.filter(({ msg }) => /cannot be used at certs: ECONNREFUSED/.test(msg)).length, 1)
  t.equal(log.lines.filter(({ msg }) => /answers again at certs/.test(msg)).length, 1)
  t.equal(app.keycloak.health().ok, true)
})

t.test('known keys outlive an outage for maxStale, unknown kids are 503 meanwhile', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { jwks: { maxAge: 100, maxStale: 900, cooldown: 0 } })
  const token = realm.token()
  t.equal(await ask(app, '/open', token), '200')
  await realm.down()
  t.equal(await ask(app, '/open', realm.token({ kid: 'new' })), UNAVAILABLE, 'while the set is fresh')
  t.equal(await ask(app, '/open', realm.token({ kid: 'new' })), UNAVAILABLE, 'however often')
  clocks.advance(0.11)
  t.equal(await ask(app, '/open', token), '200', 'stale, and asked in vain')
  t.equal(await ask(app, '/open', token), '200', 'stale, without asking')
  t.equal(await ask(app, '/open', realm.token()), '200', 'a token never seen before')
  t.equal(await ask(app, '/open', realm.token({ kid: 'new' })), UNAVAILABLE)
  t.match(app.keycloak.health(), { ok: true, keys: { ok: false, state: 'stale', stale: true, reason: 'ECONNREFUSED' } })
  clocks.advance(0.8)
  t.equal(await ask(app, '/open', token), UNAVAILABLE, 'beyond maxStale')
  t.match(app.keycloak.health(), { ok: false, keys: { state: 'expired' } })
  await realm.up()
  await until(() => app.keycloak.health().ok)
  t.match(app.keycloak.health(), { ok: true, keys: { ok: true, state: 'fresh' } }, 'fetched in the background')
})

t.test('a kid never seen before is found at the first request after an outage', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { jwks: { maxAge: 100 } })
  t.equal(await ask(app, '/open', realm.token()), '200')
  await realm.down()
  clocks.advance(0.11)
  t.equal(await ask(app, '/open', realm.token()), '200')
  realm.rotateKeys()
  await realm.up()
  clocks.advance(0.51)
  t.equal(await ask(app, '/open', realm.token()), '200')
})

t.test('while Keycloak hangs, nobody waits for known keys twice', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { jwks: { maxAge: 100, timeout: 400 } })
  const token = realm.token()
  t.equal(await ask(app, '/open', token), '200')
  realm.hang('certs')
  clocks.advance(0.11)
  t.equal(await ask(app, '/open', token), '200', 'the first waits for the deadline')
  clocks.advance(0.51)
  const started = realm.requests.certs
  t.equal(await ask(app, '/open', token), '200')
  t.equal(realm.requests.certs >= started, true)
  t.match(app.keycloak.health().keys, { ok: false })
  await realm.up()
})

t.test('a connection that Keycloak closed while it was idle costs nobody an answer', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  let asked = 0
  const { keys } = await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).json() as { keys: unknown[] }
  realm.respond('certs', (request, response) => {
    asked++
    if (asked === 1) request.socket.destroy()
    else response.end(JSON.stringify({ keys }))
  })
  t.equal(await ask(app, '/open', realm.token()), '200')
  t.equal(asked, 2)
})

t.test('serverUrl is where Keycloak is asked, issuer what tokens say', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { issuer: 'https://sso.example.com/realms/test', serverUrl: `${realm.issuer}/` })
  t.equal(await ask(app, '/open', realm.token({ claims: { iss: 'https://sso.example.com/realms/test' } })), '200')
  t.equal(await ask(app, '/open', realm.token()), NOT_VALID)
  t.match(realm.lastRequest('certs')?.headers, { accept: 'application/json', 'accept-encoding': 'identity' })
})

t.test('keys are fetched ahead of their end in the background, so that no request waits', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { jwks: { maxAge: 1200, cooldown: 60_000 } })
  const former = realm.token()
  t.equal(await ask(app, '/open', former), '200')
  realm.rotateKeys({ removeOld: true })
  await until(() => realm.requests.certs === 2 && app.keycloak.health().keys.age! < 1000)
  t.equal(await ask(app, '/open', realm.token()), '200')
  t.equal(realm.requests.certs, 2, 'no fetch but the one ahead')
  t.ok(app.keycloak.health().keys.age! < 1000)
  t.equal(await ask(app, '/open', former), NOT_VALID)
})

t.test('a refresh that fails in the background is tried again until it succeeds, without a request', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { jwks: { cooldown: 60_000 } })
  await realm.down()
  t.equal(await ask(app, '/open', realm.token()), UNAVAILABLE)
  await realm.up()
  await until(() => app.keycloak.health().keys.ok)
  t.equal(app.keycloak.health().keys.ok, true)
  t.equal(await ask(app, '/open', realm.token()), '200')
  realm.rotateKeys()
  t.equal(await ask(app, '/open', realm.token()), '200', 'and none of it used up the slot that a rotation needs')
})

t.test('jwks.preload fetches the keys at start', async (t) => {
  const realm = await realmFor(t)
  await apiFor(t, realm, { jwks: { preload: 'require' } })
  t.equal(realm.requests.certs, 1)
  const app = await apiFor(t, realm, { jwks: { preload: 'warn' } })
  await until(() => app.keycloak.health().keys.age !== null)
  t.equal(realm.requests.certs, 2)
  await realm.down()
  await t.rejects(apiFor(t, realm, { jwks: { preload: 'require' } }), { message: /the keys of .* cannot be fetched \(ECONNREFUSED\), and jwks\.preload is "require"/ })
  const log = logging()
  const warned = await apiFor(t, realm, { jwks: { preload: 'warn' } }, log)
  await until(() => !warned.keycloak.health().keys.ok)
  t.ok(log.lines.some(({ level, msg }) => level === 40 && /cannot be used at certs/.test(msg)))
})
