// What an answer of introspection changes of a token's claims, and what a refusal of Keycloak's is about.
import t, { type Test } from 'tap'
import type { Handler, TestRealm } from '../../lib/testing/index.js'
import type { KeycloakOptions } from '../../index.js'
import { apiFor, ask, bearer, logging, realmFor, WARN } from '../support/app.js'

const NOT_VALID = '401 token_not_valid'
const UNAVAILABLE = '503 keycloak_unavailable'
const ON = { verifyTokensWithKeycloak: true }

/** The answer of Keycloak 26.7.3 about a token of scope `organization:globex` whose user has left it. */
const GONE = { error: 'invalid_request', error_description: 'Failed to introspect token.' }

function answers (status: number, body: unknown): Handler {
  return (_request, response) => { response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body)) }
}

async function introspecting (t: Test, options: Partial<KeycloakOptions> = {}) {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, { ...ON, ...options }, log)
  const warnings = (): string[] => log.lines.filter(({ level }) => level === WARN).map(({ msg }) => msg)
  const reasons = (): unknown[] => log.lines.filter(({ code }) => code !== undefined).map(({ reason }) => reason)
  return { realm, app, log, warnings, reasons }
}

/** request.auth of a token. */
async function authOf (app: Awaited<ReturnType<typeof apiFor>>, token: string): Promise<Record<string, unknown>> {
  return (await app.inject({ url: '/me', headers: bearer(token) })).json().auth
}

t.test('a 400 about a token is 401 for that token, and no outage', async (t) => {
  const { realm, app, log, warnings, reasons } = await introspecting(t)
  const left = realm.token()
  realm.respond('introspect', answers(400, GONE))
  for (let times = 0; times < 10; times++) t.equal(await ask(app, '/me', left), NOT_VALID)
  t.equal(await ask(app, '/open', left), NOT_VALID)
  t.match(app.keycloak.health(), { ok: true, introspection: { ok: true, lastFailure: null, reason: null, breaker: 'closed' } })
  t.match(warnings(), [/^Keycloak refuses to introspect the token \(status 400\): an organization that its scope names is gone/], 'one warning')
  t.match(reasons(), Array(11).fill(/^Keycloak refuses to introspect the token/))
  t.notMatch(log.text, /Failed to introspect/)
  realm.respond('introspect', null)
  t.equal(await ask(app, '/me', realm.token()), '200', 'others are served')
})

t.test('any 400 of Keycloak\'s that is not about the client is about the token', async (t) => {
  const { realm, app } = await introspecting(t)
  for (const body of [{ error: 'unknown_error' }, { error: 'invalid_token', error_description: 'x' }, { error: 'invalid_request', error_description: 5 }, { error: 'invalid_request', more: [1] }]) {
    realm.respond('introspect', answers(400, body))
    t.equal(await ask(app, '/me', realm.token()), NOT_VALID, JSON.stringify(body))
  }
})

t.test('a 400 about the client, or of a proxy, is 503', async (t) => {
  const bodies = [
    { error: 'invalid_client', error_description: 'Parameter client_assertion_type is missing' },
    { error: 'invalid_client' },
    { error: 'unauthorized_client', error_description: 'anything' },
    { error: 'invalid_request', error_description: 'Configured client authentication method not allowed for client' },
    { error: 'invalid_request', error_description: 'Request not allowed' },
    '<html>400 Bad Request</html>', '', 'null', '[]', '{"error":5}', '{"statusCode":400,"error":"Bad Request","message":"of a gateway"}', '{"error":"invalid_request","error":"x"}', '{"message":"no"}',
    `{"error":"invalid_request","x":"${'x'.repeat(5000)}"}`
  ]
  for (const body of bodies) {
    const { realm, app, log } = await introspecting(t)
    realm.respond('introspect', answers(400, body))
    t.equal(await ask(app, '/me', realm.token()), UNAVAILABLE, JSON.stringify(body).slice(0, 80))
    t.match(app.keycloak.health(), { ok: false, introspection: { reason: /^status 400 instead of 200/ } })
    t.notMatch(log.text, /Bad Request|anything|client_assertion_type/)
    await app.close()
  }
})

