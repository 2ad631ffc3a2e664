// Misconfigurations of a real Keycloak, made by its admin API: the doctor names each with the setting that mends it.
import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import t from 'tap'
import { report } from '../support/doctor-cli.js'
import { ask, base, pause } from './helpers.js'
import { does } from './versions.js'
import { apiClient, loginClient, ownRealm, person } from './own-realm.js'
import { endpointsOf } from './setup.js'
import type { Tokens } from './tokens.js'

const name = `doctor-${randomUUID()}`
const realm = await ownRealm(t, {
  realm: name,
  organizationsEnabled: true,
  roles: { realm: [{ name: 'staff' }], client: { api: [{ name: 'read' }] } },
  clients: [
    apiClient('api', 'api-secret'),
    apiClient('other-api', 'other-secret'),
    loginClient('cli'),
    { ...loginClient('plain'), protocolMappers: [] },
    loginClient('light', { attributes: { 'client.use.lightweight.access.token.enabled': 'true' } }),
    loginClient('short', { attributes: { 'access.token.lifespan': '1' } }),
    loginClient('elliptic', { attributes: { 'access.token.signed.response.alg': 'ES256' } })
  ],
  users: [person('alice', { clientRoles: { api: ['read'] }, realmRoles: ['staff'] }), person('bob')]
})

const ENV = { KEYCLOAK_ISSUER: realm.issuer, KEYCLOAK_CLIENT_ID: 'api', KEYCLOAK_AUDIENCE: 'api' }
const INTROSPECTING = { ...ENV, KEYCLOAK_CLIENT_SECRET: 'api-secret' }

async function tokensOf (client = 'cli', username = 'alice', headers: Record<string, string> = {}): Promise<Tokens> {
  return ask('token', { grant_type: 'password', client_id: client, username, password: `${username}-pw`, scope: 'openid' }, headers, endpointsOf(name))
}

async function tokenOf (client?: string, username?: string): Promise<string> {
  return (await tokensOf(client, username)).access_token
}

async function boundToken (): Promise<string> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const proof = await new SignJWT({ htm: 'POST', htu: `${endpointsOf(name)}/token`, jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) }).setIssuedAt().sign(privateKey)
  return (await tokensOf('cli', 'alice', { DPoP: proof })).access_token
}

interface Given { env?: Record<string, string>, input?: string, route?: string[], options?: string[] }

/** What did not pass: `aud aud_mismatch: the sentence`. */
async function told ({ env = ENV, input, route = [], options = [] }: Given): Promise<string> {
  const args = [...route.flatMap((each) => ['--route', each]), ...options.flatMap((each) => ['--option', each])]
  const { checks, text } = await report({ env, input, args })
  for (const secret of ['api-secret', 'other-secret', ...(input ?? '').split('.').slice(1)]) if (secret !== '' && text.includes(secret)) throw new Error('a secret is shown')
  return checks.filter(({ status }) => status === 'failed' || status === 'warning').map(({ check, code, message }) => `${check} ${code}: ${message}`).join('\n')
}

/** Changes members of a client while a function runs. */
async function withClient<T> (clientId: string, changes: object, body: () => Promise<T>): Promise<T> {
  const [before] = await realm.admin('GET', `/clients?clientId=${clientId}`)
  await realm.admin('PUT', `/clients/${before.id}`, { ...before, ...changes })
  try {
    return await body()
  } finally {
    await realm.admin('PUT', `/clients/${before.id}`, before)
  }
}

/** Takes a default client scope from the client `cli` while a function runs. */
async function withoutScope<T> (scope: string, body: () => Promise<T>): Promise<T> {
  const [[{ id: client }], scopes] = await Promise.all([realm.admin('GET', '/clients?clientId=cli'), realm.admin('GET', '/client-scopes')])
  const path = `/clients/${client}/default-client-scopes/${scopes.find((each: { name: string }) => each.name === scope).id}`
  await realm.admin('DELETE', path)
  try {
    return await body()
  } finally {
    await realm.admin('PUT', path)
  }
}

async function withRealm<T> (changes: object, body: () => Promise<T>): Promise<T> {
  const before = await realm.admin('GET', '')
  await realm.admin('PUT', '', changes)
  try {
    return await body()
  } finally {
    await realm.admin('PUT', '', before)
  }
}

t.test('nothing is wrong, with introspection and without', async (t) => {
  const input = await tokenOf()
  t.equal(await told({ input, route: ['permission=read'] }), '')
  t.equal(await told({ env: INTROSPECTING, input, route: ['permission=read'] }), '')
  t.equal(await told({ env: INTROSPECTING, input: await tokenOf('light'), route: ['permission=read'] }), '')
})

