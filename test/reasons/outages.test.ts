// Each reason for a 503, provoked.
import t from 'tap'
import { Agent } from 'undici'
import Fastify from 'fastify'
import keycloak, { type KeycloakReasonCode } from '../../index.js'
import { apiFor, logging, realmFor, until } from '../support/app.js'
import { heldKeysFor } from '../support/held-keys.js'
import { reasonOf } from '../support/reasons.js'

type Code = KeycloakReasonCode

const INTROSPECTING = { verifyTokensWithKeycloak: true } as const

t.test('Keycloak refuses, by what it answers', async (t) => {
  const realm = await realmFor(t)
  const answers: Array<[status: number, error: string, description: string | undefined, code: Code]> = [
    [500, 'unknown_error', undefined, 'status_unexpected'],
    [403, 'invalid_request', 'HTTPS required', 'https_required'],
    [403, 'access_denied', 'Realm not enabled', 'realm_disabled'],
    [404, 'Realm does not exist', undefined, 'realm_unknown'],
    [404, 'Unable to find matching target resource method', undefined, 'path_unknown'],
    [403, 'invalid_request', 'Client not allowed.', 'client_public'],
    [401, 'invalid_client', 'Invalid client or Invalid client credentials', 'client_unknown'],
    [400, 'invalid_client', 'Parameter client_assertion_type is missing', 'client_assertion'],
    [400, 'invalid_client', 'Missing client_id parameter', 'client_certificate'],
    [400, 'unauthorized_client', 'Client authentication with client secret signed JWT failed: Signature on JWT token by client secret failed validation', 'client_secret_jwt'],
    [400, 'invalid_client', 'Client authentication with signed JWT failed: Signature on JWT token failed validation', 'assertion_signature'],
    [400, 'invalid_client', 'Unable to load public key', 'assertion_key_unknown'],
    [400, 'invalid_client', 'Invalid signature algorithm', 'assertion_algorithm'],
    [400, 'invalid_client', 'Token is not active', 'assertion_expired'],
    [400, 'invalid_client', 'Token was issued in the future', 'assertion_early'],
    [400, 'invalid_client', 'Invalid token audience', 'assertion_audience'],
    [400, 'invalid_client', 'Multiple audiences not allowed', 'assertion_audience'],
    [400, 'invalid_client', 'Token jti claim is required', 'assertion_claims'],
    [400, 'invalid_client', 'Token exp claim is required', 'assertion_claims'],
    [400, 'invalid_client', 'Token reuse detected', 'assertion_reused'],
    [401, 'invalid_grant', undefined, 'introspection_refused'],
    [401, 'unauthorized_client', 'Invalid identity', 'introspection_refused'],
    [401, 'unauthorized_client', 'Client not enabled to retrieve service account', 'status_unexpected'],
    [400, 'invalid_client', 'Wrong client protocol.', 'client_protocol'],
    [400, 'invalid_request', 'Request not allowed', 'client_policy'],
    [401, 'invalid_client', 'Client authentication failed.', 'secret_wrong'],
    [401, 'unauthorized_client', 'Invalid client or Invalid client credentials', 'credentials_refused']
  ]
  const app = await apiFor(t, realm, INTROSPECTING)
  for (const [status, error, description, code] of answers) {
    realm.respond('introspect', (_request, response) => { response.writeHead(status).end(JSON.stringify({ error, error_description: description })) })
    t.equal(await reasonOf(app, realm.token()), code)
  }
})

t.test('Keycloak answers what cannot be used', async (t) => {
  const realm = await realmFor(t)
  const answers: Array<[body: string, headers: Record<string, string>, code: Code]> = [
    ['{}', { 'content-encoding': 'gzip' }, 'body_encoded'],
    [' '.repeat(600_000), {}, 'body_too_long'],
    ['[]', {}, 'key_set_malformed'],
    ['{"keys":[]}', {}, 'key_set_empty']
  ]
  for (const [body, headers, code] of answers) {
    realm.respond('certs', (_request, response) => { response.writeHead(200, headers).end(body) })
    const app = await apiFor(t, realm)
    t.equal(await reasonOf(app, realm.token()), code)
    t.equal(await reasonOf(app, realm.token()), 'keys_failed_recently')
  }
  realm.respond('certs', (_request, response) => { response.writeHead(400).end('{"error":"not_today"}') })
  t.equal(await reasonOf(await apiFor(t, realm), realm.token()), 'question_refused')
  realm.respond('certs', null)
  const introspecting = await apiFor(t, realm, INTROSPECTING)
  realm.respond('introspect', (_request, response) => { response.end('[]') })
  t.equal(await reasonOf(introspecting, realm.token()), 'body_not_json')
})