t.test('the same words with another status are no 400', async (t) => {
  const { realm, app } = await introspecting(t)
  for (const status of [401, 403, 404, 405, 409, 413, 422, 429, 500, 502]) {
    realm.respond('introspect', answers(status, GONE))
    t.equal(await ask(app, '/me', realm.token()), UNAVAILABLE, String(status))
    t.match(app.keycloak.health().introspection?.reason, `status ${status} instead of 200`)
  }
})

t.test('an encoded 400 is none that could be read', async (t) => {
  const { realm, app } = await introspecting(t)
  realm.respond('introspect', (_request, response) => { response.writeHead(400, { 'content-encoding': 'br' }).end(JSON.stringify(GONE)) })
  t.equal(await ask(app, '/me', realm.token()), UNAVAILABLE)
  t.match(app.keycloak.health().introspection?.reason, 'status 400 instead of 200')
})

t.test('a shared 400 is shared with its reason', async (t) => {
  const { realm, app, reasons } = await introspecting(t, { introspection: { cacheTtl: 60_000 } })
  const left = realm.token()
  realm.respond('introspect', answers(400, GONE))
  for (let times = 0; times < 3; times++) t.equal(await ask(app, '/me', left), NOT_VALID)
  t.equal(realm.requests.introspect, 1)
  t.match(reasons(), Array(3).fill(/^Keycloak refuses to introspect/))
})

t.test('act and may_act stay the token\'s, and so does what keepClaims names', async (t) => {
  const { realm, app, warnings } = await introspecting(t, { introspection: { keepClaims: ['readonly'] } })
  const act = { sub: 'service-a', act: { sub: 'service-b' } }
  const token = realm.token({ claims: { act, may_act: { sub: 'bob' }, readonly: true } })
  realm.update(token, { act: undefined, may_act: undefined, readonly: undefined })
  t.match(await authOf(app, token), { act, may_act: { sub: 'bob' }, readonly: true })
  t.same(warnings(), [])
  realm.update(token, { readonly: false })
  t.match(await authOf(app, token), { readonly: false }, 'an answer that has it is of now')
  const plain = realm.token()
  realm.update(plain, { act: { sub: 'admin' } })
  t.match(await authOf(app, plain), { act: { sub: 'admin' } }, 'an impersonation is in the answer alone')
  t.notOk('readonly' in await authOf(app, realm.token()), 'and nothing is made up')
})

t.test('a claim that answers lack is gone, and the first time a warning names it', async (t) => {
  const { realm, app, log } = await introspecting(t)
  const token = realm.token({ claims: { readonly: true, 'https://example.com/tenant': 'acme' } })
  realm.update(token, { readonly: undefined, 'https://example.com/tenant': undefined })
  for (let times = 0; times < 3; times++) t.notOk('readonly' in await authOf(app, token))
  const said = log.lines.filter(({ level }) => level === WARN)
  t.match(said, [
    { claim: '"readonly"', msg: /^the claim "readonly" is in tokens and missing in what introspection answers.* "Add to token introspection".*keepClaims/ },
    { claim: '"https://example.com/tenant"' }
  ])
  t.equal(said.length, 2)
  t.notMatch(log.text, /acme/)
})

t.test('no warning for what vanishes when it is withdrawn', async (t) => {
  const { realm, app, warnings } = await introspecting(t, { audience: null })
  const token = realm.token({ claims: { groups: ['/staff'], organization: ['acme'] }, roles: ['view-profile'] })
  realm.update(token, { realm_access: undefined, resource_access: undefined, groups: undefined, organization: undefined, scope: undefined, aud: undefined, typ: undefined })
  const start = warnings().length
  const auth = await authOf(app, token)
  for (const claim of ['realm_access', 'resource_access', 'groups', 'organization', 'scope']) t.notOk(claim in auth, claim)
  t.same(warnings().slice(start), [])
})

