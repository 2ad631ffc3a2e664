// Why a token is refused, as the debug log tells it: the cause, not what follows from it, and what mends it.
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import type { KeycloakOptions } from '../../index.js'
import type { TestRealm, TestRealmOptions, TokenSpec } from '../../lib/testing/index.js'
import { apiFor, ask, logging, realmFor } from '../support/app.js'

const NOT_VALID = '401 token_not_valid'
const DENIED = '403 permission_denied'

interface Told {
  realm: TestRealm
  app: FastifyInstance
  /** Ask with a token: the answer and its reason. */
  told: (token: string, url?: string) => Promise<[answer: string, reason: string]>
  text: () => string
}

async function telling (t: Test, options: Partial<KeycloakOptions> = {}, realmOptions: TestRealmOptions = {}): Promise<Told> {
  const realm = await realmFor(t, realmOptions)
  const log = logging()
  const app = await apiFor(t, realm, options, log)
  return {
    realm,
    app,
    text: () => log.text,
    async told (token, url = '/me') {
      const answer = await ask(app, url, token)
      const { reason, msg } = log.lines.filter(({ code }) => code !== undefined).at(-1)!
      t.equal(msg, `request refused: ${reason}`)
      return [answer, reason as string]
    }
  }
}

/** A token with a header and payload of one's own, which nobody signed. */
function unsigned (header: object, payload: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(payload)}.AAAA`
}

t.test('a token of another kind is told as such, before its audience is blamed', async (t) => {
  const { realm, told } = await telling(t)
  const kinds: Array<[TokenSpec, RegExp]> = [
    [{ kind: 'id' }, /^the token is an ID token, .*: send the access token$/],
    [{ kind: 'refresh' }, /^the token is a refresh token, .*: send the access token$/],
    [{ kind: 'offline' }, /^the token is an offline token, .*: send the access token$/],
    [{ kind: 'offline', claims: { exp: undefined } }, /^the token is an offline token/],
    [{ kind: 'logout' }, /^the token is a logout token/],
    [{ kind: 'logout', header: { typ: 'JWT' } }, /^the token is a logout token/],
    [{ kind: 'dpop' }, /^the token is sender-constrained \(DPoP\), and no proof of its key is checked here/],
    [{ claims: { cnf: { 'x5t#S256': 'x' } } }, /^the token is sender-constrained \(cnf\), and no proof/],
    [{ claims: { typ: 'RegistrationAccessToken', aud: 'x' } }, /is a client registration token/],
    [{ claims: { typ: 'verify-email', aud: 'x' } }, /^typ is not Bearer but "verify-email": the token is no access token$/],
    [{ claims: { typ: 'a"b\n' } }, /^typ is not Bearer: the token is no access token$/],
    [{ claims: { typ: 5 } }, /^typ is not Bearer: the token is no access token$/]
  ]
  for (const [spec, reason] of kinds) t.match(await told(realm.token(spec)), [NOT_VALID, reason], JSON.stringify(spec))
})

t.test('what Keycloak signs by a secret is told as such, before its algorithm is blamed', async (t) => {
  const { realm, told } = await telling(t)
  const claims = (typ: string, iss = realm.issuer) => ({ iss, typ, aud: iss, exp: 9999999999 })
  const header = { alg: 'HS512', typ: 'JWT', kid: 'a-secret-of-the-realm' }
  t.match(await told(unsigned(header, claims('Refresh'))), [NOT_VALID, /^the token is a refresh token/])
  t.match(await told(unsigned(header, claims('Offline'))), [NOT_VALID, /^the token is an offline token/])
  t.match(await told(unsigned(header, claims('Bearer'))), [NOT_VALID, /^the algorithm is not allowed: HS256, HS384 and HS512 are for tokens that Keycloak alone reads/])
  t.match(await told(unsigned({ ...header, alg: 'RS256' }, claims('ID'))), [NOT_VALID, /^the token is an ID token/], 'by an unknown key as well')
})

t.test('a token of another realm is told as such, before key or algorithm is blamed', async (t) => {
  const { realm, told } = await telling(t)
  const claims = { iss: 'https://sso.example.com/realms/other', typ: 'Bearer', aud: 'api', exp: 9999999999 }
  const OTHER = 'the token is from another issuer than the option issuer'
  for (const header of [{ alg: 'RS256', kid: 'unknown' }, { alg: 'ES256', kid: 'unknown' }, { alg: 'RS256', kid: 5 }, { alg: 'RS256', typ: 'strange' }]) {
    t.same(await told(unsigned(header, claims)), [NOT_VALID, OTHER], JSON.stringify(header))
  }
  t.match(await told(realm.token({ claims: { iss: claims.iss, aud: 'web' } })), [NOT_VALID, `iss is not the issuer: ${OTHER}, "${claims.iss}" and not "${realm.issuer}"`], 'a realm whose key is ours')
  t.match(await told(realm.token({ claims: { iss: undefined } })), [NOT_VALID, 'iss is missing'])
  t.match(await told(realm.token({ claims: { iss: 'SECRET\n"' } })), [NOT_VALID, new RegExp(`^iss is not the issuer: ${OTHER}$`)])
  t.match(await told(realm.token({ claims: { iss: 'SECRET' } })), [NOT_VALID, new RegExp(`^iss is not the issuer: ${OTHER}$`)], 'only a URL is shown')
})

t.test('a header that is refused says for what', async (t) => {
  const { realm, told } = await telling(t, {}, { algorithms: ['RS256', 'ES256'] })
  const claims = { iss: realm.issuer, typ: 'Bearer' }
  const cases: Array<[string, RegExp | string]> = [
    [realm.token({ alg: 'ES256' }), 'the algorithm is not allowed: the token says ES256: add it to the option algorithms if this realm signs access tokens by it'],
    [unsigned({ alg: 'none' }, claims), 'the algorithm is not allowed: alg is none, so the token has no signature'],
    [unsigned({ alg: 'SECRET' }, claims), /^the algorithm is not allowed$/],
    [unsigned({ alg: 5 }, claims), /^the algorithm is not allowed$/],
    [unsigned({ alg: 'RS256', crit: ['exp'] }, claims), 'header "crit" is not allowed, because no extension is supported'],
    [unsigned({ alg: 'RS256', kid: 5 }, claims), 'the kid is not a string'],
    [unsigned({ alg: 'RS256', typ: 'SECRET' }, claims), 'header "typ" is not allowed: an access token has JWT or at+jwt'],
    [unsigned({ alg: 'RS256', typ: 'application/Logout+JWT' }, claims), /^the token is a logout token/],
    [unsigned({ alg: 'ES256', typ: 'dpop+jwt', jwk: {} }, { htm: 'GET', htu: 'x' }), /^the token is a DPoP proof, which goes into the header DPoP/],
    [unsigned({ alg: 'RS256', typ: 'secevent+jwt' }, claims), /^the token is a security event/],
    [realm.token({ kid: 'unknown' }), /^(no key of the realm fits kid and alg|the kid is unknown)/],
    [unsigned({ alg: 'RS256', kid: JSON.parse(Buffer.from(realm.token({ alg: 'ES256' }).split('.')[0]!, 'base64url').toString()).kid }, claims), /^no key of the realm fits kid and alg: the realm's key of that kid is for another algorithm than the token says/]
  ]
  for (const [token, reason] of cases) t.match(await told(token), [NOT_VALID, reason], String(reason))
  const unreadable = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.!.AAAA`
  t.match(await told(unreadable), [NOT_VALID, /^the algorithm is not allowed: HS256, HS384 and HS512/], 'of a payload that cannot be read nothing is said')
})

