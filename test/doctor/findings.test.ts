// Keycloak answers: do the options fit what it says?
import t, { type Test } from 'tap'
import type { KeycloakOptions } from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { realmFor } from '../support/app.js'
import { checksOf, discovers, listening, required } from '../support/doctor.js'

const DOUBT = 'so every token would be 401 token_not_valid'

/** The sentence about what discovery calls the issuer. */
async function mismatch (t: Test, issuer: string, discovered: string, options: Partial<KeycloakOptions> = {}): Promise<string> {
  const realm = await realmFor(t)
  discovers(realm, { issuer: discovered })
  // Its calls go to the realm, whatever it is called.
  const { hostname, port } = new URL(realm.issuer)
  const { message, checks } = await required(t, realm, { issuer, serverUrl: `http://${hostname}:${port}/realms/test`, ...options })
  t.same(checks, ['issuer_mismatch'])
  return message.replace('fastify-keycloak-bearer: ', '')
}

t.test('an issuer that differs says in what, and what to write', async (t) => {
  const cases: Array<[issuer: string, discovered: string, differ: string]> = [
    ['https://sso.example.com/realms/acme/', 'https://sso.example.com/realms/acme', 'slash at the end'],
    ['https://sso.example.com/realms/Acme', 'https://sso.example.com/realms/acme', 'capital letters'],
    ['https://SSO.example.com/realms/acme', 'https://sso.example.com/realms/acme', 'capital letters'],
    ['https://sso.example.com:443/realms/acme', 'https://sso.example.com/realms/acme', 'way they are written']
  ]
  for (const [issuer, discovered, differ] of cases) {
    t.equal(await mismatch(t, issuer, discovered), `tokens will carry iss "${discovered}", but issuer is "${issuer}" (they differ in the ${differ}), ${DOUBT}: write issuer: "${discovered}"`)
  }
  const elsewhere: typeof cases = [
    ['http://sso.example.com/realms/acme', 'https://sso.example.com/realms/acme', 'scheme'],
    ['https://sso.example.com:8443/realms/acme', 'https://sso.example.com/realms/acme', 'port'],
    ['http://127.0.0.1:8080/realms/acme', 'http://localhost:8080/realms/acme', 'host'],
    ['https://sso.example.com/auth/realms/acme', 'https://sso.example.com/realms/acme', 'path'],
    ['http://keycloak:8080/realms/acme', 'https://sso.example.com/realms/acme', 'scheme and the host and the port']
  ]
  for (const [issuer, discovered, differ] of elsewhere) {
    t.equal(await mismatch(t, issuer, discovered), `tokens will carry iss "${discovered}", but issuer is "${issuer}" (they differ in the ${differ}), ${DOUBT}: write issuer: "${discovered}"; or, if tokens should carry the issuer of this option, set the hostname option of Keycloak`)
  }
})

t.test('where the calls go by the issuer, they are kept by serverUrl', async (t) => {
  const realm = await realmFor(t)
  discovers(realm, { issuer: 'https://sso.example.com/realms/test' })
  t.match(await required(t, realm), { checks: ['issuer_mismatch'], message: `write issuer: "https://sso.example.com/realms/test", and keep the address that works for the calls by serverUrl: "${realm.issuer}"; or` })
  const mended = await required(t, realm, { issuer: 'https://sso.example.com/realms/test', serverUrl: realm.issuer })
  t.same(mended.checks, [], 'and so written it starts')
})

t.test('what Keycloak calls itself is shown only where it is a short, clean URL', async (t) => {
  const hostile = ['', 'SECRET', 'https://SECRET@sso.example.com/', 'https://sso.example.com/?SECRET', 'https://sso.example.com/#SECRET', 'https://SECRET/\n{"level":60}', 'https://SECRET/\u001b[31m', 'https://SECRET/"', `https://sso.example.com/${'SECRET'.repeat(50)}`, 'javascript:SECRET']
  for (const discovered of hostile) {
    const message = await mismatch(t, 'https://sso.example.com/realms/acme', discovered)
    t.equal(message, `Keycloak's issuer is not "https://sso.example.com/realms/acme" but a value that is not a clean URL, ${DOUBT}: correct the hostname option of Keycloak`)
  }
})

