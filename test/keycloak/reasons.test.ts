// The reasons of refusals, of tokens as a real Keycloak makes them.
import t, { type Test } from 'tap'
import {
  addHardcodedClaim, api, base, browserLogin, call, decode, get, introspecting, json, login, options, removeScope, serviceToken, token
} from './helpers.js'
import type { KeycloakOptions } from '../../types/options.js'

/** Why a token is refused, by verify(), which throws what a request is refused with. */
async function reasonOf (t: Test, accessToken: string, settings: KeycloakOptions = options): Promise<string> {
  const app = await api(t, settings)
  return app.keycloak.verify(accessToken).then(() => 'accepted', (error) => error.reason)
}

t.test('ID, refresh and offline tokens are told as such', async (t) => {
  const tokens = await login('cli', 'alice')
  t.match(await reasonOf(t, tokens.id_token), /^the token is an ID token/)
  t.equal(decode(tokens.refresh_token).header.alg, 'HS512')
  t.match(await reasonOf(t, tokens.refresh_token), /^the token is a refresh token/)
  const offline = await login('cli', 'alice', {}, 'openid offline_access')
  t.match(await reasonOf(t, offline.refresh_token), /^the token is an offline token/)
  t.equal(await reasonOf(t, offline.access_token), 'accepted')
  t.match(await reasonOf(t, (await browserLogin('alice')).id_token, { ...options, audience: 'web' }), /^the token is an ID token/, 'though its audience fits')
})

t.test('a token of another realm is told as such', async (t) => {
  const answer = await json(await call(`${base}/realms/master/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', username: process.env.KEYCLOAK_ADMIN!, password: process.env.KEYCLOAK_ADMIN_PASSWORD! })
  }))
  t.equal(await reasonOf(t, answer.access_token), 'the token is from another issuer than the option issuer')
})

t.test('an audience that is another, and one of a client without roles', async (t) => {
  t.equal(await reasonOf(t, await token('cli', 'alice'), { ...options, audience: 'billing' }), 'aud ["api", "account"] names none of the audience ["billing"]: add an audience mapper for "billing" in Keycloak, let the client ask for the scope that has it, or correct the option audience')
  t.equal(await reasonOf(t, await serviceToken('worker'), { ...options, audience: 'billing' }), 'aud ["api"] names none of the audience ["billing"]: add an audience mapper for "billing" in Keycloak, let the client ask for the scope that has it, or correct the option audience')
})

t.test('a lightweight token without introspection is told as such', async (t) => {
  const accessToken = await token('light', 'alice')
  t.match(decode(accessToken).claims.jti, /^onlt/)
  t.match(await reasonOf(t, accessToken), /^the token is lightweight, without aud: set verifyTokensWithKeycloak: true/)
})

t.test('a client without the scopes profile and basic: the token names nobody, and the reason the scope', async (t) => {
  const restore = [await removeScope('cli', 'profile'), await removeScope('cli', 'basic')]
  t.teardown(async () => { for (const each of restore) await each() })
  const accessToken = await token('cli', 'alice')
  const told = async (settings: KeycloakOptions) => {
    const lines: string[] = []
    const app = await api(t, settings, { logger: { level: 'debug', stream: { write: (line: string) => { lines.push(line) } } } })
    t.equal((await get(app, '/me', accessToken)).statusCode, 401)
    return JSON.parse(lines.find((line) => line.includes('request refused'))!).reason
  }
  t.match(await told(options), 'the claim preferred_username, which identifies the user (userIdClaim), is missing: give the client of the token the client scope "profile"')
  t.match(await told({ ...options, userIdClaim: 'sub' }), 'the client scope "basic"')
  t.match(await told(introspecting), 'client scope "profile", which brings it, and switch "Add to token introspection"')
})

t.test('a whole number in a claim of a mapper identifies a user', async (t) => {
  t.teardown(await addHardcodedClaim('cli', 'employee', '4711', { 'jsonType.label': 'long' }))
  const app = await api(t, { ...options, userIdClaim: 'employee', claimMapping: {} })
  const accessToken = await token('cli', 'alice')
  t.equal(decode(accessToken).claims.employee, 4711)
  t.same((await get(app, '/me', accessToken)).json().user, { username: '4711' })
})

t.test('a claim within a claim is mapped', async (t) => {
  t.teardown(await addHardcodedClaim('cli', 'home.city', 'Bern'))
  const app = await api(t, { ...options, claimMapping: { city: 'home.city' } })
  t.match((await get(app, '/me', await token('cli', 'alice'))).json(), { user: { username: 'alice', city: 'Bern' }, claims: { home: { city: 'Bern' } } })
})