t.test('a token without kid, where several keys fit', async (t) => {
  const { realm, told } = await telling(t)
  realm.rotateKeys()
  t.match(await told(realm.token({ kid: null })), [NOT_VALID, 'no key of the realm fits kid and alg: the token has no kid, and the realm has no key or several keys for its alg'])
})

t.test('an audience that is absent, malformed or another says which, and what is wanted', async (t) => {
  const { realm, told } = await telling(t, { audience: ['api', 'billing'] })
  const aud = async (value: unknown) => told(realm.token({ claims: { aud: value } }))
  t.match(await aud(undefined), [NOT_VALID, 'aud is missing: add "api" or "billing", the option audience, by an audience mapper in Keycloak'])
  t.match(await aud(null), [NOT_VALID, 'aud is neither a string nor an array of strings, but null'])
  t.match(await aud(5), [NOT_VALID, 'aud is neither a string nor an array of strings, but a number'])
  t.match(await aud({}), [NOT_VALID, 'aud is neither a string nor an array of strings, but an object'])
  t.match(await aud(['api', 5]), [NOT_VALID, 'aud is neither a string nor an array of strings, but an array with a number in it'])
  t.match(await aud('web'), [NOT_VALID, 'aud ["web"] names none of the audience ["api", "billing"]: add an audience mapper for "api" or "billing" in Keycloak, let the client ask for the scope that has it, or correct the option audience'])
  t.match(await aud(['web', 'a"b', 'c', 'd', 'e', 'f']), [NOT_VALID, 'aud ["web", one that cannot be shown, "c", "d", "e", …] names none of the audience'])
  t.match(await aud([]), [NOT_VALID, /^aud \[\] names none of the audience \["api", "billing"\]: add/])
  t.match(await aud('x'.repeat(5000)), [NOT_VALID, 'aud [one that cannot be shown] names none of the audience'])
})