t.test('the check at start has its reason as well', async (t) => {
  const realm = await realmFor(t)
  realm.respond('discovery', (_request, response) => { response.end('{}') })
  const log = logging()
  const app = await apiFor(t, realm, { startCheck: 'warn' }, log)
  await app.listen({ port: 0, host: '127.0.0.1' })
  await until(() => log.lines.some(({ check }) => check !== undefined))
  t.match(log.lines.find(({ check }) => check !== undefined), { check: 'not_keycloak', reasonCode: 'discovery_malformed' })
})

t.test('a call fails on its way', async (t) => {
  const realm = await realmFor(t)
  const codes: Array<[cause: string | undefined, code: Code]> = [
    [undefined, 'call_failed'],
    ['ENOTFOUND', 'host_unknown'],
    ['EAI_AGAIN', 'dns_failed'],
    ['ECONNREFUSED', 'connection_refused'],
    ['ENETUNREACH', 'host_unreachable'],
    ['UND_ERR_CONNECT_TIMEOUT', 'connection_timeout'],
    ['ECONNRESET', 'connection_lost'],
    ['HPE_INVALID_CONSTANT', 'http_malformed'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'certificate_other_host'],
    ['CERT_HAS_EXPIRED', 'certificate_expired'],
    ['CERT_NOT_YET_VALID', 'certificate_not_yet_valid'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'certificate_untrusted'],
    ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 'tls_refused'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls_missing'],
    ['EPERM', 'network_failed']
  ]
  for (const [cause, code] of codes) {
    const dispatcher = new Agent().compose(() => () => { throw Object.assign(new Error('foreign text'), { code: cause }) }) as Agent
    const app = await apiFor(t, realm, { dispatcher })
    t.equal(await reasonOf(app, realm.token()), code)
    t.equal(app.keycloak.health().keys.reason, cause ?? 'the call failed')
  }
})

t.test('Keycloak is late, or known to be away', async (t) => {
  const realm = await realmFor(t)
  realm.hang('introspect')
  const app = await apiFor(t, realm, { ...INTROSPECTING, introspection: { timeout: 300, maxPending: 10 } })
  const codes = await Promise.all(Array.from({ length: 11 }, (_, at) => reasonOf(app, realm.token({ username: `user-${at}` }))))
  t.same([...new Set(codes)].toSorted(), ['calls_pending', 'no_answer'])
  t.equal(await reasonOf(app, realm.token()), 'breaker_open')
})

t.test('of a user who asks for very much, calls make room for those of others', async (t) => {
  const realm = await realmFor(t)
  realm.hang('introspect')
  const app = await apiFor(t, realm, { ...INTROSPECTING, introspection: { timeout: 500, maxPending: 10 } })
  const many = Array.from({ length: 10 }, () => reasonOf(app, realm.token({ username: 'mallory' })))
  await until(() => app.keycloak.health().introspection!.pending === 10)
  await reasonOf(app, realm.token({ username: 'alice' }))
  t.ok((await Promise.all(many)).includes('call_displaced'))
})

t.test('more wait for the key set than there is room for', async (t) => {
  const realm = await realmFor(t)
  const held = await heldKeysFor(t, realm)
  held.hold = true
  const app = await apiFor(t, realm, { serverUrl: held.url })
  const token = realm.token()
  const waiting = Array.from({ length: 5002 }, () => reasonOf(app, token))
  await until(() => held.asked === 1)
  held.release()
  t.same([...new Set(await Promise.all(waiting))].toSorted(), ['accepted', 'keys_waited_for'])
})

t.test('the secret, the store, and an API that closes', async (t) => {
  const realm = await realmFor(t)
  t.equal(await reasonOf(await apiFor(t, realm, { ...INTROSPECTING, clientSecret: () => '' }), realm.token()), 'secret_missing')
  const silent = { follow () {}, async publish () {}, close () {} }
  t.equal(await reasonOf(await apiFor(t, realm, { revocation: { store: silent } }), realm.token()), 'revocations_unheard')
  realm.hang('certs')
  const app = Fastify()
  await app.register(keycloak, realm.options)
  await app.ready()
  const asked = reasonOf(app, realm.token())
  await until(() => realm.requests.certs > 0)
  await app.close()
  t.equal(await asked, 'api_closing')
  const closed = await apiFor(t, realm)
  await closed.close()
  t.equal(await reasonOf(closed, realm.token()), 'api_closed')
})
