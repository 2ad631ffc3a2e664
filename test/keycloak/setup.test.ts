// The page "Set up Keycloak", from its script to the answers of an API.
import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { adminOf, decode, get, nextSecond, refused } from './helpers.js'
import { addBob, browserLoginOf, endpointsOf, pageApi, read, readEnv, realmFor, runScript, tokenOf } from './setup.js'

const realm = realmFor(t)
const admin = adminOf(realm)
const app = await pageApi(t, realm)
const folder = t.testdir()
const environment = {
  KEYCLOAK_REALM: realm,
  API_URL: app.url,
  GRANT_TO: 'alice',
  TRY_PASSWORD: 'alice-pw',
  ENV_FILE: join(folder, 'api.env'),
  WORKER_ENV_FILE: join(folder, 'worker.env')
}

t.test('the script adds everything, and changes nothing when it runs again', async (t) => {
  const first = await runScript(environment)
  t.match(first, { code: 0, problem: '' })
  t.same(first.lines.filter((line) => !/^added {3}/.test(line)), [`The issuer is ${decode(await tokenOf(realm, 'alice')).claims.iss}`])
  const everything = async (): Promise<unknown> => inOrder(await admin('POST', '/partial-export?exportClients=true&exportGroupsAndRoles=true'))
  const before = await everything()
  const second = await runScript(environment)
  t.match(second, { code: 0, problem: '' })
  t.same(second.lines, first.lines.map((line) => line.replace(/^added /, 'exists')))
  t.strictSame(await everything(), before)
})

/** An export without the order of its lists, which differs from one export to the next. */
function inOrder (value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => JSON.stringify(inOrder(each))).sort()
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).sort().map(([key, each]) => [key, inOrder(each)]))
}

t.test('the secrets are in files for their owner alone', async (t) => {
  for (const file of [environment.ENV_FILE, environment.WORKER_ENV_FILE]) {
    t.equal(statSync(file).mode & 0o777, 0o600)
    t.match(readEnv(file).KEYCLOAK_CLIENT_SECRET, /^\w{20,}$/)
  }
})

t.test('the role opens its route, and a user without the role is 403', async (t) => {
  await addBob(realm)
  t.equal((await get(app, '/profile', await tokenOf(realm, 'alice'))).json().hello, 'alice')
  refused(t, await get(app, '/profile', await tokenOf(realm, 'bob')), 'permission_denied')
})

t.test('without the audience mapper the token of a user without a role is 401, and the reason says why', async (t) => {
  const [{ id, protocolMappers: [{ id: mapper, ...settings }] }] = await admin('GET', '/clients?clientId=cli')
  await admin('DELETE', `/clients/${id}/protocol-mappers/models/${mapper}`)
  t.teardown(() => admin('POST', `/clients/${id}/protocol-mappers/models`, settings))
  t.equal((await get(app, '/profile', await tokenOf(realm, 'alice'))).statusCode, 200, 'a role of the API puts it into aud')
  const token = await tokenOf(realm, 'bob')
  refused(t, await get(app, '/profile', token), 'token_not_valid')
  t.match(await app.keycloak.verify(token).catch(({ reason }) => reason), /^aud .*names none of the audience/)
})

t.test('the client scope opens its route for a token that asked for it', async (t) => {
  refused(t, await get(app, '/reports', await tokenOf(realm, 'alice')), 'permission_denied')
  t.equal((await get(app, '/reports', await tokenOf(realm, 'alice', { scope: 'openid reports:read' }))).statusCode, 200)
})

t.test('the service account calls the API, by the curl line of the page and the secret in its file', async (t) => {
  const [block] = /printf.*\n.*client_secret@-/.exec(read('docs/setup-keycloak.md'))!
  const line = block.replace('https://sso.example.com/realms/acme/protocol/openid-connect', endpointsOf(realm))
  const env = { ...process.env, ...readEnv(environment.WORKER_ENV_FILE) }
  const { access_token: token } = JSON.parse((await promisify(execFile)('sh', ['-c', line], { env, timeout: 30_000 })).stdout)
  t.equal((await get(app, '/profile', token)).json().hello, 'service-account-worker')
})

t.test('the API introspects by the secret in its file', async (t) => {
  const { KEYCLOAK_ISSUER: issuer, KEYCLOAK_CLIENT_SECRET: clientSecret } = readEnv(environment.ENV_FILE)
  const introspecting = await pageApi(t, realm, { issuer, clientSecret, verifyTokensWithKeycloak: true })
  t.equal((await get(introspecting, '/profile', await tokenOf(realm, 'alice'))).statusCode, 200)
})

t.test('a session that an administrator ends takes its token with it at once, and the log says that Keycloak called', async (t) => {
  const { access_token: token } = await browserLoginOf(realm)
  t.equal((await get(app, '/profile', token)).statusCode, 200)
  const [{ id }] = await admin('GET', '/users?username=alice')
  await admin('POST', `/users/${id}/logout`)
  refused(t, await get(app, '/profile', token), 'token_not_valid')
  t.ok(app.logged.includes('a back-channel logout was carried out: 1 session'))
})

t.test('with the front channel on, as the console has it for a new client, Keycloak does not call', async (t) => {
  const [web] = await admin('GET', '/clients?clientId=web')
  await admin('PUT', `/clients/${web.id}`, { ...web, frontchannelLogout: true })
  t.teardown(() => admin('PUT', `/clients/${web.id}`, web))
  const { access_token: token } = await browserLoginOf(realm)
  const [{ id }] = await admin('GET', '/users?username=alice')
  await admin('POST', `/users/${id}/logout`)
  t.equal((await get(app, '/profile', token)).statusCode, 200)
})

t.test('the admin URL takes the logout of all, and a not-before', async (t) => {
  const { access_token: token } = await browserLoginOf(realm)
  t.equal((await get(app, '/profile', token)).statusCode, 200)
  await nextSecond()
  t.same((await admin('POST', '/logout-all')).successRequests, [`${app.url}/keycloak`])
  refused(t, await get(app, '/profile', token), 'token_not_valid')

  const { access_token: later } = await browserLoginOf(realm)
  t.equal((await get(app, '/profile', later)).statusCode, 200)
  await nextSecond()
  await admin('PUT', '', { notBefore: Math.floor(Date.now() / 1000) })
  t.same((await admin('POST', '/push-revocation')).successRequests, [`${app.url}/keycloak`])
  refused(t, await get(app, '/profile', later), 'token_not_valid')
})
