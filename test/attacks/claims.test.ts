// RFC 7519 section 2 and 4.1, RFC 8725 section 3.8 to 3.11: claims of the wrong type, size or kind, well signed by the realm.
import t from 'tap'
import { apiFor, ask, bearer, realmFor } from '../support/app.js'
import { by, type Case, check, compact, type Json, NOT_VALID, parts } from '../support/vectors.js'

const EXPIRED = '401 token_expired'
const DENIED = '403 permission_denied'
const now = () => Math.floor(Date.now() / 1000)

t.test('a date is a JSON number, however it is spelled, and nothing that turns into one', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { header, claims } = parts(realm)
  const written = (claim: string, json: string) => compact(header, JSON.stringify({ ...claims, [claim]: '@' }).replace('"@"', json), by('RS256'))
  const soon = now() + 60
  const wrong = [
    `"${soon}"`, `"${soon}.0"`, '"1e10"', '"0x7fffffff"', '""', '" "', '"Infinity"', '"NaN"', '"now"', '"2999-12-31T23:59:59Z"', '"Thu, 01 Jan 2999 00:00:00 GMT"',
    'null', 'true', 'false', '[]', `[${soon}]`, `[[${soon}]]`, '{}', `{"$date":${soon}}`, `{"valueOf":${soon}}`, '1e309', '1e999', '-1e999'
  ]
  const cases = ['exp', 'iat', 'nbf'].flatMap((claim) => wrong.map((json): Case => [`${claim} ${json}`, written(claim, json)]))
  cases.push(
    ['exp without fraction', written('exp', `${soon}.0`), '200'], ['exp with an exponent', written('exp', `${soon / 1e3}E+3`), '200'],
    ['exp at the end of all numbers', written('exp', '1.7e308'), '200'],
    ['exp beyond whole numbers', written('exp', '9007199254740993'), '200'], ['exp in milliseconds', written('exp', `${soon * 1000}`), '200'],
    ['exp beyond any Date', written('exp', '8.64e15'), '200'],
    ['exp 0', written('exp', '0'), EXPIRED], ['exp -0', written('exp', '-0'), EXPIRED], ['exp -1', written('exp', '-1'), EXPIRED],
    ['exp tiny', written('exp', '5e-324'), EXPIRED], ['exp hugely negative', written('exp', '-1e308'), EXPIRED],
    ['exp 2038 in 32 bits', written('exp', '-2147483648'), EXPIRED], ['iat in milliseconds', written('iat', `${soon * 1000}`)],
    ['iat hugely negative', written('iat', '-1e308'), '200'],
    ['nbf in milliseconds', written('nbf', `${soon * 1000}`)], ['nbf with a fraction, just ahead', written('nbf', `${now() + 30}.5`)],
    ['nbf hugely negative', written('nbf', '-1e308'), '200']
  )
  await check(t, app, cases)
})

t.test('leeway stretches a date by so much and no more, whatever the date', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { leeway: 86_400 })
  const cases: Array<[Json, string]> = [
    [{ exp: now() - 86_000 }, '200'], [{ exp: now() - 86_500 }, EXPIRED], [{ exp: -1e308 }, EXPIRED], [{ exp: 1.7e308 }, '200'], [{ iat: now() + 86_500 }, NOT_VALID],
    [{ nbf: 1.7e308 }, NOT_VALID]
  ]
  for (const [claims, answer] of cases) await check(t, app, [[JSON.stringify(claims), realm.token({ claims }), answer]])
})

t.test('where one string belongs, a list, an object or a look-alike is refused', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { issuer } = realm
  const wrong: Record<string, unknown[]> = {
    // Of the list one member is right (CVE-2025-30144).
    iss: [[issuer], [issuer, 'https://evil.example'], ['https://evil.example', issuer], { iss: issuer }, { toString: issuer }, `${issuer}/`, `${issuer}\0`, ` ${issuer}`, `${issuer} `, `${issuer}#`, `${issuer}?`,
      issuer.replace('http:', 'HTTP:'), issuer.replace('127.0.0.1', 'localhost'), issuer.replace('127.0.0.1', '127.1'), issuer.replace('realms', 'Realms'), issuer.replace('realms', 'r\u0435alms'), `${issuer}\u200b`,
      issuer.replace('/realms', '//realms'), issuer.replace('/realms', '/x/../realms'), issuer.replace('test', '%74est'), `${issuer}/protocol`, issuer.slice(0, -1), '', '*', null, true, 1, undefined],
    aud: [[], {}, { 0: 'api', length: 1 }, [['api']], [{ aud: 'api' }], ['api', null], ['api', 1], ['api', ['x']], 'API', 'api ', 'api,other', 'api other', 'ap\u0456', 'api\0', '', '*', 'undefined', null, true, 1, undefined],
    typ: ['bearer', 'BEARER', ['Bearer'], 'Bearer ', 'ID', 'Refresh', 'Offline', 'Logout', 'DPoP', 'JWT', '', null, {}, true, 0],
    sub: [1, null, ['x'], {}, true, false],
    jti: [1, null, ['x'], {}, true, false],
    preferred_username: ['', null, 0, 1, true, ['alice'], { toString: 'alice' }, undefined],
    cnf: [{ jkt: 'x' }, { 'x5t#S256': 'x' }, { jwk: {} }, {}, null, '', false, []]
  }
  const cases = Object.entries(wrong).flatMap(([claim, values]) => values.map((value): Case => [`${claim} ${JSON.stringify(value)?.slice(0, 60)}`, realm.token({ claims: { [claim]: value } })]))
  await check(t, app, [...cases, ['control: aud a list', realm.token({ claims: { aud: ['x', 'api'] } }), '200'], ['control: a user name of anything', realm.token({ claims: { preferred_username: '\u202e\0 __proto__' } }), '200']])
})