t.test('names of claims neither forge lines nor flood the log', async (t) => {
  const { realm, app, log, warnings } = await introspecting(t)
  const strange = { 'a"b\nlevel': 1, ['x'.repeat(200)]: 1, naïve: 1, ' ': 1, ...Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`claim-${at}`, at])) }
  const token = realm.token({ claims: strange })
  realm.update(token, Object.fromEntries(Object.keys(strange).map((name) => [name, undefined])))
  for (let times = 0; times < 2; times++) {
    t.equal(await ask(app, '/me', token), '200')
    // Another answer is judged anew.
    realm.update(token, { times })
  }
  t.equal(warnings().length, 20)
  t.equal(warnings().filter((msg) => msg.startsWith('a claim whose name cannot be shown is in tokens')).length, 4)
  t.notMatch(log.text, /x{101}|naïve|a\\+"b/)
})

t.test('the audience is that of the token, wider or narrower as the answer may be', async (t) => {
  const { realm, app } = await introspecting(t)
  const token = realm.token({ claims: { aud: 'api' } })
  for (const aud of [['api', 'account', 'billing'], ['billing'], undefined]) {
    realm.update(token, { aud })
    t.equal((await authOf(app, token)).aud, 'api', JSON.stringify(aud))
  }
})

t.test('an answer does not make a token good for an audience that it was not made for', async (t) => {
  const { realm, app } = await introspecting(t, { audience: 'billing' })
  const token = realm.token({ claims: { aud: ['api'] } })
  realm.update(token, { aud: ['api', 'billing'] })
  t.equal(await ask(app, '/me', token), NOT_VALID)
  t.equal(realm.requests.introspect, 0)
})

t.test('a lightweight token has no audience: the answer\'s counts', async (t) => {
  const { realm, app } = await introspecting(t)
  const token = realm.token({ kind: 'lightweight' })
  t.same((await authOf(app, token)).aud, ['api', 'account'])
  realm.update(token, { aud: ['billing'] })
  t.equal(await ask(app, '/me', token), NOT_VALID)
  realm.update(token, { aud: undefined })
  t.equal(await ask(app, '/me', token), NOT_VALID)
})

t.test('the reason of an inactive answer tells a logout from an aud that lacks the client', async (t) => {
  const { realm, app, reasons } = await introspecting(t, { audience: ['api', 'billing'] })
  const [mine, others, light] = [realm.token(), realm.token({ claims: { aud: 'billing' } }), realm.token({ kind: 'lightweight' })]
  realm.respond('introspect', answers(200, { active: false }))
  for (const token of [mine, others, light]) t.equal(await ask(app, '/me', token), NOT_VALID)
  t.match(reasons(), [
    /^Keycloak says that the token is not active: it was revoked, its session has ended/,
    /^Keycloak says that the token is not active, and the aud of the token lacks clientId "api", without which Keycloak from 26\.4\.12, 26\.6\.2 and 26\.7 on tells a client nothing: .*audience mapper/,
    /^Keycloak says that the token is not active: .*a lightweight token does not show/
  ])
})

t.test('the start says from which versions on introspection wants the caller in aud', async (t) => {
  const { warnings } = await introspecting(t, { audience: null })
  t.match(warnings(), [/Keycloak from 26\.4\.12, 26\.6\.2 and 26\.7 on calls tokens inactive whose aud lacks "api"/])
})

t.test('keepClaims takes names of claims, and none that grant', async (t) => {
  const realm: TestRealm = await realmFor(t)
  const refusal = async (keepClaims: unknown): Promise<string> => apiFor(t, realm, { ...ON, introspection: { keepClaims: keepClaims as string[] } }).then(() => 'started', (error: Error) => error.message)
  t.equal(await refusal([]), 'started')
  t.equal(await refusal(['readonly', 'https://example.com/tier']), 'started')
  t.match(await refusal('readonly'), 'option "introspection.keepClaims" must be an array of names of claims that restrict, such as ["readonly"], not a string')
  t.match(await refusal(['']), 'option "introspection.keepClaims.0" must be the name of a claim that restricts, such as "readonly", not an empty string')
  t.match(await refusal(['resource_access']), 'option "introspection.keepClaims.0" must be the name of a claim that restricts, such as "readonly", not "resource_access", which is missing in an answer when what it grants was withdrawn')
  t.match(await refusal(['__proto__']), /keepClaims\.0.*not "__proto__"/)
  t.match(await refusal(['readonly', 'groups']), /keepClaims\.1.*not "groups"/)
})
