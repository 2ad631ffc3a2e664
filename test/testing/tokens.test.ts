import { createPublicKey } from 'node:crypto'
import { createLocalJWKSet, createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import t, { type Test } from 'tap'
import { createTestRealm, type TestRealm, type TestRealmOptions, type TokenKind, type TokenSpec } from '../../lib/testing/index.js'
import type { Algorithm } from '../../types/options.js'

const ALGORITHMS: Algorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

async function realmFor (t: Test, options?: TestRealmOptions): Promise<TestRealm> {
  const realm = await createTestRealm(options)
  t.teardown(() => realm.close())
  return realm
}

async function keySet (realm: TestRealm): Promise<JSONWebKeySet> {
  const response = await fetch(`${realm.issuer}/protocol/openid-connect/certs`)
  return await response.json() as JSONWebKeySet
}

/** What an API does that has just fetched the key set. */
async function verify (realm: TestRealm, token: string) {
  return jwtVerify(token, createLocalJWKSet(await keySet(realm)), { issuer: realm.issuer, audience: 'api' })
}

t.test('the key set holds one signing key and one for encryption, public halves alone', async t => {
  const realm = await realmFor(t)
  const response = await fetch(`${realm.issuer}/protocol/openid-connect/certs`)
  t.equal(response.headers.get('cache-control'), 'no-cache')
  t.match(response.headers.get('content-type'), 'application/json')
  const { keys } = await response.json() as JSONWebKeySet
  t.match(keys, [{ kty: 'RSA', alg: 'RS256', use: 'sig' }, { kty: 'RSA', alg: 'RSA-OAEP', use: 'enc' }])
  for (const key of keys) t.same(Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
})

t.test('a token of every algorithm verifies by the served key set', async t => {
  const realm = await realmFor(t, { algorithms: ALGORITHMS })
  const remote = createRemoteJWKSet(new URL(`${realm.issuer}/protocol/openid-connect/certs`))
  for (const alg of ALGORITHMS) {
    const token = realm.token({ alg })
    const { protectedHeader } = await jwtVerify(token, remote, { algorithms: [alg], issuer: realm.issuer, audience: 'api' })
    t.match(protectedHeader, { alg, typ: 'JWT', kid: /^[\w-]{43}$/ })
  }
  const kids = (await keySet(realm)).keys.map(key => key.kid)
  t.equal(new Set(kids).size, ALGORITHMS.length + 1, 'each key has its own kid')
})

t.test('an algorithm that the realm does not publish is refused in one sentence', async t => {
  const realm = await realmFor(t, { algorithms: ['RS256', 'ES256'] })
  t.throws(() => realm.token({ alg: 'PS256' }), {
    message: 'The test realm has no PS256 key but RS256, ES256: list it in the algorithms of createTestRealm().'
  })
})

t.test('a realm may publish no signing key at all', async t => {
  const realm = await realmFor(t, { algorithms: [] })
  t.match((await keySet(realm)).keys.map(key => key.use), ['enc'])
  t.throws(() => realm.token(), {
    message: 'The test realm has no RS256 key but none at all: list it in the algorithms of createTestRealm().'
  })
})

t.test('tokens are signed by the first of the algorithms, unless they say otherwise', async t => {
  const realm = await realmFor(t, { algorithms: ['ES384', 'RS256'] })
  t.equal(decodeProtectedHeader(realm.token()).alg, 'ES384')
  t.equal(decodeProtectedHeader(realm.sign({})).alg, 'ES384')
  t.equal(decodeProtectedHeader(realm.token({ alg: 'RS256' })).alg, 'RS256')
})

t.test('the default token is an access token of alice as Keycloak makes it', async t => {
  const realm = await realmFor(t)
  const token = realm.token()
  t.same(Object.keys(decodeProtectedHeader(token)), ['alg', 'typ', 'kid'])
  const { payload } = await verify(realm, token)
  t.same(Object.keys(payload), [
    'exp', 'iat', 'jti', 'iss', 'aud', 'sub', 'typ', 'azp', 'sid', 'acr', 'realm_access', 'resource_access', 'scope',
    'email_verified', 'name', 'preferred_username', 'given_name', 'family_name', 'email'
  ])
  t.match(payload, {
    jti: /^onrtro:[0-9a-f-]{36}$/,
    iss: realm.issuer,
    aud: ['api', 'account'],
    sub: UUID,
    typ: 'Bearer',
    azp: 'web',
    sid: /^[\w-]{24}$/,
    scope: 'openid email profile',
    name: 'Alice Example',
    preferred_username: 'alice',
    email: 'alice@example.com'
  })
  t.same(payload.realm_access, { roles: ['default-roles-test', 'offline_access', 'uma_authorization'] })
  t.same(Object.keys(payload.resource_access as object), ['account'])
  t.equal(payload.exp! - payload.iat!, 300)
})

t.test('the jti of a token says whether its session is an offline one', async t => {
  const realm = await realmFor(t)
  const jti = (spec: TokenSpec) => decodeJwt(realm.token(spec)).jti
  t.match(jti({ scope: 'openid offline_access' }), /^ofrtro:/)
  t.match(jti({ scope: 'openid offline_access', kind: 'lightweight' }), /^ofltro:/)
  t.match(jti({ scope: 'openid not_offline_access' }), /^onrtro:/)
  t.notMatch(jti({ scope: 'openid offline_access', kind: 'id' }), ':')
})

t.test('a username stands for one user and one session; every token has its own jti', async t => {
  const realm = await realmFor(t)
  const [one, two, bob] = [{}, {}, { username: 'bob' }].map(spec => decodeJwt(realm.token(spec)))
  t.equal(one.sub, two.sub)
  t.equal(one.sid, two.sid)
  t.not(one.jti, two.jti)
  t.not(one.sub, bob.sub)
  t.not(one.sid, bob.sid)
  t.match(bob, { sub: UUID, preferred_username: 'bob', given_name: 'Bob', email: 'bob@example.com' })
})

t.test('roles, scope and user are what the test asks for', async t => {
  const realm = await realmFor(t, { clientId: 'orders' })
  const claims = decodeJwt(realm.token({
    username: 'carol', sub: 'c-1', roles: ['view', 'edit'], realmRoles: ['admin'], scope: 'openid write'
  }))
  t.match(claims, { sub: 'c-1', preferred_username: 'carol', scope: 'openid write', aud: ['orders', 'account'] })
  t.same((claims.resource_access as Record<string, unknown>).orders, { roles: ['view', 'edit'] })
  t.same(claims.realm_access, { roles: ['admin'] })
  t.notOk('realm_access' in decodeJwt(realm.token({ realmRoles: [] })))
})

t.test('claims and header are merged over, and undefined removes', async t => {
  const realm = await realmFor(t)
  const token = realm.token({ claims: { tenant: 'acme', aud: 'other', sub: undefined }, header: { typ: undefined, crit: ['x'] } })
  const claims = decodeJwt(token)
  t.match(claims, { tenant: 'acme', aud: 'other' })
  t.notOk('sub' in claims)
  t.same(Object.keys(decodeProtectedHeader(token)), ['alg', 'kid', 'crit'])
})

t.test('an expired token is properly signed, and issued before it expired', async t => {
  const realm = await realmFor(t, { tokenLifespan: 60 })
  const token = realm.token({ expired: true })
  await t.rejects(verify(realm, token), { code: 'ERR_JWT_EXPIRED' })
  const { exp, iat } = decodeJwt(token)
  t.equal(exp! - iat!, 60)
})

t.test('expiresIn says when, in seconds', async t => {
  const realm = await realmFor(t)
  const { exp, iat } = decodeJwt(realm.token({ expiresIn: 7 }))
  t.equal(exp! - iat!, 7)
  await t.rejects(verify(realm, realm.token({ expiresIn: -10 })), { code: 'ERR_JWT_EXPIRED' })
})

t.test('a forged token claims the kid of the realm and fails', async t => {
  const realm = await realmFor(t, { algorithms: ALGORITHMS })
  for (const alg of ALGORITHMS) {
    const forged = realm.token({ alg, forged: true })
    t.same(decodeProtectedHeader(forged), decodeProtectedHeader(realm.token({ alg })))
    await t.rejects(verify(realm, forged), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' }, alg)
  }
})

t.test('kid names another key, or none', async t => {
  const realm = await realmFor(t)
  const unknown = realm.token({ kid: 'nobody' })
  t.equal(decodeProtectedHeader(unknown).kid, 'nobody')
  await t.rejects(verify(realm, unknown), { code: 'ERR_JWKS_NO_MATCHING_KEY' })
  const without = realm.token({ kid: null })
  t.notOk('kid' in decodeProtectedHeader(without))
  await t.resolves(verify(realm, without), 'the one signing key is found without it')
})

t.test('each kind of token looks like Keycloak\'s', async t => {
  const realm = await realmFor(t)
  const { issuer } = realm
  const kinds: Record<TokenKind, [header: string, lifespan: number, claims: Record<string, unknown>]> = {
    access: ['JWT', 300, { typ: 'Bearer', aud: ['api', 'account'] }],
    'at+jwt': ['at+jwt', 300, { typ: 'Bearer', aud: ['api', 'account'], preferred_username: 'alice' }],
    lightweight: ['JWT', 300, { typ: 'Bearer', jti: /^onltro:/, azp: 'web', scope: 'openid email profile' }],
    dpop: ['JWT', 300, { typ: 'DPoP', cnf: { jkt: /^[\w-]{43}$/, 'kc-jkt-type': 'DPoP' } }],
    id: ['JWT', 300, { typ: 'ID', aud: 'web', preferred_username: 'alice' }],
    refresh: ['JWT', 1800, { typ: 'Refresh', aud: issuer, scope: 'openid email profile' }],
    offline: ['JWT', 1800, { typ: 'Offline', aud: issuer, scope: 'openid email profile' }],
    logout: ['logout+jwt', 120, {
      typ: 'Logout', aud: 'web', sub: UUID, events: { 'http://schemas.openid.net/event/backchannel-logout': {} }
    }]
  }
  const local = createLocalJWKSet(await keySet(realm))
  for (const kind of Object.keys(kinds) as TokenKind[]) {
    const [typ, lifespan, claims] = kinds[kind]
    const { payload, protectedHeader } = await jwtVerify(realm.token({ kind }), local, { issuer, typ })
    t.match(payload, { ...claims, sid: decodeJwt(realm.token()).sid }, kind)
    t.equal(payload.exp! - payload.iat!, lifespan, kind)
    t.equal(protectedHeader.typ, typ, kind)
  }
  t.notOk('resource_access' in decodeJwt(realm.token({ kind: 'id' })))
})

t.test('a lightweight token says no more than it must', async t => {
  const realm = await realmFor(t)
  const members = ['exp', 'iat', 'jti', 'iss', 'typ', 'azp', 'sid', 'scope']
  t.same(Object.keys(decodeJwt(realm.token({ kind: 'lightweight', roles: ['view'] }))), members)
  t.same(Object.keys(decodeJwt(realm.token({ kind: 'lightweight', claims: { tenant: 'acme' } }))), [...members, 'tenant'])
})

t.test('a kind that there is not is refused in one sentence', async t => {
  const realm = await realmFor(t)
  t.throws(() => realm.token({ kind: 'refesh' } as unknown as TokenSpec), {
    name: 'TypeError',
    message: 'TestRealm.token(): kind is "refesh", which is none of access, at+jwt, lightweight, dpop, id, refresh, offline, logout.'
  })
})

t.test('after a rotation new tokens have a new kid, and old ones still verify', async t => {
  const realm = await realmFor(t, { algorithms: ['RS256', 'ES256', 'EdDSA'] })
  const old = realm.token()
  const kids = new Set<string | undefined>([decodeProtectedHeader(old).kid])
  for (const rotation of [1, 2, 3]) {
    realm.rotateKeys()
    for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) await t.resolves(verify(realm, realm.token({ alg })))
    kids.add(decodeProtectedHeader(realm.token()).kid)
    t.equal(kids.size, rotation + 1)
    await t.resolves(verify(realm, old))
  }
  t.equal((await keySet(realm)).keys.length, 4 * 3 + 1)
})

t.test('a rotation that removes the old keys ends the old tokens', async t => {
  const realm = await realmFor(t)
  const old = [realm.token()]
  realm.rotateKeys()
  old.push(realm.token())
  realm.rotateKeys({ removeOld: true })
  for (const token of old) await t.rejects(verify(realm, token), { code: 'ERR_JWKS_NO_MATCHING_KEY' })
  await t.resolves(verify(realm, realm.token()))
  t.equal((await keySet(realm)).keys.length, 2)
})

t.test('the realm signs any payload under any header', async t => {
  const realm = await realmFor(t, { algorithms: ['RS256', 'ES256'] })
  const { iss, exp } = { iss: realm.issuer, exp: Math.floor(Date.now() / 1000) + 60 }
  const { payload, protectedHeader } = await verify(realm, realm.sign({ iss, exp, aud: 'api' }, { alg: 'ES256', typ: 'x' }))
  t.same(payload, { iss, exp, aud: 'api' })
  t.match(protectedHeader, { alg: 'ES256', typ: 'x' })
  t.match(decodeProtectedHeader(realm.sign({})), { alg: 'RS256', typ: 'JWT', kid: String })
  t.notOk('alg' in decodeProtectedHeader(realm.sign({}, { alg: undefined })))
  const payloadOf = (token: string) => Buffer.from(token.split('.')[1], 'base64url').toString()
  t.equal(payloadOf(realm.sign([1])), '[1]')
  t.equal(payloadOf(realm.sign(Buffer.from('{"exp":1,"exp":2}'))), '{"exp":1,"exp":2}', 'bytes are taken as they are')
})

t.test('the attacks that an API must withstand are at hand', async t => {
  const realm = await realmFor(t)
  const unsigned = realm.token({ header: { alg: 'none' } })
  t.match(unsigned, /\.$/)
  await t.rejects(verify(realm, unsigned))

  const { keys } = await keySet(realm)
  const pem = createPublicKey({ key: keys[0], format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  for (const alg of ['HS256', 'HS384', 'HS512']) {
    const confusing = realm.sign({ sub: 'me' }, { alg })
    await t.resolves(jwtVerify(confusing, Buffer.from(pem)), 'fools who takes the public key for a secret')
    await t.rejects(verify(realm, confusing))
  }

  await t.rejects(verify(realm, realm.token({ kid: keys[1].kid })), { code: 'ERR_JWKS_NO_MATCHING_KEY' }, 'a key for encryption')
})