t.test('a Keycloak that is called whatever it is asked by', async (t) => {
  const realm = await realmFor(t)
  const options = { issuer: 'https://sso.example.com/realms/test', serverUrl: `${realm.issuer}/` }
  const { log } = await listening(t, realm, options)
  t.match(checksOf(log), [{ check: 'issuer_follows_host', msg: `the issuer of Keycloak at serverUrl is "${realm.issuer}" and not "https://sso.example.com/realms/test", so only tokens that were issued under issuer are valid: set the hostname option of Keycloak to "https://sso.example.com"; or, if tokens carry the former, write issuer: "${realm.issuer}"` }])
  t.same((await required(t, realm, options)).checks, [], 'tokens may be good all the same')
  t.match(await required(t, realm, { ...options, verifyTokensWithKeycloak: true }), { checks: ['issuer_follows_host'], message: /introspection there calls the tokens of issuer inactive/ })
})

t.test('algorithms that the realm has no key for', async (t) => {
  const realm = await realmFor(t, { algorithms: ['ES256', 'EdDSA'] })
  t.match(await required(t, realm), { checks: ['algorithms'], message: `the realm has no key for RS256, ${DOUBT}; it has keys for ES256, EdDSA: write algorithms: ['ES256', 'EdDSA']` })
  t.match(await required(t, realm, { algorithms: ['RS256', 'PS256'] }), { message: 'no key for RS256 or PS256' })
  t.same((await required(t, realm, { algorithms: ['RS256', 'ES256'] })).checks, [], 'one is enough')
  t.same((await required(t, realm, { verifySignature: false })).checks, [], 'and none is needed where signatures are not checked')
})

t.test('keys that cannot be fetched', async (t) => {
  const realm = await realmFor(t)
  const refusal = async (options: Partial<KeycloakOptions> = {}) => required(t, realm, options)
  realm.respond('certs', (_request, response) => { response.end(' '.repeat(1001)) })
  t.match(await refusal({ limits: { keySetBytes: 1000 } }), { checks: ['keys'], message: /\(the body has more than 1000 bytes\): raise limits\.keySetBytes$/ })
  realm.error(403, 'certs')
  t.match(await refusal(), { checks: ['keys'], message: /\(status 403 instead of 200\): check whether a proxy blocks \/protocol\/openid-connect\/certs$/ })
  realm.respond('certs', (_request, response) => { response.end('{"keys":[]}') })
  t.match(await refusal(), { checks: ['keys'], message: /give the realm an active key provider for signatures/ })
})

/** Seconds that this machine's clock is before (or after) that of the answer; null where nothing was found. */
async function clock (t: Test, realm: TestRealm, date: string, options: Partial<KeycloakOptions> = {}, headers: Record<string, string> = {}): Promise<string | null> {
  discovers(realm, { issuer: realm.issuer }, { date, ...headers })
  const { message, checks } = await required(t, realm, options)
  if (checks.length === 0) return null
  t.same(checks, ['clock'])
  return message.replace('fastify-keycloak-bearer: ', '')
}

t.test('a clock that differs from the Date header', async (t) => {
  const realm = await realmFor(t)
  const at = (seconds: number): string => new Date(Date.now() + seconds * 1000).toUTCString()
  t.match(await clock(t, realm, at(30)), /^this machine's clock is (2\d|30) s behind Keycloak's \(by the Date header of its answer\): new tokens count as issued in the future and are refused that long; set both clocks by NTP, or write leeway: \d\d$/)
  t.match(await clock(t, realm, at(-30)), /^this machine's clock is (2\d|3\d) s ahead of Keycloak's .*: tokens expire that much early; set both clocks by NTP, or write leeway: \d\d$/)
  t.match(await clock(t, realm, at(86_400)), /set both clocks by NTP$/, 'no leeway mends a day')
  t.equal(await clock(t, realm, at(0)), null)
  t.equal(await clock(t, realm, at(30), { leeway: 40 }), null, 'within the leeway')
  t.equal(await clock(t, realm, at(-3000), {}, { age: '3000' }), null, 'an answer from a cache is old')
  t.equal(await clock(t, realm, 'yesterday'), null)
  t.equal(await clock(t, realm, 'Mon, 99 Foo 2026 99:99:99 GMT'), null)
})

t.test('a Keycloak without a Date header tells no time', async (t) => {
  const realm = await realmFor(t)
  realm.respond('discovery', (_request, response) => {
    response.sendDate = false
    response.end(JSON.stringify({ issuer: realm.issuer }))
  })
  t.same((await required(t, realm)).checks, [])
})

