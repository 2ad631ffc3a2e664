// Refusals that a setting causes: one warning with cause and cure, of tokens that the realm signed and of no others.
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import keycloak, { KeycloakError, type KeycloakOptions, type KeycloakReasonCode } from '../../index.js'
import { SetUpWarnings } from '../../lib/request/set-up-warnings.js'
import type { TestRealm, TokenSpec } from '../../lib/testing/index.js'
import { testRealms } from '../../lib/util/test-realms.js'
import { apiFor, ask, bearer, type Log, logging, realmFor, until, WARN } from '../support/app.js'
import { monotonicFor } from '../support/clocks.js'
import { heldKeysFor } from '../support/held-keys.js'
import { reasonOf } from '../support/reasons.js'

const DEBUG = 20
const MINUTES = 60

/** An API whose log is kept, with routes for the rules. */
async function apiOf (t: Test, realm: TestRealm, options: Partial<KeycloakOptions> = {}): Promise<{ app: FastifyInstance, log: Log }> {
  const log = logging()
  const app = await apiFor(t, realm, options, log)
  app.get('/scope', { config: { scope: 'write' } }, async () => 'scope')
  app.get('/group', { config: { permission: { group: '/staff' } } }, async () => 'group')
  app.get('/acr', { config: { acr: 'gold' } }, async () => 'acr')
  return { app, log }
}

function warningsIn (log: Log) {
  return log.lines.filter(({ level, msg }) => level === WARN && /although the realm signed its token/.test(msg))
}

/** The warnings so far. A refusal of another cause comes last: when it is warned of, all that were before it are over. */
async function settled (app: FastifyInstance, log: Log, realm: TestRealm, spec: TokenSpec = {}) {
  const known = warningsIn(log).length
  const last = realm.token({ ...spec, claims: { jti: 5 } })
  await until(async () => {
    await ask(app, '/me', last)
    return warningsIn(log).slice(known).some(({ reasonCode }) => reasonCode === 'claim_not_string')
  })
  return warningsIn(log).filter(({ reasonCode }) => reasonCode !== 'claim_not_string')
}

t.test('the first refusal of a cause is a warning with cause and cure, the next ones are at debug alone', async (t) => {
  const realm = await realmFor(t)
  const { app, log } = await apiOf(t, realm)
  for (let times = 0; times < 5; times++) t.equal(await ask(app, '/me', realm.token({ claims: { aud: ['account', 'web'] } })), '401 token_not_valid')
  t.match(await settled(app, log, realm), [{
    reasonCode: 'aud_mismatch',
    route: '/me',
    reqId: 'req-1',
    msg: 'request refused (401 token_not_valid), although the realm signed its token: aud ["account", "web"] names none of the audience ["api"]: add an audience mapper for "api" in Keycloak, let the client ask for the scope that has it, or correct the option audience'
  }])
  t.equal(log.lines.filter(({ level, reasonCode }) => level === DEBUG && reasonCode === 'aud_mismatch').length, 5)
  t.notOk(log.lines.some((line) => 'issuer' in line), 'with one issuer no line names it')
})

t.test('it is warned of again after ten minutes, and each cause has its own time', async (t) => {
  const realm = await realmFor(t)
  const { app, log } = await apiOf(t, realm)
  const monotonic = monotonicFor(t)
  const refuse = async (): Promise<void> => {
    await ask(app, '/me', realm.token({ claims: { aud: 'web' }, expiresIn: 3600 }))
    await ask(app, '/me', realm.token({ kind: 'id', expiresIn: 3600 }))
  }
  await refuse()
  t.same((await settled(app, log, realm)).map(({ reasonCode }) => reasonCode), ['aud_mismatch', 'id_token'])
  monotonic.pass(9 * MINUTES)
  await refuse()
  monotonic.pass(1.1 * MINUTES)
  await refuse()
  t.equal((await settled(app, log, realm)).length, 4)
})

