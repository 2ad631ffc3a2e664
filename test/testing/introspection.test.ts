import { decodeJwt } from 'jose'
import t, { type Test } from 'tap'
import { createTestRealm, type TestRealm, type TestRealmOptions } from '../../lib/testing/index.js'

async function realmFor (t: Test, options?: TestRealmOptions): Promise<TestRealm> {
  const realm = await createTestRealm(options)
  t.teardown(() => realm.close())
  return realm
}

function ask (realm: TestRealm, form: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
  const body = new URLSearchParams(form)
  return fetch(`${realm.issuer}/protocol/openid-connect/token/introspect`, { method: 'POST', headers, body })
}

async function introspect (realm: TestRealm, token: string): Promise<Record<string, unknown>> {
  const { clientId, clientSecret } = realm.options
  const response = await ask(realm, { client_id: clientId, client_secret: clientSecret, token })
  t.equal(response.status, 200)
  return await response.json() as Record<string, unknown>
}

const basic = (credentials: string) => ({ authorization: `Basic ${Buffer.from(credentials).toString('base64')}` })

t.test('an active token is answered by its claims and what Keycloak adds', async t => {
  const realm = await realmFor(t)
  const token = realm.token({ roles: ['view'] })
  t.same(await introspect(realm, token), {
    ...decodeJwt(token), active: true, client_id: 'web', username: 'alice', token_type: 'Bearer'
  })
})

t.test('the caller says who it is in the form or by HTTP Basic', async t => {
  const realm = await realmFor(t, { clientSecret: 'p%+ss: word' })
  const token = realm.token()
  const encoded = 'api:p%25%2Bss%3A+word'
  for (const response of [
    await ask(realm, { token, client_id: 'api', client_secret: 'p%+ss: word' }),
    await ask(realm, { token }, basic(encoded)),
    await ask(realm, { token, client_id: 'api' }, basic(encoded))
  ]) {
    t.equal(response.status, 200)
    t.match(await response.json(), { active: true })
  }
})

t.test('a caller with the wrong credentials, or none, is 401', async t => {
  const realm = await realmFor(t)
  const token = realm.token()
  for (const response of [
    await ask(realm, { token }),
    await ask(realm, { token, client_id: 'api' }),
    await ask(realm, { token, client_id: 'api', client_secret: 'wrong' }),
    await ask(realm, { token, client_id: 'web', client_secret: 'test-secret' }),
    await ask(realm, { token }, basic('api:wrong')),
    await ask(realm, { token }, basic('api:%')),
    await ask(realm, { token }, basic('api')),
    await ask(realm, { token }, { authorization: `Bearer ${token}` })
  ]) {
    t.equal(response.status, 401)
    t.match(await response.json(), { error: 'invalid_client' })
  }
})

t.test('a request without a token is 405, one that is no form 415, one that is too long 413, one by GET 405', async t => {
  const realm = await realmFor(t)
  const url = `${realm.issuer}/protocol/openid-connect/token/introspect`
  const credentials = { client_id: 'api', client_secret: 'test-secret' }
  for (const form of [credentials, { ...credentials, token: '' }]) {
    const response = await ask(realm, form)
    t.equal(response.status, 405)
    t.match(await response.json(), { error: 'invalid_request' })
  }
  const json = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }
  t.equal((await fetch(url, json)).status, 415)
  t.equal((await fetch(url, { method: 'POST' })).status, 415)
  t.equal((await ask(realm, { ...credentials, token: 'x'.repeat(1024 * 1024) })).status, 413)
  t.equal((await fetch(url)).status, 405)
})