t.test('a role is held by a list of strings at its path, and by nothing that resembles it', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const role = 'view-profile'
  const roles: unknown[] = [
    role, { [role]: true }, { 0: role, length: 1 }, [[role]], [{ name: role }], [{ toString: role }], [`${role} `], [`${role}\0`], [role.toUpperCase()], ['view\u2010profile'], ['view_profile'],
    ['view-pr\u043efile'], [`${role},admin`], [`${role}\u200b`], ['*'], [''], [null], [true], [1], [], null, true, 1, 'view-profile-admin', ['view'], ['profile']
  ]
  for (const each of roles) t.equal(await ask(app, '/profile', realm.token({ claims: { resource_access: { api: { roles: each } } } })), DENIED, JSON.stringify(each))
  const elsewhere: Json[] = [
    { roles: [role] }, { realm_access: { roles: [role] } }, { resource_access: { roles: [role] } }, { resource_access: { API: { roles: [role] } } },
    { resource_access: { 'api ': { roles: [role] } } },
    { resource_access: { api: { Roles: [role] } } }, { resource_access: { api: [role] } }, { resource_access: [{ api: { roles: [role] } }] },
    { resource_access: { account: { roles: [role] } } },
    { 'resource_access.api.roles': [role] }, { resource_access: { 'api.roles': [role] } }, { permission: role, permissions: [role], scope: role, groups: [role] },
    { claims: { resource_access: { api: { roles: [role] } } } }
  ]
  for (const claims of elsewhere) t.equal(await ask(app, '/profile', realm.token({ claims })), DENIED, JSON.stringify(claims))
  t.equal(await ask(app, '/profile', realm.token({ claims: { resource_access: { api: { roles: [null, role] } } } })), '200', 'control')
})

t.test('what every object has is no role, no claim and no permission', async (t) => {
  const realm = await realmFor(t)
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', 'length', 'name', '0']
  const app = await apiFor(t, realm)
  for (const permission of names) app.get(`/role/${permission}`, { config: { permission } }, async () => 'ok')
  app.get('/has', async (request) => names.map((name) => request.hasPermission(name)))
  for (const name of names) {
    t.equal(await ask(app, `/role/${name}`, realm.token({ roles: ['x'] })), DENIED, name)
    t.equal(await ask(app, `/role/${name}`, realm.token({ roles: [name] })), '200', `${name}, when it is in the list`)
  }
  t.same((await app.inject({ url: '/has', headers: bearer(realm.token({ roles: ['x'] })) })).json(), names.map(() => false))
  for (const permissionPath of [['__proto__', 'roles'], ['constructor', 'name'], ['resource_access', '__proto__', 'roles'], ['resource_access', 'constructor']]) {
    t.equal(await ask(await apiFor(t, realm, { permissionPath }), '/profile', realm.token({ roles: ['view-profile'] })), DENIED, permissionPath.join('.'))
  }
})

t.test('claims named __proto__ change nothing but themselves', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { header, claims } = parts(realm)
  const access = '{"api":{"roles":["view-profile"]}}'
  const text = JSON.stringify(claims)
  const signed = (payload: string) => compact(header, payload, by('RS256'))
  for (const payload of [
    text.replace('{', `{"__proto__":{"resource_access":${access}},`), text.replace('"resource_access":{', `"resource_access":{"__proto__":${access},`),
    text.replace('"resource_access":{', '"resource_access":{"api":{"__proto__":{"roles":["view-profile"]}},'), text.replace('{', `{"constructor":{"prototype":{"resource_access":${access}}},`)
  ]) t.equal(await ask(app, '/profile', signed(payload)), DENIED, payload.slice(0, 60))
  const without = (...names: string[]) => JSON.stringify({ ...claims, ...Object.fromEntries(names.map((name) => [name, undefined])) })
  for (const name of ['exp', 'iat', 'iss', 'aud', 'preferred_username']) {
    await check(t, app, [[`${name} in __proto__`, signed(without(name).replace('{', `{"__proto__":{"${name}":${JSON.stringify(claims[name])}},`))]])
  }
  const { auth, user } = (await app.inject({ url: '/me', headers: bearer(signed(text.replace('{', '{"__proto__":{"isAdmin":true},'))) })).json()
  t.equal(user.username, 'alice')
  t.equal(auth.isAdmin, undefined)
  t.notOk('isAdmin' in {} || 'roles' in {}, 'and no prototype was touched')
})

t.test('a token for something else is refused, though the realm signed it for the same user', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const audience = { aud: ['api', 'account'] }
  for (const kind of ['id', 'refresh', 'offline', 'logout', 'dpop', 'lightweight'] as const) {
    await check(t, app, [[kind, realm.token({ kind })], [`${kind}, our audience`, realm.token({ kind, claims: audience }), kind === 'lightweight' ? NOT_VALID : undefined]])
  }
})