/** Refusals that a setting causes: the options, the token, and the URL where it is not /me. */
const SET_UPS: Array<[code: KeycloakReasonCode, spec: TokenSpec, message: RegExp, options?: Partial<KeycloakOptions>, url?: string]> = [
  ['aud_missing', { claims: { aud: undefined } }, /401 token_not_valid.*add "api", the option audience, by an audience mapper/],
  ['id_token', { kind: 'id' }, /ID token, which tells a client who logged in: send the access token/],
  ['logout_token', { kind: 'logout' }, /logout token/],
  ['id_token', { kind: 'id', alg: 'ES256' }, /ID token/],
  ['lightweight', { kind: 'lightweight' }, /set verifyTokensWithKeycloak: true/],
  ['iss_mismatch', { claims: { iss: 'https://sso.example.com/realms/test' } }, /"https:\/\/sso\.example\.com\/realms\/test" and not "http.*: correct issuer, or the hostname option of Keycloak/],
  ['azp_mismatch', { authorizedParty: 'cli' }, /azp "cli" is none of authorizedParties \["web"\]: add this client/, { authorizedParties: 'web' }],
  ['at_jwt_required', {}, /header "typ" is not at\+jwt, which tokenType demands: in Keycloak, switch on/, { tokenType: 'at+jwt' }],
  ['token_too_old', { age: 100 }, /issued 60 s ago or earlier.*Access Token Lifespan/, { maxTokenAge: 60 }],
  ['token_lives_too_long', { expiresIn: 7200 }, /longer than revocation\.maxTokenLifetime: raise revocation\.maxTokenLifetime/, { revocation: { maxTokenLifetime: 3600 } }],
  ['dpop_bound', { kind: 'dpop' }, /sender-constrained \(DPoP\).*set the option dpop or mtls/],
  ['dpop_token_as_bearer', { dpop: true }, /send "Authorization: DPoP" with a proof/, { dpop: true }],
  ['user_claim_missing', {}, /401 token_not_valid.*the claim employee/, { userIdClaim: 'employee' }],
  ['roles_absent', { claims: { resource_access: undefined } }, /403 permission_denied.*permission view-profile is not among the roles at resource_access\.api\.roles: the token has no "resource_access"/, {}, '/profile'],
  ['roles_absent', { roles: ['view-profile'] }, /at realm_access\.api: the token has no "api" in realm_access.*permissionPath names another place/, { permissionPath: 'realm_access.api' }, '/profile'],
  ['roles_not_array', { roles: ['view-profile'] }, /which are an object there and not an array: switch Multivalued of the mapper on/, { permissionPath: 'resource_access.api' }, '/profile'],
  ['scope_claim_missing', { claims: { scope: undefined } }, /scope write is missing: the token has no claim scope: ask for it at login/, {}, '/scope'],
  ['groups_absent', {}, /"Group Membership"/, {}, '/group'],
  ['acr_missing', { claims: { acr: undefined } }, /401 insufficient_user_authentication.*client scope "acr"/, {}, '/acr']
]

t.test('of each cause that a setting has, and of no token that another key signed', async (t) => {
  const realm = await realmFor(t, { algorithms: ['RS256', 'ES256'] })
  const monotonic = monotonicFor(t)
  for (const [code, spec, message, options = {}, url = '/me'] of SET_UPS) {
    const { app, log } = await apiOf(t, realm, options)
    const refusedAs = (): unknown => log.lines.findLast(({ level, reasonCode }) => level === DEBUG && reasonCode !== undefined)?.reasonCode
    t.match(await ask(app, url, realm.token({ ...spec, forged: true })), /^401/)
    const warned = ['at_jwt_required', 'logout_token'].includes(code) || spec.alg !== undefined ? code : 'signature_invalid'
    t.equal(refusedAs(), warned, 'the forged twin')
    // Before the signature is checked, one token a second is looked at.
    monotonic.pass(1.1)
    t.match(await ask(app, url, realm.token(spec)), /^40/)
    t.equal(refusedAs(), code)
    await until(() => warningsIn(log).length > 0)
    t.match(warningsIn(log), [{ reasonCode: code, route: url, msg: message }])
    t.equal(warningsIn(log).length, 1, code)
  }
})

t.test('everyday refusals and tokens of strangers are no warnings', async (t) => {
  const realm = await realmFor(t)
  const { app, log } = await apiOf(t, realm)
  const other = await realmFor(t)
  other.rotateKeys()
  const tokens: Record<string, [token: string, code: KeycloakReasonCode, url?: string]> = {
    expired: [realm.token({ expired: true }), 'exp_passed'],
    'without the role': [realm.token({ roles: ['other'] }), 'role_missing', '/profile'],
    'without the scope': [realm.token(), 'scope_missing', '/scope'],
    'of a login that is not enough': [realm.token(), 'acr_too_low', '/acr'],
    forged: [realm.token({ forged: true, claims: { aud: 'web' } }), 'signature_invalid'],
    unsigned: [realm.token({ header: { alg: 'none' }, kind: 'id' }), 'id_token'],
    'of another realm': [other.token(), 'issuer_other'],
    'of another realm, which names this one': [other.token({ claims: { iss: realm.issuer, aud: 'web' } }), 'kid_unknown'],
    'of another kind and an unknown kid': [realm.token({ kind: 'id', kid: 'unknown' }), 'id_token'],
    garbage: ['x.y.z', 'header_not_base64url']
  }
  const monotonic = monotonicFor(t)
  for (const [name, [token, code, url = '/me']] of Object.entries(tokens)) {
    t.match(await ask(app, url, token), /^40[13]/, name)
    t.equal(log.lines.findLast(({ level, reasonCode }) => level === DEBUG && reasonCode !== undefined)?.reasonCode, code)
    monotonic.pass(1.1)
  }
  await app.inject({ url: '/me', headers: { authorization: `Bearer ${realm.token()} x` } })
  await app.inject('/me')
  t.same(await settled(app, log, realm), [])
})

t.test('a flood of forged tokens delays no warning of a cause that only signed tokens have', async (t) => {
  const realm = await realmFor(t)
  const { app, log } = await apiOf(t, realm, { tokenType: 'at+jwt' })
  const monotonic = monotonicFor(t)
  for (let times = 0; times < 20; times++) await ask(app, '/me', realm.token({ forged: true }))
  await ask(app, '/me', realm.token({ kind: 'at+jwt', claims: { aud: 'web' } }))
  await until(() => warningsIn(log).length > 0)
  t.match(warningsIn(log), [{ reasonCode: 'aud_mismatch' }])
  for (const kind of ['access', 'logout'] as const) await ask(app, '/me', realm.token({ kind }))
  t.equal(warningsIn(log).length, 1, 'before the signature is checked, one token a second is looked at, whatever its cause')
  monotonic.pass(1.1)
  await ask(app, '/me', realm.token())
  await until(() => warningsIn(log).length > 1)
  t.match(warningsIn(log)[1], { reasonCode: 'at_jwt_required' })
})

t.test('two checks of one cause that wait for the keys write one warning', async (t) => {
  const realm = await realmFor(t)
  const keys = await heldKeysFor(t, realm)
  const { app, log } = await apiOf(t, realm, { tokenType: 'at+jwt', serverUrl: keys.url })
  const monotonic = monotonicFor(t)
  keys.hold = true
  for (let times = 0; times < 2; times++) {
    t.equal(await ask(app, '/me', realm.token()), '401 token_not_valid')
    monotonic.pass(1.1)
  }
  await until(() => keys.asked === 1)
  keys.release()
  t.match((await settled(app, log, realm, { kind: 'at+jwt' })).map(({ reasonCode }) => reasonCode), ['at_jwt_required'])
})

t.test('values that a mapper can have from a user are shown only if they are short and plain', async (t) => {
  const realm = await realmFor(t)
  const { app, log } = await apiOf(t, realm)
  await ask(app, '/me', realm.token({ claims: { aud: ['a\n{"level":60}', 'x'.repeat(101), 'web'] } }))
  t.match(await settled(app, log, realm), [{ msg: /aud \[one that cannot be shown, one that cannot be shown, "web"\]/ }])
})

t.test('a token that extractToken found is warned of too, and extractToken is called once', async (t) => {
  const realm = await realmFor(t)
  let calls = 0
  const { app, log } = await apiOf(t, realm, {
    extractToken (request) {
      calls++
      return (request.headers['x-token'] as string | undefined) ?? null
    }
  })
  const ask = (token: string) => app.inject({ url: '/me', headers: { 'x-token': token, authorization: 'Bearer x' } })
  t.equal((await ask(realm.token({ claims: { aud: 'web' }, forged: true }))).statusCode, 401)
  t.equal((await ask(realm.token({ claims: { aud: 'web' } }))).statusCode, 401)
  await until(() => warningsIn(log).length > 0)
  t.match(warningsIn(log), [{ reasonCode: 'aud_mismatch' }])
  t.equal(calls, 2)
})

t.test('an error of the application that has such a reason is no warning: nobody signed a token', async (t) => {
  const realm = await realmFor(t)
  const { app, log } = await apiOf(t, realm, {
    extractToken () { throw new KeycloakError('token_not_valid', 'aud_mismatch') }
  })
  const monotonic = monotonicFor(t)
  for (const headers of [bearer('x'), {}, { authorization: 'Basic eDp5' }, { authorization: 'Bearer x y' }]) {
    t.equal((await app.inject({ url: '/me', headers })).statusCode, 401)
    monotonic.pass(1.1)
  }
  t.same(warningsIn(log), [])
})

t.test('a token that verify() refuses is warned of and counted as well', async (t) => {
  const realm = await realmFor(t)
  const { app, log } = await apiOf(t, realm)
  t.equal(await reasonOf(app, realm.token({ claims: { aud: 'web' } })), 'aud_mismatch')
  await until(() => warningsIn(log).length > 0)
  t.match(warningsIn(log), [{ reasonCode: 'aud_mismatch' }])
  t.notOk('route' in warningsIn(log)[0]!)
  t.equal(await reasonOf(app, 5 as never), 'token_not_string')
  t.same(app.keycloak.health().refusals, { aud_mismatch: 1, token_not_string: 1 })
})

t.test('without a check of signatures anybody can write a token, so that nothing is warned of', async (t) => {
  const realm = await realmFor(t)
  const { app, log } = await apiOf(t, realm, { verifySignature: false })
  t.equal(await ask(app, '/me', realm.token({ claims: { aud: 'web' } })), '401 token_not_valid')
  t.same(app.keycloak.health().refusals, { aud_mismatch: 1 })
  t.same(warningsIn(log), [])
})

t.test('health() counts refusals by the code of their reason', async (t) => {
  const realm = await realmFor(t)
  const { app } = await apiOf(t, realm)
  t.same(app.keycloak.health().refusals, {})
  for (const token of [undefined, undefined, realm.token({ expired: true }), realm.token({ forged: true }), realm.token({ kind: 'id', kid: 'x' }), realm.token()]) await ask(app, '/profile', token)
  await realm.down()
  await ask(app, '/me', realm.token({ kid: 'y' }))
  t.match(app.keycloak.health().refusals, { token_missing: 2, exp_passed: 1, signature_invalid: 1, id_token: 1, roles_absent: 1 })
  t.equal(Object.values(app.keycloak.health().refusals).reduce((sum, each) => sum + each), 7)
})

/** An API of the realms acme and globex, which are served at 127.0.0.1 and localhost. */
async function apiOfTwo (t: Test, options: object = {}) {
  const [acme, globex] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' })]
  globex.rotateKeys()
  const log = logging()
  const app = Fastify(log)
  t.teardown(() => app.close())
  await app.register(keycloak, { issuers: [acme.options, globex.options], startCheck: false, ...options })
  app.get('/me', { config: { authenticated: true } }, async () => 'me')
  return { app, log, acme, globex }
}

t.test('with several issuers each line names its issuer, and each has its own warnings', async (t) => {
  const { app, log, acme, globex } = await apiOfTwo(t)
  for (const realm of [globex, globex, acme]) t.equal(await ask(app, '/me', realm.token({ claims: { aud: 'web' } })), '401 token_not_valid')
  await until(() => warningsIn(log).length > 1)
  t.match(warningsIn(log), [
    { issuer: 'globex', reasonCode: 'aud_mismatch', msg: /^issuer globex: request refused \(401 token_not_valid\), although the realm signed its token: aud \["web"\]/ },
    { issuer: 'acme', reasonCode: 'aud_mismatch', msg: /^issuer acme: request refused/ }
  ])
  const debug = log.lines.filter(({ level, msg }) => level === DEBUG && /request refused/.test(msg))
  t.match(debug.map(({ issuer }) => issuer), ['globex', 'globex', 'acme'])
  t.match(debug[0], { code: 'token_not_valid', reasonCode: 'aud_mismatch', msg: /^issuer globex: request refused: aud \["web"\]/ })
  await ask(app, '/me')
  t.match(log.lines.findLast(({ level }) => level === DEBUG), { msg: 'request refused: no token', issuer: undefined })
})

t.test('a realm that is called by another host name signs tokens of an unknown issuer: the warning names both', async (t) => {
  const { app, log, acme, globex } = await apiOfTwo(t)
  const iss = 'https://sso.example.com/realms/globex'
  for (const realm of [acme, globex]) t.equal(await ask(app, '/me', realm.token()), '200')
  const monotonic = monotonicFor(t)
  t.equal(await ask(app, '/me', globex.token({ claims: { iss }, forged: true })), '401 token_not_valid')
  monotonic.pass(1.1)
  t.equal(await ask(app, '/me', globex.token({ claims: { iss } })), '401 token_not_valid')
  await until(() => warningsIn(log).length > 0)
  t.match(warningsIn(log), [{ issuer: 'globex', reasonCode: 'iss_mismatch', msg: new RegExp(`^issuer globex: .*"${iss}" and not "${globex.issuer}": correct issuer, or the hostname option of Keycloak`) }])
  t.match(app.keycloak.health().refusals, { issuer_unknown: 2 })
})

t.test('a request that selectIssuer ties to another realm is warned of', async (t) => {
  const { app, log, acme } = await apiOfTwo(t, { selectIssuer: () => 'globex' })
  const monotonic = monotonicFor(t)
  t.equal(await ask(app, '/me', acme.token({ forged: true })), '401 token_not_valid')
  monotonic.pass(1.1)
  t.equal(await ask(app, '/me', acme.token()), '401 token_not_valid')
  await until(() => warningsIn(log).length > 0)
  t.match(warningsIn(log), [{ issuer: 'acme', reasonCode: 'issuer_not_selected' }])
})

t.test('of many realms a hundred are searched for the one that signed a token', async (t) => {
  for (const [signer, warned] of [[100, 0], [99, 1]] as const) {
    let asked = 0
    const lines: unknown[] = []
    const log = { level: 'info', warn: (...line: unknown[]) => lines.push(line) }
    const hasSigned = (at: number) => async () => ++asked > 0 && at === signer
    const realms = Array.from({ length: 200 }, (_, at) => ({ name: `tenant-${at}`, issuer: `https://sso.example.com/realms/${at}`, hasSigned: hasSigned(at) }))
    const warnings = new SetUpWarnings({ issuerOf: () => 'https://sso.example.com/realms/other' }, { isOfSeveral: true, all: () => realms as never })
    warnings.consider({ error: new KeycloakError('token_not_valid', 'issuer_unknown'), realm: undefined, log: log as never, token: () => 'token', route: undefined })
    await until(() => asked === 100)
    await new Promise(setImmediate)
    t.equal(asked, 100)
    t.equal(lines.length, warned)
  }
})

/** The warnings of the process while an API without a logger refuses a token. */
async function processWarnings (t: Test, isTestRealm: boolean): Promise<Array<Error & { code?: string }>> {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  t.equal(await ask(app, '/me', realm.token()), '200')
  if (!isTestRealm) testRealms().clear()
  const emitted = t.capture(process, 'emitWarning', () => {})
  t.equal(await ask(app, '/me', realm.token({ claims: { aud: 'web' } })), '401 token_not_valid')
  await new Promise(setImmediate)
  return emitted().map(({ args }) => ({ message: args[0], ...args[1] as object }) as never)
}

t.test('without a logger the process is warned, but not of a test realm, whose tokens tests refuse all the time', async (t) => {
  t.same(await processWarnings(t, true), [])
  t.match(await processWarnings(t, false), [{ code: 'aud_mismatch', message: /^request refused \(401 token_not_valid\)/ }])
})
