// Tokens of the API itself: client credentials, kept and renewed.
import t from 'tap'
import Fastify from 'fastify'
import keycloak, { type KeycloakError } from '../../index.js'
import { apiFor, logging, realmFor, until, WARN } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { json, SERVICE, tokenEndpointOf } from '../support/token-endpoint.js'

/** The refusal of a call; `given` if there is none. */
async function refusalOf (call: Promise<unknown>): Promise<string> {
  return call.then(() => 'given', (error: KeycloakError) => `${error.statusCode} ${error.code} ${error.reasonCode}`)
}

t.test('a token is asked for once, by all who need it at that time, and kept', async (t) => {
  const realm = await realmFor(t)
  const keycloakEndpoint = tokenEndpointOf(realm)
  const app = await apiFor(t, realm)
  t.equal(app.keycloak.health().outbound, null)
  const tokens = await Promise.all(Array.from({ length: 20 }, () => app.keycloak.serviceToken()))
  t.equal(new Set(tokens).size, 1)
  t.equal(await app.keycloak.serviceToken({}), tokens[0])
  t.equal(keycloakEndpoint.calls.length, 1)
  t.same(Object.fromEntries(keycloakEndpoint.calls[0]!), { client_id: 'api', client_secret: realm.options.clientSecret, grant_type: SERVICE })
  t.match(app.keycloak.health(), { ok: true, outbound: { ok: true, lastSuccess: String, lastFailure: null, reason: null, breaker: 'closed', pending: 0 } })
})

t.test('each scope has its token', async (t) => {
  const realm = await realmFor(t)
  const { calls } = tokenEndpointOf(realm)
  const app = await apiFor(t, realm)
  const [plain, orders, both] = await Promise.all([undefined, 'orders', 'orders profile'].map((scope) => app.keycloak.serviceToken({ ...scope !== undefined && { scope } })))
  t.equal(new Set([plain, orders, both]).size, 3)
  t.equal(await app.keycloak.serviceToken({ scope: 'orders' }), orders)
  t.same(calls.map((form) => form.get('scope')).toSorted(), ['orders', 'orders profile', null].toSorted())
})

t.test('a token is renewed ahead of its end, and nobody waits', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const app = await apiFor(t, realm)
  const first = await app.keycloak.serviceToken()
  clocks.advance(230)
  t.equal(await app.keycloak.serviceToken(), first)
  t.equal(endpoint.calls.length, 1, 'it is fresh until a tenth of its life and 30 s before its end')
  clocks.advance(20)
  const held: Array<() => void> = []
  endpoint.answer = (call) => { held.push(() => endpoint.grant(call)) }
  for (let times = 0; times < 5; times++) t.equal(await app.keycloak.serviceToken(), first)
  await until(() => held.length === 1)
  t.equal(endpoint.calls.length, 2)
  held[0]!()
  await until(async () => await app.keycloak.serviceToken() !== first)
  t.equal(endpoint.calls.length, 2)
})

t.test('within 30 s of its end a new one is waited for', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const { calls } = tokenEndpointOf(realm)
  const app = await apiFor(t, realm)
  const first = await app.keycloak.serviceToken()
  clocks.advance(275)
  const [one, other] = await Promise.all([app.keycloak.serviceToken(), app.keycloak.serviceToken()])
  t.not(one, first)
  t.equal(one, other)
  t.equal(calls.length, 2)
})

t.test('while Keycloak is away, the kept token serves until shortly before its end, and its return is found', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const app = await apiFor(t, realm)
  const first = await app.keycloak.serviceToken()
  endpoint.refuse(503, 'unavailable')
  clocks.advance(245)
  t.equal(await app.keycloak.serviceToken(), first)
  await until(() => app.keycloak.health().outbound?.ok === false)
  const failed = endpoint.calls.length
  t.equal(await app.keycloak.serviceToken(), first)
  t.equal(endpoint.calls.length, failed, 'not asked again within a second')
  clocks.advance(30)
  t.equal(await app.keycloak.serviceToken(), first, 'it is late, and was not to be had')
  await until(() => endpoint.calls.length === failed + 1)
  clocks.advance(21)
  t.equal(await refusalOf(app.keycloak.serviceToken()), '503 keycloak_unavailable status_unexpected')
  t.match(app.keycloak.health(), { ok: true, outbound: { ok: false, reason: 'status 503 instead of 200' } }, 'requests can be decided on')
  endpoint.answer = undefined
  t.not(await app.keycloak.serviceToken(), first)
  t.equal(app.keycloak.health().outbound?.ok, true)
})