t.test('the realm and its address', async (t) => {
  t.match(await told({ env: { ...ENV, KEYCLOAK_ISSUER: `${base}/realms/nowhere` } }), /discovery realm_unknown: .*correct the end of issuer/)
  t.match(await told({ env: { ...ENV, KEYCLOAK_ISSUER: `${base}/auth/realms/${name}` } }), /discovery realm_unknown: .*issuer: "http.*\/realms\/doctor/)
  const elsewhere = await told({ env: { ...ENV, KEYCLOAK_ISSUER: `https://sso.example.com/realms/${name}`, KEYCLOAK_SERVER_URL: realm.issuer }, input: await tokenOf() })
  t.match(elsewhere, /issuer issuer_follows_host: .*set the hostname option of Keycloak/)
  t.match(elsewhere, /iss iss_mismatch: .*correct issuer, or the hostname option of Keycloak/)
  t.match(await withRealm({ enabled: false }, () => told({})), /realm realm_disabled: .*Enabled/)
  t.match(await withRealm({ sslRequired: 'all' }, () => told({})), /https_required: .*Require SSL/)
})

t.test('the client that introspects', async (t) => {
  const input = await tokenOf()
  t.match(await told({ env: { ...ENV, KEYCLOAK_CLIENT_SECRET: 'wrong' } }), /introspection credentials: .*Credentials tab/)
  t.match(await withClient('api', { publicClient: true }, () => told({ env: INTROSPECTING })), /introspection credentials: .*Client authentication/)
  t.match(await withClient('api', { enabled: false }, () => told({ env: INTROSPECTING })), /introspection credentials: .*(switch that client on|disabled)/)
  t.match(await told({ env: { ...INTROSPECTING, KEYCLOAK_CLIENT_ID: 'nobody' } }), /introspection credentials: .*clientId/)
  const other = { ...ENV, KEYCLOAK_CLIENT_ID: 'other-api', KEYCLOAK_CLIENT_SECRET: 'other-secret' }
  const ofOther = await told({ env: other, input })
  if (does('demandsCallerInAud')) t.match(ofOther, /introspection token_inactive_audience: .*"other-api".*audience mapper/)
  else t.notMatch(ofOther, /token_inactive/)
  const { access_token: ended, refresh_token: refresh } = await tokensOf()
  await fetch(`${endpointsOf(name)}/logout`, { method: 'POST', body: new URLSearchParams({ client_id: 'cli', refresh_token: refresh }), signal: AbortSignal.timeout(15_000) })
  t.match(await told({ env: INTROSPECTING, input: ended }), /introspection token_inactive: .*its session has ended/)
})

t.test('the token: its kind, its signature, its time, its audience', async (t) => {
  const { access_token: input, id_token: idToken, refresh_token: refreshToken } = await tokensOf()
  t.match(await told({ input: idToken }), /typ id_token: .*send the access token/)
  t.match(await told({ input: refreshToken }), /header_alg refresh_token: .*send the access token/)
  t.match(await told({ input: await tokenOf('light') }), /aud lightweight: .*verifyTokensWithKeycloak: true/)
  t.match(await told({ input: await tokenOf('elliptic') }), /header_alg alg_not_allowed: .*ES256: add it to the option algorithms/)
  t.match(await told({ env: { ...ENV, KEYCLOAK_AUDIENCE: 'billing' }, input }), /aud aud_mismatch: .*add an audience mapper for "billing"/)
  t.match(await told({ input: await tokenOf('plain', 'bob') }), /aud aud_(missing|mismatch): .*audience mapper/)
  t.match(await told({ input, options: ['authorizedParties=web'] }), /restrictions azp_mismatch: azp "cli" .*add this client to authorizedParties/)
  t.match(await told({ input, options: ['tokenType=at+jwt'] }), /header_typ at_jwt_required: .*Use "at\+jwt"/)
  const short = await tokenOf('short')
  await pause(2500)
  t.match(await told({ input: short }), /exp exp_passed: .*refresh the token/)
  const now = Date.now
  t.teardown(() => { Date.now = now })
  Date.now = () => now() - 100_000
  t.match(await told({ input }), /iat iat_future: .*by NTP, or raise leeway/)
  Date.now = now
})

t.test('a token that is bound to a key', async (t) => {
  const input = await boundToken()
  t.match(await told({ input }), /typ dpop_bound: .*set the option dpop/)
  t.match(await told({ input: `Bearer ${input}`, options: ['dpop=true'] }), /binding dpop_token_as_bearer: .*send "Authorization: DPoP" with a proof/)
  t.equal(await told({ input, options: ['dpop=true'] }), '')
})

t.test('the user, the rights and the login', async (t) => {
  const input = await tokenOf()
  const read = { route: ['permission=read'] }
  t.match(await withoutScope('roles', async () => told({ input: await tokenOf(), ...read })), /permission roles_absent: .*client scope "roles"/)
  t.match(await told({ input, ...read, options: ['permissionPath=permissions'] }), /permission roles_absent: .*permissionPath names another place/)
  t.match(await told({ input: await tokenOf('cli', 'bob'), ...read }), /permission roles_absent: .*the user has no such role/)
  t.match(await told({ input, route: ['permission=staff'] }), /permission role_missing: [^]*roles undefined: the token has the role at realm_access\.roles \(write \{ realmRole: "staff" \}/)
  t.match(await withoutScope('profile', async () => told({ input: await tokenOf() })), /user user_claim_missing: .*client scope "profile"/)
  t.match(await withoutScope('acr', async () => told({ input: await tokenOf(), route: ['acr=gold'] })), /login acr_missing: .*client scope "acr"/)
  t.match(await told({ input, route: ['acr=gold'] }), /login acr_too_low: .*ACR to LoA Mapping/)
  t.match(await told({ input, route: ['maxAge=300'] }), /login auth_time_missing: .*log in by the browser/)
  t.match(await told({ input, route: ['permission={"organization":"acme"}'] }), /permission organization_absent: .*scope "organization/)
  t.match(await told({ input, route: ['permission={"group":"/staff"}'] }), /permission groups_absent: .*Group Membership/)
  t.match(await told({ input, route: ['scope=orders:write'] }), /scope scope_missing: .*Client scopes/)
})