t.test('a lightweight token without introspection is told as such, whatever it lacks', async (t) => {
  const LIGHT = /^the token is lightweight, without aud: set verifyTokensWithKeycloak: true, or switch "Always use lightweight access token" of its client off$/
  const strict = await telling(t)
  t.match(await strict.told(strict.realm.token({ kind: 'lightweight' })), [NOT_VALID, LIGHT])
  t.match(await strict.told(strict.realm.token({ kind: 'lightweight', claims: { jti: 'of an older Keycloak' } })), [NOT_VALID, LIGHT])
  const loose = await telling(t, { audience: null })
  t.match(await loose.told(loose.realm.token({ kind: 'lightweight' })), [NOT_VALID, /^the claim preferred_username, which identifies the user \(userIdClaim\), is missing: the token is lightweight: set verifyTokensWithKeycloak: true/])
  const bySid = await telling(t, { audience: null, userIdClaim: 'sid' })
  t.match(await bySid.told(bySid.realm.token({ kind: 'lightweight' }), '/profile'), [DENIED, /^permission view-profile is not among the roles at resource_access\.api\.roles: the token is lightweight, without roles: set/])
  const introspecting = await telling(t, { verifyTokensWithKeycloak: true })
  const token = introspecting.realm.token({ kind: 'lightweight' })
  introspecting.realm.update(token, { aud: undefined })
  t.match(await introspecting.told(token), [NOT_VALID, 'aud is missing in the token and in what introspection answers: add "api"'])
})

t.test('a user\'s id is text or a whole number; anything else says what it is', async (t) => {
  const { app, realm, told } = await telling(t, { userIdClaim: 'employee', claimMapping: {} })
  for (const [id, username] of [['4711', '4711'], [4711, '4711'], [0, '0'], [-1, '-1'], [2 ** 53 - 1, '9007199254740991'], [4711.0, '4711']] as const) {
    const { user } = (await app.inject({ url: '/me', headers: { authorization: `Bearer ${realm.token({ claims: { employee: id } })}` } })).json()
    t.same(user, { username }, String(id))
  }
  const CLAIM = 'the claim employee, which identifies the user \\(userIdClaim\\),'
  const kinds: Array<[unknown, string]> = [
    [2 ** 53, 'is a number with a fraction or beyond 2\\^53: have its mapper write a String'],
    [1.5, 'is a number with a fraction or beyond'],
    [true, 'is true, and neither text nor a whole number'],
    ['', 'is an empty string, and neither'],
    [['4711'], 'is an array, and neither'],
    [{ id: 5 }, 'is an object, and neither'],
    [null, 'is missing: give the client of the token a mapper for it$'],
    [undefined, 'is missing: give the client of the token a mapper for it$']
  ]
  for (const [employee, reason] of kinds) t.match(await told(realm.token({ claims: { employee } })), [NOT_VALID, new RegExp(`^${CLAIM} ${reason}`)], String(employee))
  t.match(await told(realm.token({ claims: { sub: 5 } })), [NOT_VALID, 'sub is a number, not a string'])
  const byName = await telling(t)
  for (const [name, kind] of [[5, 'a number'], ['', 'an empty string'], [['alice'], 'an array']] as const) {
    t.match(await byName.told(byName.realm.token({ claims: { preferred_username: name } })), [NOT_VALID, `the claim preferred_username, which identifies the user (userIdClaim), is ${kind}, not a string`])
  }
})