t.test('what is no token of this realm is inactive', async t => {
  const realm = await realmFor(t)
  const other = await realmFor(t)
  const [header, payload] = realm.token().split('.')
  const tokens = {
    garbage: 'garbage',
    'three words': 'a.b.c',
    'a token and more': `${realm.token()}.x`,
    'no header': `${Buffer.from('null').toString('base64url')}.${payload}.x`,
    'no claims': `${header}.${Buffer.from('[]').toString('base64url')}.x`,
    'another signature': `${header}.${payload}.${realm.token().split('.')[2]}`,
    'a broken signature': `${header}.${payload}.x`,
    forged: realm.token({ forged: true }),
    'an unknown kid': realm.token({ kid: 'nobody' }),
    'no kid': realm.token({ kid: null }),
    'no signature': realm.token({ header: { alg: 'none' } }),
    'another realm': other.token()
  }
  for (const [name, token] of Object.entries(tokens)) t.same(await introspect(realm, token), { active: false }, name)
})

t.test('a token that has expired, is not valid yet, or is for someone else is inactive', async t => {
  const realm = await realmFor(t)
  const soon = Math.floor(Date.now() / 1000) + 3600
  for (const token of [
    realm.token({ expired: true }),
    realm.token({ claims: { nbf: soon } }),
    realm.token({ claims: { aud: 'account' } }),
    realm.token({ claims: { aud: ['web', 'account'] } }),
    realm.token({ claims: { aud: undefined } }),
    realm.token({ kind: 'id' }),
    realm.token({ kind: 'refresh' })
  ]) t.same(await introspect(realm, token), { active: false })
  t.match(await introspect(realm, realm.token({ claims: { aud: 'api', nbf: 0, exp: undefined } })), { active: true })
})

t.test('a revoked token is inactive, others of the user are not', async t => {
  const realm = await realmFor(t)
  const [one, two] = [realm.token(), realm.token()]
  realm.revoke(one)
  t.same(await introspect(realm, one), { active: false })
  t.match(await introspect(realm, two), { active: true })
})

t.test('tokens of a retired key are active until the key is removed', async t => {
  const realm = await realmFor(t)
  const token = realm.token()
  realm.rotateKeys()
  t.match(await introspect(realm, token), { active: true })
  realm.rotateKeys({ removeOld: true })
  t.same(await introspect(realm, token), { active: false })
  t.match(await introspect(realm, realm.token()), { active: true })
})

t.test('introspection gives back what a lightweight token leaves out', async t => {
  const realm = await realmFor(t)
  const token = realm.token({ kind: 'lightweight', username: 'bob', roles: ['view'] })
  const { sub, preferred_username: username } = decodeJwt(realm.token({ username: 'bob' }))
  t.match(await introspect(realm, token), {
    ...decodeJwt(token),
    active: true,
    sub,
    aud: ['api', 'account'],
    resource_access: { api: { roles: ['view'] } },
    preferred_username: username,
    username
  })
})

t.test('the type of a sender-constrained token is DPoP', async t => {
  const realm = await realmFor(t)
  const answer = await introspect(realm, realm.token({ kind: 'dpop' }))
  t.match(answer, { active: true, token_type: 'DPoP', cnf: { jkt: String } })
})

t.test('a role granted or withdrawn since shows in later answers', async t => {
  const realm = await realmFor(t)
  const token = realm.token()
  realm.update(token, { resource_access: { api: { roles: ['edit'] } } })
  realm.update(token, { preferred_username: 'alicia' })
  t.match(await introspect(realm, token), {
    resource_access: { api: { roles: ['edit'] } }, preferred_username: 'alicia', username: 'alicia'
  })
  realm.update(token, { resource_access: undefined })
  const answer = await introspect(realm, token)
  t.notOk('resource_access' in answer)
  t.equal(answer.active, true)
})

t.test('an update may make an answer that Keycloak would never give', async t => {
  const realm = await realmFor(t)
  const token = realm.token()
  realm.update(token, { active: 'yes', iss: 'https://elsewhere.example', jti: undefined })
  const answer = await introspect(realm, token)
  t.match(answer, { active: 'yes', iss: 'https://elsewhere.example' })
  t.notOk('jti' in answer)
})