t.test('a late token serves whoever waited for the next one in vain', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const app = await apiFor(t, realm)
  const first = await app.keycloak.serviceToken()
  clocks.advance(275)
  endpoint.refuse(500, 'unknown_error')
  t.equal(await app.keycloak.serviceToken(), first)
  t.equal(endpoint.calls.length, 2)
  clocks.advance(1.1)
  t.equal(await app.keycloak.serviceToken(), first)
  await until(() => app.keycloak.health().outbound?.pending === 0 && endpoint.calls.length === 3)
  clocks.advance(30)
  t.equal(await refusalOf(app.keycloak.serviceToken()), '503 keycloak_unavailable status_unexpected')
})

t.test('a late token that ends while the next one is waited for is not given', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const app = await apiFor(t, realm)
  await app.keycloak.serviceToken()
  clocks.advance(275)
  endpoint.answer = ({ response }) => {
    clocks.advance(22)
    json(response, 500, {})
  }
  t.equal(await refusalOf(app.keycloak.serviceToken()), '503 keycloak_unavailable status_unexpected')
})

t.test('a kept token falls when Keycloak refuses the next one', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const app = await apiFor(t, realm)
  const refused = '502 exchange_refused service_account_off'
  const first = await app.keycloak.serviceToken()
  clocks.advance(245)
  endpoint.refuse(401, 'unauthorized_client', 'Client not enabled to retrieve service account')
  t.equal(await app.keycloak.serviceToken(), first, 'the refusal is not known yet')
  await until(async () => await refusalOf(app.keycloak.serviceToken()) === refused)
  endpoint.answer = undefined
  const second = await app.keycloak.serviceToken()
  clocks.advance(275)
  endpoint.refuse(500, 'unknown_error')
  t.equal(await app.keycloak.serviceToken(), second, 'it is late, and Keycloak is away')
  clocks.advance(1.1)
  endpoint.refuse(401, 'unauthorized_client', 'Client not enabled to retrieve service account')
  t.equal(await app.keycloak.serviceToken(), second)
  await until(async () => await refusalOf(app.keycloak.serviceToken()) === refused)
  endpoint.answer = undefined
  const third = await app.keycloak.serviceToken()
  clocks.advance(275)
  endpoint.refuse(401, 'unauthorized_client', 'Client not enabled to retrieve service account')
  t.equal(await refusalOf(app.keycloak.serviceToken()), refused)
  endpoint.refuse(500, 'unknown_error')
  t.equal(await refusalOf(app.keycloak.serviceToken()), '503 keycloak_unavailable status_unexpected', 'the refused one does not come back in an outage')
  t.not(third, second)
})

t.test('a short life is shared out, and both clocks count', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  endpoint.lifespan = 20
  const app = await apiFor(t, realm)
  const first = await app.keycloak.serviceToken()
  clocks.advance(7)
  t.equal(await app.keycloak.serviceToken(), first)
  t.equal(endpoint.calls.length, 1)
  clocks.jump(-3600)
  t.equal(await app.keycloak.serviceToken(), first, 'a clock that is set back')
  clocks.advance(4)
  const second = await app.keycloak.serviceToken()
  t.not(second, first, 'does not lengthen its life')
  clocks.jump(3600)
  t.not(await app.keycloak.serviceToken(), second, 'a machine that slept')
})

t.test('a token without a sensible life is given and not kept', async (t) => {
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const app = await apiFor(t, realm)
  for (const lifetime of [undefined, null, 0, -1, '300', 1e300, []]) {
    endpoint.more = { expires_in: lifetime }
    t.not(await app.keycloak.serviceToken(), await app.keycloak.serviceToken(), String(lifetime))
  }
})

t.test('what is no Bearer token is 503, and is not kept', async (t) => {
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const app = await apiFor(t, realm, { limits: { tokenLength: 5000 } })
  const answers: Array<[body: unknown, code: string]> = [
    ...[{}, { access_token: 1 }, { access_token: '' }, { access_token: 'a b' }, { access_token: 'a\r\nx: y' }, { access_token: 'ä' }, { access_token: 'a'.repeat(5001) }]
      .map((members) => [{ token_type: 'Bearer', expires_in: 60, ...members }, 'token_answer_malformed'] as [unknown, string]),
    [{ access_token: 'a.b.c', expires_in: 60 }, 'token_answer_malformed'],
    [{ access_token: 'a.b.c', token_type: 'DPoP', expires_in: 60 }, 'token_answer_malformed'],
    ['[]', 'body_not_json'],
    ['<html>', 'body_not_json'],
    ['{"access_token":"a.b.c","access_token":"d.e.f","token_type":"Bearer"}', 'body_not_json'],
    [{ access_token: 'a.b.c', token_type: 'Bearer', more: 'x'.repeat(200_000) }, 'body_too_long']
  ]
  for (const [body, code] of answers) {
    endpoint.answer = ({ response }) => json(response, 200, body)
    t.equal(await refusalOf(app.keycloak.serviceToken()), `503 keycloak_unavailable ${code}`, JSON.stringify(body).slice(0, 80))
  }
  endpoint.answer = undefined
  endpoint.more = { token_type: 'bearer' }
  t.match(await app.keycloak.serviceToken(), /^ey/, 'the case of token_type does not count')
})

