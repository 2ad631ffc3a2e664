// Keycloak refuses: which of its refusals it is, by what it says, and the setting that mends it.
import t from 'tap'
import type { Endpoint, TestRealm } from '../../lib/testing/index.js'
import { apiFor, ask, logging, realmFor, WARN } from '../support/app.js'
import { required } from '../support/doctor.js'
import { REFUSALS } from '../support/keycloak-refusals.js'

const ON = { verifyTokensWithKeycloak: true }

function refuse (realm: TestRealm, endpoint: Endpoint, status: number, body: unknown): void {
  realm.respond(endpoint, (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
}

async function said (t: Parameters<typeof required>[0], realm: TestRealm, options = {}): Promise<{ message: string, checks: string[] }> {
  const { message, checks } = await required(t, realm, options)
  return { message: message.replace('fastify-keycloak-bearer: ', ''), checks }
}

for (const { trouble, version, status, body, check, says } of REFUSALS) {
  t.test(`${trouble} (${version}) is named, and what mends it`, async (t) => {
    const realm = await realmFor(t)
    refuse(realm, 'introspect', status, body)
    const { message, checks } = await said(t, realm, ON)
    t.same(checks, [check])
    t.match(message, says)
    t.match(message, /; until then every request with a token is 503$/)
  })
}

t.test('a request says so too, in the log and in health(), by a fixed phrase', async (t) => {
  const phrases = new Set<unknown>()
  for (const { trouble, status, body } of REFUSALS) {
    const realm = await realmFor(t)
    const log = logging()
    const app = await apiFor(t, realm, ON, log)
    refuse(realm, 'introspect', status, body)
    t.equal(await ask(app, '/me', realm.token()), '503 keycloak_unavailable', trouble)
    const reason = app.keycloak.health().introspection!.reason!
    t.match(reason, new RegExp(`^status ${status} instead of 200: [a-zA-Z ,]+$`))
    phrases.add(reason)
    t.match(log.lines.filter(({ level }) => level === WARN), [{ reason, msg: `Keycloak cannot be used at token/introspect: ${reason}` }])
    await app.close()
  }
  t.equal(phrases.size, REFUSALS.length - 1, 'the two client policies share one')
})

t.test('a secret from a function is named as such', async (t) => {
  const realm = await realmFor(t)
  const { message } = await said(t, realm, { ...ON, clientSecret: () => 'wrong' })
  t.match(message, /^introspection: the value that the function clientSecret returned is not the secret of the client "api" \(status 401\)/)
  t.match(await said(t, realm, { ...ON, clientId: 'nobody' }), { checks: ['credentials'], message: /has no client "nobody"/ })
})

t.test('a realm that demands HTTPS says so where it is looked for', async (t) => {
  const realm = await realmFor(t)
  const https = { error: 'invalid_request', error_description: 'HTTPS required' }
  for (const endpoint of ['discovery', 'certs'] as const) refuse(realm, endpoint, 403, https)
  t.match(await said(t, realm), { checks: ['https_required'], message: /^the realm "test" demands HTTPS \(status 403\): write https:\/\/ in issuer; or/ })
  t.match(await said(t, realm, { serverUrl: realm.issuer }), { checks: ['https_required'], message: /write https:\/\/ in serverUrl/ })
  realm.respond('discovery', null)
  t.match(await said(t, realm), { checks: ['https_required'], message: /^the realm "test" demands HTTPS/ }, 'the keys alone')
  const app = await apiFor(t, realm)
  t.equal(await ask(app, '/me', realm.token()), '503 keycloak_unavailable')
  t.equal(app.keycloak.health().keys.reason, 'status 403 instead of 200: the realm demands HTTPS')
})

t.test('what is not known to be Keycloak\'s is blamed on what stands before it, and never shown', async (t) => {
  const strangers = [
    { error: 'HTTPS required' }, { error_description: 'HTTPS required' }, { error: 'invalid_request', error_description: 'https required SECRET' },
    { error: ['invalid_request'], error_description: 'HTTPS required' }, { message: 'SECRET' }, 'SECRET', null, []
  ]
  for (const body of strangers) {
    const realm = await realmFor(t)
    refuse(realm, 'discovery', 403, body)
    const discovery = await said(t, realm)
    t.match(discovery, { checks: ['not_keycloak'], message: /^a proxy before Keycloak forbids .* \(status 403\): let this machine through/ }, JSON.stringify(body))
    realm.respond('discovery', null)
    refuse(realm, 'introspect', 403, body)
    const introspection = await said(t, realm, ON)
    t.match(introspection, { checks: ['credentials'], message: /\(status 403 instead of 200\): .*or let this machine through the proxy before Keycloak/ })
    t.notMatch(discovery.message + introspection.message, /SECRET/)
  }
})

t.test('a 400 about the token that asks whether anybody is there is not all well', async (t) => {
  const realm = await realmFor(t)
  refuse(realm, 'introspect', 400, { error: 'unknown_error' })
  t.match(await said(t, realm, ON), { checks: ['introspection'], message: /^introspection does not work \(status 400 instead of 200\)/ })
})
