// Each reason to refuse a token, provoked.
import t, { type Test } from 'tap'
import type { KeycloakOptions, KeycloakReasonCode } from '../../index.js'
import type { TestRealm, TokenSpec } from '../../lib/testing/index.js'
import { apiFor, ask, realmFor } from '../support/app.js'
import { reasonOf } from '../support/reasons.js'
import { action, LOGOUT, logOut, nextSecond, now, push } from '../support/logout.js'

type Code = KeycloakReasonCode

/** Ask the API about tokens: each is refused for its reason. */
async function refuses (t: Test, realm: TestRealm, options: Partial<KeycloakOptions>, cases: Array<[token: unknown, code: Code]>): Promise<void> {
  const app = await apiFor(t, realm, options)
  for (const [token, code] of cases) t.equal(await reasonOf(app, token as string), code)
}

function part (value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

t.test('by its form and its header', async (t) => {
  const realm = await realmFor(t, { algorithms: ['RS256', 'ES256'] })
  const good = realm.token()
  const [header, payload, signature] = good.split('.') as [string, string, string]
  const headed = (more: object): string => `${part({ alg: 'RS256', ...more })}.${part({ iss: realm.issuer })}.AAAA`
  const { kid } = JSON.parse(Buffer.from(realm.token({ alg: 'ES256' }).split('.')[0]!, 'base64url').toString())
  await refuses(t, realm, { jwks: { cooldown: 60_000 } }, [
    [5, 'token_not_string'],
    ['x'.repeat(40_000), 'token_too_long'],
    ['a.b', 'token_malformed'],
    [`!.${payload}.${signature}`, 'header_not_base64url'],
    [`${part('[]')}.${payload}.${signature}`, 'header_not_json'],
    [`${header}.${payload}.`, 'signature_missing'],
    [`${part({ alg: 'RS256', kid: 'x' })}.!.AAAA`, 'payload_not_base64url'],
    [`${part({ alg: 'RS256', kid: 'x' })}.${part('[]')}.AAAA`, 'payload_not_json'],
    [`${part({ alg: 'RS256', kid: 'x' })}.${payload}.!`, 'signature_not_base64url'],
    [headed({ typ: 'strange' }), 'typ_not_allowed'],
    [headed({ crit: ['exp'] }), 'crit_not_allowed'],
    [headed({ alg: 'strange' }), 'alg_unknown'],
    [headed({ alg: 'ES256' }), 'alg_not_allowed'],
    [headed({ alg: 'HS256' }), 'alg_symmetric'],
    [headed({ alg: 'none' }), 'alg_none'],
    [headed({ kid: 5 }), 'kid_not_string'],
    [realm.token({ forged: true }), 'signature_invalid'],
    [good.slice(0, -4), 'signature_length'],
    [headed({ kid }), 'key_other_algorithm'],
    [realm.token({ kid: 'one' }), 'kid_unknown'],
    [realm.token({ kid: 'two' }), 'kid_on_cooldown'],
    [headed({ typ: 'secevent+jwt' }), 'security_event'],
    [headed({ typ: 'token-introspection+jwt' }), 'introspection_response'],
    [headed({ typ: 'dpop+jwt' }), 'dpop_proof'],
    [`${part({ alg: 'ES256' })}.${part({ iss: 'https://sso.example.com/realms/other' })}.AAAA`, 'issuer_other']
  ])
  realm.rotateKeys()
  await refuses(t, realm, {}, [[realm.token({ kid: null }), 'kid_missing']])
})

t.test('by the key that it is bound to, where bound tokens are taken', async (t) => {
  const realm = await realmFor(t)
  const bound = (cnf: unknown, typ = 'Bearer'): string => realm.token({ claims: { cnf, typ } })
  await refuses(t, realm, { dpop: true }, [
    [bound({}), 'cnf_malformed'],
    [bound({ kid: 'x' }), 'cnf_method_unknown'],
    [realm.token({ claims: { typ: 'DPoP' } }), 'dpop_typ_unbound'],
    [bound({ 'x5t#S256': 'x' }), 'sender_constrained'],
    [realm.token({ dpop: true }), 'dpop_token_as_bearer']
  ])
})

t.test('by its claims', async (t) => {
  const realm = await realmFor(t)
  const claims = (claims: TokenSpec['claims']): string => realm.token({ claims })
  await refuses(t, realm, {}, [
    [realm.token({ kind: 'id' }), 'id_token'],
    [realm.token({ kind: 'refresh' }), 'refresh_token'],
    [realm.token({ kind: 'offline' }), 'offline_token'],
    [realm.token({ kind: 'logout' }), 'logout_token'],
    [claims({ typ: 'InitialAccessToken' }), 'registration_token'],
    [realm.token({ kind: 'dpop' }), 'dpop_bound'],
    [realm.token({ kind: 'lightweight' }), 'lightweight'],
    [claims({ cnf: { 'x5t#S256': 'x' } }), 'sender_constrained'],
    [claims({ iat: undefined }), 'iat_missing'],
    [realm.token({ age: -30 }), 'iat_future'],
    [claims({ nbf: now() + 30 }), 'nbf_future'],
    [claims({ exp: undefined }), 'exp_missing'],
    [realm.token({ expired: true }), 'exp_passed'],
    [claims({ exp: 'soon' }), 'date_not_number'],
    [claims({ iss: undefined }), 'iss_missing'],
    [claims({ iss: `${realm.issuer}/` }), 'iss_mismatch'],
    [claims({ aud: undefined }), 'aud_missing'],
    [claims({ aud: 5 }), 'aud_malformed'],
    [claims({ aud: 'web' }), 'aud_mismatch'],
    [claims({ typ: 'strange' }), 'typ_mismatch'],
    [claims({ jti: 5 }), 'claim_not_string']
  ])
})

t.test('by the options that restrict tokens', async (t) => {
  const realm = await realmFor(t)
  const typed = (claims: TokenSpec['claims']): string => realm.token({ kind: 'at+jwt', claims: { azp: 'web', ...claims } })
  await refuses(t, realm, { authorizedParties: ['web'], maxTokenAge: 60, tokenType: 'at+jwt' }, [
    [realm.token(), 'at_jwt_required'],
    [realm.token({ header: { typ: undefined as never } }), 'at_jwt_required'],
    [realm.token({ header: { typ: 'logout+jwt' } }), 'logout_token'],
    [typed({ azp: undefined }), 'azp_missing'],
    [typed({ azp: 'cli' }), 'azp_mismatch'],
    [typed({ azp: ['web'] }), 'claim_not_string'],
    [typed({ iat: now() - 90 }), 'token_too_old'],
    [typed({ sub: undefined }), 'at_jwt_claim_missing'],
    [typed({ client_id: 5 }), 'claim_not_string']
  ])
})

t.test('by what was revoked', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { ...LOGOUT, revocation: { maxTokenLifetime: 3600 } })
  const refused = async (token: string, code: Code): Promise<void> => { t.equal(await reasonOf(app, token), code) }
  const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((username) => realm.token({ username })) as [string, string, string]
  await refused(realm.token({ expiresIn: 7200 }), 'token_lives_too_long')
  await refused(realm.token({ claims: { sid: 5 } }), 'sid_not_string')
  await nextSecond()
  t.equal((await logOut(app, realm, { username: 'alice' })).status, 200)
  await refused(alice, 'session_logged_out')
  t.equal((await logOut(app, realm, { username: 'bob', claims: { sid: undefined } })).status, 200)
  await refused(bob, 'user_logged_out')
  t.equal((await push(app, realm.sign(action('PUSH_NOT_BEFORE')), 'k_push_not_before')).status, 200)
  await refused(carol, 'issued_before_not_before')
})

t.test('by what Keycloak says of it', async (t) => {
  const realm = await realmFor(t)
  const revoked = realm.token()
  const other = realm.token({ claims: { aud: 'web' } })
  const light = realm.token({ kind: 'lightweight' })
  const mixed = realm.token()
  for (const token of [revoked, other, light]) realm.revoke(token)
  realm.update(mixed, { jti: 'another' })
  await refuses(t, realm, { verifyTokensWithKeycloak: true, audience: ['api', 'web'] }, [
    [revoked, 'token_inactive'],
    [other, 'token_inactive_audience'],
    [light, 'token_inactive_lightweight'],
    [mixed, 'introspection_mismatch']
  ])
  realm.respond('introspect', (_request, response) => { response.writeHead(400).end('{"error":"invalid_scope"}') })
  await refuses(t, realm, { verifyTokensWithKeycloak: true }, [[realm.token(), 'introspection_refused']])
  t.equal(await ask(await apiFor(t, realm), '/me', realm.token()), '200')
})