t.test('a claim that a client scope brings names the scope', async (t) => {
  const cases: Array<[KeycloakOptions['userIdClaim'], Record<string, undefined>, string]> = [
    ['preferred_username', { preferred_username: undefined }, 'the claim preferred_username, which identifies the user (userIdClaim), is missing: give the client of the token the client scope "profile", which brings it'],
    ['sub', { sub: undefined }, 'the client scope "basic", which brings it'],
    ['email', { email: undefined }, 'the client scope "email", which brings it'],
    ['address.locality', {}, 'the claim address.locality, which identifies the user (userIdClaim), is missing: give the client of the token the client scope "address"'],
    [['https://example.com/id', 'a.b'], {}, 'the claim ["https://example.com/id","a.b"], which identifies']
  ]
  for (const [userIdClaim, claims, reason] of cases) {
    const { realm, told } = await telling(t, { userIdClaim })
    t.match(await told(realm.token({ claims })), [NOT_VALID, reason])
  }
  const { realm, told } = await telling(t, { verifyTokensWithKeycloak: true })
  const token = realm.token()
  realm.update(token, { preferred_username: undefined })
  t.match(await told(token), [NOT_VALID, /client scope "profile", which brings it, and switch "Add to token introspection" of its mapper on$/])
})

t.test('a 403 names the rule, where the roles were looked for, and what is there instead', async (t) => {
  const { app, realm, told } = await telling(t)
  app.get('/any', { config: { permission: { any: ['admin', ['read', 'write']] } } }, async () => 'any')
  app.get('/function', { config: { permission: () => false } }, async () => 'function')
  app.get('/late', { config: { permission: async function isOwner () { return false } } }, async () => 'late')
  app.get('/mixed', { config: { permission: { any: ['admin', () => false] } } }, async () => 'mixed')
  app.get('/scope', { config: { scope: ['openid', 'write', 'pay'] } }, async () => 'scope')
  const AT = 'at resource_access.api.roles'
  const some = realm.token({ roles: ['read'] })
  t.same(await told(some, '/profile'), [DENIED, `permission view-profile is not among the roles ${AT}`])
  t.same(await told(some, '/any'), [DENIED, `permission any of (admin, all of (read, write)) is not fulfilled by the roles ${AT}`])
  t.same(await told(some, '/function'), [DENIED, 'permission a function is not fulfilled'])
  t.same(await told(some, '/late'), [DENIED, 'permission isOwner() is not fulfilled'])
  t.same(await told(some, '/mixed'), [DENIED, `permission any of (admin, a function) is not fulfilled by the roles ${AT}`])
  t.same(await told(some, '/scope'), [DENIED, 'scope write pay is missing in the claim scope of the token'])
  t.same(await told(realm.token({ claims: { scope: undefined } }), '/scope'), [DENIED, 'scope openid write pay is missing: the token has no claim scope'])
  t.same(await told(realm.token({ claims: { scope: ['openid', 'write', 'pay'] } }), '/scope'), [DENIED, 'scope openid write pay is missing: the claim scope is an array, not a string'])
  t.match(await told(realm.token(), '/profile'), [DENIED, `permission view-profile is not among the roles ${AT}: the token has no "api" in resource_access. Either the user has no such role, or the client of the token passes none on`])
  t.match(await told(realm.token({ claims: { resource_access: undefined } }), '/profile'), [DENIED, `${AT}: the token has no "resource_access". Either`])
  t.match(await told(realm.token({ claims: { resource_access: 'api' } }), '/profile'), [DENIED, `${AT}: the token has no "api" in resource_access. What is there is a string`])
  t.match(await told(realm.token({ claims: { resource_access: { api: { roles: 'view-profile' } } } }), '/profile'), [DENIED, `${AT}, which are a string there and not an array: switch Multivalued of the mapper on in Keycloak`])
})

