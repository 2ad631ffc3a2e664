// A login whose tokens are bound to the client's key (RFC 9449 section 5), and one that is stronger (RFC 9470).
import { generateKeyPairSync } from 'node:crypto'
import { decodeJwt } from 'jose'
import t from 'tap'
import type { DpopClient, TestRealm } from '../../lib/testing/index.js'
import { ask, apiFor } from '../support/app.js'
import { authorizationUrl, codeOf, endpoint, ledTo, logIn, ORIGIN, post, realmWithLogin, REDIRECT, tokensOf, VERIFIER } from '../support/login.js'

/** A request to the token endpoint, with a proof. */
async function withProof (realm: TestRealm, form: Record<string, string>, proof: string): Promise<{ status: number, body: Record<string, string> }> {
  const response = await fetch(endpoint(realm, 'token'), { method: 'POST', headers: { dpop: proof }, body: new URLSearchParams({ client_id: 'web', ...form }) })
  return { status: response.status, body: await response.json() as Record<string, string> }
}

async function exchanged (realm: TestRealm, client: DpopClient, changes = {}) {
  const proof = await client.proof({ method: 'POST', url: endpoint(realm, 'token'), ...changes })
  return withProof(realm, { grant_type: 'authorization_code', code: await codeOf(realm), redirect_uri: REDIRECT, code_verifier: VERIFIER }, proof)
}

t.test('a proof at the token endpoint binds the tokens to its key', async (t) => {
  const realm = await realmWithLogin(t)
  const client = realm.dpop()
  const { status, body } = await exchanged(realm, client)
  t.equal(status, 200)
  t.equal(body.token_type, 'DPoP')
  t.match(decodeJwt(body.access_token!), { typ: 'DPoP', cnf: { jkt: client.jkt, 'kc-jkt-type': 'DPoP' } })
  t.equal(decodeJwt(body.id_token!).cnf, undefined)
  t.match(decodeJwt(body.refresh_token!), { typ: 'Refresh', cnf: { jkt: client.jkt } })
  t.equal(await ask(await apiFor(t, realm), '/profile', body.access_token), '401 token_not_valid')

  const { clientId, clientSecret } = realm.options
  const answer = await post(endpoint(realm, 'token/introspect'), { client_id: clientId, client_secret: clientSecret, token: body.access_token })
  t.match(await answer.json(), { active: true, token_type: 'DPoP', typ: 'DPoP', cnf: { jkt: client.jkt } })
})

t.test('the refresh token is good with a proof of the same key alone', async (t) => {
  const realm = await realmWithLogin(t)
  const client = realm.dpop({ algorithm: 'RS256' })
  const { body } = await exchanged(realm, client)
  const form = { grant_type: 'refresh_token', refresh_token: body.refresh_token! }
  const url = endpoint(realm, 'token')
  const refused = { status: 400, body: { error: 'invalid_grant', error_description: "DPoP confirmation doesn't match DPoP proof" } }
  t.match(await withProof(realm, form, await realm.dpop().proof({ method: 'POST', url })), refused)
  t.match(await (await post(url, { client_id: 'web', ...form })).json(), refused.body, 'and not without one')
  const renewed = await withProof(realm, form, await client.proof({ method: 'POST', url }))
  t.match(decodeJwt(renewed.body.access_token!), { typ: 'DPoP', cnf: { jkt: client.jkt } })
})

t.test('a proof that is wrong gets no tokens', async (t) => {
  const realm = await realmWithLogin(t)
  const client = realm.dpop()
  const now = Date.now() / 1000
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const wrong = [
    { method: 'GET' }, { url: `${realm.issuer}/other` }, { claims: { htu: undefined } },
    { claims: { iat: now - 60 } }, { claims: { iat: now + 60 } }, { claims: { iat: String(now) } },
    { claims: { jti: undefined } }, { claims: { jti: '' } },
    { header: { typ: 'JWT' } }, { header: { alg: 'none' } }, { header: { alg: 'ES384' } }, { header: { jwk: null } },
    { header: { jwk: publicKey.export({ format: 'jwk' }) } }, { header: { jwk: privateKey.export({ format: 'jwk' }), alg: 'RS256' } },
    { header: { jwk: publicKey.export({ format: 'jwk' }), alg: 'RS256' } }, { header: { jwk: { kty: 'EC', crv: 'P-256', x: 'x' } } }
  ]
  for (const changes of wrong) {
    t.match(await exchanged(realm, client, changes), { status: 400, body: { error: 'invalid_dpop_proof' } }, JSON.stringify(changes))
  }
  t.match(await withProof(realm, { grant_type: 'refresh_token' }, 'x'), { status: 400, body: { error: 'invalid_dpop_proof' } })
})

t.test('discovery names the algorithms and the levels, and a preflight the header', async (t) => {
  const realm = await realmWithLogin(t, { levels: ['low', 'high'] })
  const discovery = await (await fetch(`${realm.issuer}/.well-known/openid-configuration`)).json() as Record<string, string[]>
  t.ok(discovery.dpop_signing_alg_values_supported!.includes('ES256'))
  t.strictSame(discovery.acr_values_supported, ['low', 'high'])
  const preflight = await fetch(endpoint(realm, 'token'), { method: 'OPTIONS', headers: { origin: ORIGIN } })
  t.match(preflight.headers.get('access-control-allow-headers'), /\bDPoP\b/)
})

t.test('a client asks for a higher level, and the page for a code that it shows', async (t) => {
  const realm = await realmWithLogin(t)
  const url = authorizationUrl(realm, { acr_values: 'platinum gold' })
  const page = await (await fetch(url)).text()
  const [, otp] = /always <code>(\d{6})<\/code>/.exec(page)!
  const user = { username: 'alice', password: 'alice-pw' }
  t.match(await (await post(url, { ...user, otp: 'wrong' })).text(), '<p role="alert">Invalid one-time code.</p>')
  const { code } = ledTo(await post(url, { ...user, otp }))
  const tokens = await (await post(endpoint(realm, 'token'), { client_id: 'web', grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: VERIFIER })).json() as Record<string, string>
  const { auth_time: authTime } = decodeJwt(tokens.id_token!)
  t.match(decodeJwt(tokens.access_token!), { acr: 'gold', auth_time: authTime as number })
  const renewed = await (await post(endpoint(realm, 'token'), { client_id: 'web', grant_type: 'refresh_token', refresh_token: tokens.refresh_token })).json() as Record<string, string>
  t.match(decodeJwt(renewed.access_token!), { acr: 'gold', auth_time: authTime as number }, 'a refresh keeps both')
})

t.test('the lowest level needs the password alone, and of several the lowest counts', async (t) => {
  const realm = await realmWithLogin(t)
  for (const acrValues of ['silver', 'gold silver']) {
    t.match(decodeJwt((await tokensOf(realm, { acr_values: acrValues, max_age: '0' })).access_token), { acr: 'silver', auth_time: Number })
  }
  t.equal(decodeJwt((await tokensOf(realm)).access_token).acr, '1', 'as before, if the client asks for no level')
  t.match(ledTo(await fetch(authorizationUrl(realm, { max_age: 'soon' }), { redirect: 'manual' })), { error: 'invalid_request' })
  t.equal((await logIn(realm, { acr_values: 'platinum' })).status, 303, 'an unknown level is ignored')
})
