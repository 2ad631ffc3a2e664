// The errors of Keycloak to a client that gets no token, which docs/troubleshooting.md lists: by breaking a realm in each of these ways.
import t from 'tap'
import { base, call } from './helpers.js'
import { loginClient, ownRealm, person } from './own-realm.js'
import { endpointsOf, read } from './setup.js'

const NAME = 'no-token'
const CALLBACK = 'http://localhost:3000/callback'
const page = read('docs/troubleshooting.md').split('## No token at all')[1]!.split('\n## ')[0]!
const rows = [...page.matchAll(/^\| (.*?) \|/gm)].slice(1).map(([, cell]) => cell!)

const { admin } = await ownRealm(t, {
  realm: NAME,
  clients: [
    loginClient('cli'),
    loginClient('off', { enabled: false }),
    loginClient('no-password', { directAccessGrantsEnabled: false }),
    loginClient('dpop', { attributes: { 'dpop.bound.access.tokens': 'true' } }),
    loginClient('mtls', { attributes: { 'tls.client.certificate.bound.access.tokens': 'true' } }),
    { clientId: 'secret', secret: 'secret', publicClient: false },
    { clientId: 'web', publicClient: true, redirectUris: [CALLBACK], webOrigins: ['http://localhost:3000'], attributes: { 'pkce.code.challenge.method': 'S256' } },
    { clientId: 'no-browser', publicClient: true, standardFlowEnabled: false, redirectUris: [CALLBACK] }
  ],
  users: [person('alice'), person('bob', { enabled: false }), person('carol', { lastName: undefined }), person('dave', { requiredActions: ['UPDATE_PASSWORD'] })]
})

const password = (more: Record<string, string> = {}) => ({ grant_type: 'password', client_id: 'cli', username: 'alice', password: 'alice-pw', ...more })
const login = (more: Record<string, string> = {}) => ({ response_type: 'code', client_id: 'web', redirect_uri: CALLBACK, scope: 'openid', ...more })
const pkce = { code_challenge: 'a'.repeat(43), code_challenge_method: 'S256' }

/** What the token endpoint says, all of it. */
async function tokens (form: Record<string, string>, endpoints = endpointsOf(NAME)): Promise<string> {
  const response = await call(`${endpoints}/token`, { method: 'POST', body: new URLSearchParams(form) })
  return response.text()
}

/** What the login says, on its page or to the frontend. */
async function browser (query: Record<string, string>): Promise<string> {
  const response = await call(`${endpointsOf(NAME)}/auth?${new URLSearchParams(query)}`, { redirect: 'manual' })
  const { searchParams } = new URL(response.headers.get('location') ?? CALLBACK)
  return searchParams.get('error_description') ?? response.text()
}

/** The realm with other settings while it is asked. */
async function changed (settings: Record<string, unknown>, ask: () => Promise<string>): Promise<string> {
  const before = await admin('GET', '')
  await admin('PUT', '', settings)
  try {
    return await ask()
  } finally {
    await admin('PUT', '', before)
  }
}

const refresh = { grant_type: 'refresh_token', client_id: 'cli', refresh_token: 'nonsense' }

async function refreshAfterLogout (): Promise<string> {
  const { refresh_token: token } = JSON.parse(await tokens(password()))
  await call(`${endpointsOf(NAME)}/logout`, { method: 'POST', body: new URLSearchParams({ client_id: 'cli', refresh_token: token }) })
  return tokens({ ...refresh, refresh_token: token })
}

/** The causes, and Keycloak's words. */
const CAUSES: Array<[words: string, ask: () => Promise<string>]> = [
  ['Invalid user credentials', () => tokens(password({ password: 'wrong' }))],
  ['Invalid user credentials', () => tokens(password({ username: 'nobody' }))],
  ['Account disabled', () => tokens(password({ username: 'bob', password: 'bob-pw' }))],
  ['Account is not fully set up', () => tokens(password({ username: 'carol', password: 'carol-pw' }))],
  ['Account is not fully set up', () => tokens(password({ username: 'dave', password: 'dave-pw' }))],
  ['Invalid client or Invalid client credentials', () => tokens(password({ client_id: 'nowhere' }))],
  ['Invalid client or Invalid client credentials', () => tokens(password({ client_id: 'off' }))],
  ['Invalid client or Invalid client credentials', () => tokens(password({ client_id: 'secret', client_secret: 'wrong' }))],
  ['Client not allowed for direct access grants', () => tokens(password({ client_id: 'no-password' }))],
  ['Client not enabled to retrieve service account', () => tokens({ grant_type: 'client_credentials', client_id: 'secret', client_secret: 'secret' })],
  ['Invalid scopes: …', () => tokens(password({ scope: 'openid nowhere' }))],
  ['Offline tokens not allowed for the user or client', () => tokens(password({ scope: 'openid offline_access' }))],
  ['Invalid parameter: redirect_uri', () => browser(login({ ...pkce, redirect_uri: `${CALLBACK}/` }))],
  ['Client not found.', () => browser(login({ ...pkce, client_id: 'nowhere' }))],
  ['Client disabled.', () => browser(login({ ...pkce, client_id: 'off' }))],
  ['Standard flow is disabled for the client.', () => browser(login({ client_id: 'no-browser' }))],
  ['Missing parameter: code_challenge_method', () => browser(login())],
  ['… is not matching the configured one', () => browser(login({ ...pkce, code_challenge_method: 'plain' }))],
  ['Code not valid', () => tokens({ grant_type: 'authorization_code', client_id: 'web', code: 'nonsense', redirect_uri: CALLBACK, code_verifier: 'a'.repeat(43) })],
  ['Invalid refresh token', () => tokens(refresh)],
  ['Session not active', refreshAfterLogout],
  ['DPoP proof is missing', () => tokens(password({ client_id: 'dpop' }))],
  ['Client Certification missing for MTLS HoK Token Binding', () => tokens(password({ client_id: 'mtls' }))],
  ['HTTPS required', () => changed({ sslRequired: 'all' }, () => tokens(password()))],
  ['Realm not enabled', () => changed({ enabled: false }, () => tokens(password()))],
  ['Realm does not exist', () => tokens(password(), `${base}/realms/nowhere/protocol/openid-connect`)],
  ['Unable to find matching target resource method', () => tokens(password(), `${base}/auth/realms/${NAME}/protocol/openid-connect`)]
]

t.test('each cause has the words of the page', async (t) => {
  for (const [words, ask] of CAUSES) t.ok((await ask()).includes(words.replaceAll('…', '').trim()), words)
})

t.test('the page has these words and no other', async (t) => {
  const told = rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, words]) => words))
  t.same(told.sort(), [...new Set(CAUSES.map(([words]) => words))].sort())
})

t.test('without the origin of a page among the web origins, the browser shows it nothing', async (t) => {
  const allowed = async (origin: string) => {
    const response = await call(`${endpointsOf(NAME)}/token`, { method: 'POST', headers: { origin }, body: new URLSearchParams({ ...refresh, client_id: 'web' }) })
    return response.headers.get('access-control-allow-origin')
  }
  t.equal(await allowed('http://localhost:3000'), 'http://localhost:3000')
  t.equal(await allowed('http://127.0.0.1:3000'), null)
})