t.test('refused credentials are 503 with their reason and one warning', async (t) => {
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const log = logging()
  const app = await apiFor(t, realm, {}, log)
  endpoint.refuse(401, 'unauthorized_client', 'Invalid client or Invalid client credentials')
  for (let times = 0; times < 3; times++) t.equal(await refusalOf(app.keycloak.serviceToken()), '503 keycloak_unavailable credentials_refused')
  const warnings = log.lines.filter(({ level, reasonCode }) => level === WARN && reasonCode === 'credentials_refused')
  t.equal(warnings.length, 1)
  t.match(warnings[0], { msg: /^Keycloak cannot be used at token: / })
  t.notMatch(log.text, realm.options.clientSecret)
})

t.test('a secret that was changed at Keycloak is read anew', async (t) => {
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const secrets = ['old', 'new']
  const app = await apiFor(t, realm, { clientSecret: () => secrets.shift()! })
  const clocks = clocksFor(t)
  await app.keycloak.serviceToken()
  clocks.advance(2)
  endpoint.answer = (call) => {
    if (call.form.get('client_secret') === 'new') endpoint.grant(call)
    else json(call.response, 401, { error: 'unauthorized_client', error_description: 'Invalid client or Invalid client credentials' })
  }
  t.match(await app.keycloak.serviceToken({ scope: 'orders' }), /^ey/)
  t.same(endpoint.calls.map((form) => form.get('client_secret')), ['old', 'old', 'new'])
})

t.test('a set-up that cannot work is 502, and is warned of once', async (t) => {
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const log = logging()
  const app = await apiFor(t, realm, {}, log)
  const refusals: Array<[status: number, error: string, description: string | undefined, code: string]> = [
    [401, 'unauthorized_client', 'Client not enabled to retrieve service account', 'service_account_off'],
    [400, 'invalid_scope', 'Invalid scopes: orders', 'service_scope_unknown'],
    [400, 'invalid_request', 'DPoP proof is missing', 'service_token_bound'],
    [400, 'access_denied', 'whatever', 'service_token_refused'],
    [400, 'not_today', undefined, 'service_token_refused']
  ]
  for (const [status, error, description, code] of refusals) {
    endpoint.refuse(status, error, description)
    for (let times = 0; times < 2; times++) t.equal(await refusalOf(app.keycloak.serviceToken({ scope: 'orders' })), `502 exchange_refused ${code}`)
  }
  const warnings = log.lines.filter(({ level, msg }) => level === WARN && msg.startsWith('Keycloak gives no token'))
  t.same(warnings.map(({ reasonCode }) => reasonCode), [...new Set(refusals.map(([, , , code]) => code))])
  t.match(warnings[1]?.msg, /scope "orders"/)
  t.match(app.keycloak.health().outbound, { ok: true, breaker: 'closed' })
})

t.test('answers that are none of Keycloak\'s are 503', async (t) => {
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const app = await apiFor(t, realm)
  const answers: Array<[status: number, body: unknown, code: string]> = [
    [400, '<html>', 'status_unexpected'],
    [400, { error: 'Bad Request' }, 'status_unexpected'],
    [403, { error: 'blocked' }, 'status_unexpected'],
    [403, { error: 'access_denied', error_description: 'Realm not enabled' }, 'realm_disabled'],
    [404, { error: 'Realm does not exist' }, 'status_unexpected'],
    [302, '', 'status_unexpected']
  ]
  for (const [status, body, code] of answers) {
    endpoint.answer = ({ response }) => json(response, status, body)
    t.equal(await refusalOf(app.keycloak.serviceToken()), `503 keycloak_unavailable ${code}`, `${status} ${JSON.stringify(body)}`)
  }
})

t.test('an outage opens the breaker, and a call that hangs has an end', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const app = await apiFor(t, realm, { outbound: { timeout: 100 } })
  endpoint.answer = () => {}
  for (let times = 0; times < 5; times++) t.equal(await refusalOf(app.keycloak.serviceToken()), '503 keycloak_unavailable no_answer')
  t.equal(await refusalOf(app.keycloak.serviceToken()), '503 keycloak_unavailable breaker_open')
  t.equal(app.keycloak.health().outbound?.breaker, 'open')
  endpoint.answer = undefined
  clocks.advance(1.01)
  t.match(await app.keycloak.serviceToken(), /^ey/)
})