t.test('a permissionPath that leads nowhere names the segment', async (t) => {
  for (const [permissionPath, reason] of [
    ['realm_acess.roles', 'the roles at realm_acess.roles: the token has no "realm_acess". Either'],
    ['realm_access.role', 'the roles at realm_access.role: the token has no "role" in realm_access. Either'],
    [['resource_access', 'a.b', 'roles'], 'the roles at ["resource_access","a.b","roles"]: the token has no "a.b" in resource_access'],
    ['scope.roles', 'the token has no "roles" in scope. What is there is a string'],
    [() => 'admin', /the roles that the function permissionPath finds$/]
  ] as const) {
    const { realm, told } = await telling(t, { permissionPath: permissionPath as never })
    t.match(await told(realm.token({ roles: ['view-profile'] }), '/profile'), [DENIED, reason], String(permissionPath))
  }
})

t.test('a date that is ahead says by how much', async (t) => {
  const { realm, told } = await telling(t)
  t.match(await told(realm.token({ age: -30 })), [NOT_VALID, /^iat is in the future, by (2\d|30) s: set this machine's clock and Keycloak's by NTP, or raise leeway$/])
  t.match(await told(realm.token({ claims: { nbf: Date.now() / 1000 + 30 } })), [NOT_VALID, /^nbf is in the future, by (2\d|30) s$/])
  t.match(await told(realm.token({ claims: { iat: undefined } })), [NOT_VALID, 'iat is missing'])
  t.match(await told(realm.token({ claims: { exp: undefined } })), [NOT_VALID, 'exp is missing'])
})

t.test('where signatures are not checked nothing of a token is shown', async (t) => {
  const { realm, told, text } = await telling(t, { verifySignature: false })
  for (const claims of [{ aud: 'SECRET' }, { iss: 'SECRET' }, { typ: 'SECRET' }, { aud: ['SECRET'] }]) await told(realm.token({ claims }))
  t.notMatch(text(), /SECRET/)
})

t.test('nobody who cannot sign gets a word of theirs into the log', async (t) => {
  const { realm, told, text } = await telling(t)
  const SECRET = 'SECRET-TEXT'
  for (const claims of [{ iss: SECRET }, { aud: SECRET, iss: realm.issuer }, { typ: SECRET, iss: realm.issuer }, { iss: realm.issuer, preferred_username: SECRET }]) {
    for (const header of [{ alg: 'RS256', kid: SECRET }, { alg: SECRET }, { alg: 'HS256', typ: SECRET }, { alg: 'RS256', crit: [SECRET] }, { alg: 'RS256', typ: SECRET }]) {
      t.match(await told(unsigned(header, claims)), [NOT_VALID])
    }
    t.match(await told(realm.token({ forged: true, claims })), [NOT_VALID, 'the signature does not verify'])
  }
  t.notMatch(text(), SECRET)
})

t.test('the reasons are for the log alone, and are made only for one that is read', async (t) => {
  const realm = await realmFor(t)
  const lines: unknown[] = []
  const quiet = (debug: (...line: unknown[]) => void) => {
    const nothing = (): void => {}
    const logger = { info: nothing, warn: nothing, error: nothing, fatal: nothing, trace: nothing, silent: nothing, debug, level: 'debug', child: () => logger }
    return logger
  }
  const app = await apiFor(t, realm, {}, { loggerInstance: quiet((...line) => { lines.push(line) }) as never })
  t.equal(await ask(app, '/me', realm.token({ kind: 'id' })), NOT_VALID)
  t.match(lines.at(-1), [{ code: 'token_not_valid', reason: /ID token/ }, /^request refused: the token is an ID token/], 'a logger that does not tell its level')
  const { body } = await app.inject({ url: '/me', headers: { authorization: `Bearer ${realm.token({ kind: 'id' })}` } })
  t.notMatch(body, /ID token/)
  await t.rejects(app.keycloak.verify(realm.token({ kind: 'id' })), { code: 'token_not_valid', reason: /^the token is an ID token/ })
})