t.test('a client that may not introspect', async (t) => {
  const realm = await realmFor(t)
  const refusal = async (options: Partial<KeycloakOptions> = {}) => required(t, realm, { verifyTokensWithKeycloak: true, ...options })
  const wrong = await refusal({ clientSecret: 'wrong-but-mine' })
  t.match(wrong, { checks: ['credentials'], message: /introspection: clientSecret is not the secret of the client "api" \(status 401\): copy it from the Credentials tab of the client in Keycloak, without white space around it; until then every request with a token is 503$/ })
  t.notMatch(wrong.message, 'wrong-but-mine')
  t.match(await refusal({ clientSecret: () => 'wrong' }), { checks: ['credentials'], message: /the value that the function clientSecret returned is not the secret/ })
  t.match(await refusal({ clientSecret: () => { throw new Error('SECRET') } }), { checks: ['introspection'], message: /introspection: the function clientSecret returned no secret within introspection\.timeout: correct it; until/ })
  realm.error(401, 'introspect')
  t.match(await refusal(), { checks: ['credentials'], message: /clientSecret is not the secret of the client "api", or there is no such client \(status 401 instead of 200\): copy it/ })
  realm.error(403, 'introspect')
  t.match(await refusal(), { checks: ['credentials'], message: /the client "api" may not ask .*: in Keycloak switch its Client authentication on/ })
  realm.error(404, 'introspect')
  t.match(await refusal(), { checks: ['introspection'], message: /\(status 404 instead of 200\): check whether a proxy blocks POST/ })
  realm.hang('introspect')
  t.match(await refusal({ introspection: { timeout: 100 } }), { checks: ['introspection'], message: /no answer within 100 ms/ })
  t.same((await required(t, realm)).checks, [], 'who does not introspect need not')
})

t.test('an audience without the client that introspects', async (t) => {
  const realm = await realmFor(t)
  const said = async (options: Partial<KeycloakOptions>) => checksOf((await listening(t, realm, options)).log).map(({ check, msg }) => [check, msg])
  t.match(await said({ audience: 'web', verifyTokensWithKeycloak: true }), [['audience', /^audience lacks clientId "api": .* add "api" to audience, or to the tokens by an audience mapper$/]])
  t.match(await said({ audience: ['web', 'api'], verifyTokensWithKeycloak: true }), [['ok']])
  t.match(await said({ audience: 'web' }), [['ok']])
})

t.test('a look counts neither for health nor as a failure of introspection', async (t) => {
  const realm = await realmFor(t)
  const { app, log } = await listening(t, realm, { verifyTokensWithKeycloak: true, clientSecret: 'wrong' })
  t.same(checksOf(log).map(({ check }) => check), ['credentials'])
  t.match(app.keycloak.health().introspection, { ok: true, lastFailure: null, breaker: 'closed' })
})

t.test('seconds for milliseconds, and the other way round', async (t) => {
  const realm = await realmFor(t)
  const { log } = await listening(t, realm, {
    leeway: 5000,
    maxTokenAge: 600_000,
    jwks: { maxAge: 600, maxStale: 3600, timeout: 50, cooldown: 10 },
    introspection: { timeout: 5, cacheTtl: 1 },
    revocation: { maxTokenLifetime: 86_400_000 }
  })
  t.same(checksOf(log).filter(({ check }) => check === 'units').map(({ msg }) => msg), [
    'jwks.maxAge is 600, and is in milliseconds: write 600000 if seconds were meant',
    'jwks.maxStale is 3600, and is in milliseconds: write 3600000 if seconds were meant',
    'jwks.timeout is 50, and is in milliseconds: write 50000 if seconds were meant',
    'jwks.cooldown is 10, and is in milliseconds: write 10000 if seconds were meant',
    'introspection.timeout is 5, and is in milliseconds: write 5000 if seconds were meant',
    'introspection.cacheTtl is 1, and is in milliseconds: write 1000 if seconds were meant',
    'leeway is 5000, and is in seconds: that is 83 minutes, write 5 if milliseconds were meant',
    'maxTokenAge is 600000, and is in seconds: that is 7 days, write 600 if milliseconds were meant',
    'revocation.maxTokenLifetime is 86400000, and is in seconds: that is 1000 days, write 86400 if milliseconds were meant'
  ])
  t.match(await listening(t, realm, { leeway: 60, maxTokenAge: 86_400, jwks: { maxAge: 60_000, maxStale: 0, cooldown: 0 } }).then(({ log }) => checksOf(log)), [{ check: 'ok' }])
})