t.test('the number of pending calls is bounded', async (t) => {
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const log = logging()
  const app = await apiFor(t, realm, { outbound: { maxPending: 3 } }, log)
  const held: Array<() => void> = []
  endpoint.answer = (call) => { held.push(() => endpoint.grant(call)) }
  const calls = Array.from({ length: 3 }, (_, at) => app.keycloak.serviceToken({ scope: `s${at}` }))
  await until(() => held.length === 3)
  t.equal(app.keycloak.health().outbound?.pending, 3)
  t.equal(await refusalOf(app.keycloak.serviceToken({ scope: 'more' })), '503 keycloak_unavailable calls_pending')
  t.ok(log.lines.some(({ msg }) => msg.startsWith('outbound: 3 calls for tokens are pending already')))
  for (const answer of held) answer()
  t.equal((await Promise.all(calls)).length, 3)
})

t.test('calls that wait for a connection for too long are 503', async (t) => {
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const log = logging()
  const app = await apiFor(t, realm, { outbound: { timeout: 1000 } }, log)
  endpoint.answer = (call) => { setTimeout(() => endpoint.grant(call), 250) }
  const refusals = await Promise.all(Array.from({ length: 400 }, (_, at) => refusalOf(app.keycloak.serviceToken({ scope: `s${at}` }))))
  t.ok(refusals.includes('given') && refusals.includes('503 keycloak_unavailable connections_busy'))
  t.ok(log.lines.some(({ msg }) => msg.startsWith('outbound: calls for tokens that waited 1000 ms')))
})

t.test('a flood of scopes keeps no more tokens than allowed, and the one in use stays', async (t) => {
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const app = await apiFor(t, realm, { outbound: { max: 3 } })
  const hot = await app.keycloak.serviceToken()
  for (let at = 0; at < 10; at++) {
    await app.keycloak.serviceToken({ scope: `s${at}` })
    t.equal(await app.keycloak.serviceToken(), hot)
  }
  t.equal(endpoint.calls.length, 11)
  await app.keycloak.serviceToken({ scope: 's0' })
  t.equal(endpoint.calls.length, 12, 'an old one is gone')
  const small = await apiFor(t, realm, { outbound: { maxBytes: 100 } })
  t.not(await small.keycloak.serviceToken(), await small.keycloak.serviceToken(), 'none fits')
})

t.test('wrong parameters give a sentence', async (t) => {
  const realm = await realmFor(t)
  const { calls } = tokenEndpointOf(realm)
  const app = await apiFor(t, realm)
  const wrong: Array<[given: unknown, sentence: RegExp]> = [
    [null, /takes an object with scope and issuer/],
    ['orders', /takes an object/],
    [{ scopes: 'orders' }, /takes scope and issuer, and nothing else/],
    [{ scope: '' }, /scopes separated by single spaces/],
    [{ scope: 'a  b' }, /scopes separated/],
    [{ scope: 'a\r\nb' }, /scopes separated/],
    [{ scope: 'a"b' }, /scopes separated/],
    [{ scope: ['a'] }, /scopes separated/],
    [{ scope: 'a'.repeat(2001) }, /scopes separated/],
    [{ issuer: '' }, /the name of an issuer or its URL/],
    [{ issuer: 1 }, /the name of an issuer/],
    [{ issuer: 'other' }, /its name, or its URL as in iss/]
  ]
  for (const [given, message] of wrong) await t.rejects(app.keycloak.serviceToken(given as never), { name: 'TypeError', message })
  t.equal(calls.length, 0)
  t.match(await app.keycloak.serviceToken({ issuer: realm.issuer }), /^ey/, 'the only issuer may be named')
  t.match(await app.keycloak.serviceToken({ issuer: 'test' }), /^ey/)
})

t.test('without credentials the sentence names the options', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, clientSecret: undefined })
  await t.rejects(app.keycloak.serviceToken(), { name: 'TypeError', message: /clientSecret, clientAssertion or clientCertificate/ })
})

t.test('an API that closes gives no tokens, and makes no calls', async (t) => {
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const app = await apiFor(t, realm)
  await app.keycloak.serviceToken()
  endpoint.answer = () => {}
  const waiting = refusalOf(app.keycloak.serviceToken({ scope: 'orders' }))
  await until(() => endpoint.calls.length === 2)
  const closing = app.close()
  t.equal(await waiting, '503 keycloak_unavailable api_closing')
  await closing
  t.equal(await refusalOf(app.keycloak.serviceToken({ scope: 'more' })), '503 keycloak_unavailable api_closed')
  t.equal(endpoint.calls.length, 2)
  const never = await apiFor(t, realm)
  await never.close()
  t.equal(await refusalOf(never.keycloak.serviceToken()), '503 keycloak_unavailable api_closed')
})
