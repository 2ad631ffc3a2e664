// How the script of the page "Set up Keycloak" ends: one sentence for each mistake, and nothing that is secret.
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { addRealm, adminOf, base } from './helpers.js'
import { ENVIRONMENT, realmFor, runScript } from './setup.js'

/** The script ends with this one sentence. */
async function ends (t: Test, env: Record<string, string>, sentence: RegExp | string): Promise<void> {
  const { code, problem } = await runScript(env)
  t.equal(code, 1)
  t.match(problem, sentence)
  t.notMatch(problem, /\n/, 'one line')
  t.notOk(problem.includes(env.KEYCLOAK_ADMIN_PASSWORD || ENVIRONMENT.KEYCLOAK_ADMIN_PASSWORD), 'without the password')
}

/** A server that is no Keycloak. */
async function stranger (t: Test, answer: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(answer)
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('a variable that is missing, or no address', async (t) => {
  for (const name of Object.keys(ENVIRONMENT)) await ends(t, { [name]: '' }, `${name} is not set`)
  await ends(t, { KEYCLOAK_URL: 'sso.example.com' }, 'KEYCLOAK_URL is not an http(s) address')
  await ends(t, { API_URL: 'http://user:hidden@api.example.com', KEYCLOAK_ADMIN_PASSWORD: 'hidden' }, 'API_URL is not an http(s) address')
  await ends(t, { TRY_PASSWORD: 'some' }, 'GRANT_TO is not set')
})

t.test('a wrong password', async (t) => {
  await ends(t, { KEYCLOAK_ADMIN_PASSWORD: 'wrong-pw' }, `the login of "${ENVIRONMENT.KEYCLOAK_ADMIN}" is refused: KEYCLOAK_ADMIN or KEYCLOAK_ADMIN_PASSWORD is wrong`)
})

t.test('a Keycloak that cannot be reached', async (t) => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  server.close()
  await once(server, 'close')
  await ends(t, { KEYCLOAK_URL: url }, `Keycloak at ${url} is unreachable (ECONNREFUSED)`)
})

t.test('TLS where there is none', async (t) => {
  await ends(t, { KEYCLOAK_URL: base.replace('http:', 'https:') }, /^TLS to https:.* fails \(ERR_SSL_\w+\): check https or http/)
})

t.test('a server that is no Keycloak', async (t) => {
  const url = await stranger(t, (_request, response) => { response.end('<h1>Welcome</h1>') })
  await ends(t, { KEYCLOAK_URL: url }, 'KEYCLOAK_URL is not the address of a Keycloak: the login of the administrator is answered 200')
})

t.test('a redirect, which would take the password elsewhere', async (t) => {
  const taken: string[] = []
  const elsewhere = await stranger(t, (request, response) => { response.end(taken.push(String(request.url))) })
  const url = await stranger(t, (_request, response) => { response.writeHead(307, { location: elsewhere }).end() })
  await ends(t, { KEYCLOAK_URL: url }, `is answered 307 "${elsewhere}"`)
  t.same(taken, [])
})

t.test('an administrator without the roles', async (t) => {
  const realm = realmFor(t)
  const master = adminOf('master')
  await master('POST', '/users', { username: realm, enabled: true, email: `${realm}@example.com`, firstName: 'No', lastName: 'Role', credentials: [{ type: 'password', value: 'no-role-pw' }] })
  const [{ id }] = await master('GET', `/users?exact=true&username=${realm}`)
  t.teardown(() => master('DELETE', `/users/${id}`))
  await ends(t, { KEYCLOAK_ADMIN: realm, KEYCLOAK_ADMIN_PASSWORD: 'no-role-pw', KEYCLOAK_REALM: realm }, /^"setup-.*" lacks a role for POST \/admin\/realms, such as the role "admin" of the realm "master"/)
})

t.test('a realm that is set up otherwise is left as it is', async (t) => {
  const realm = realmFor(t)
  await addRealm({ realm, enabled: true, clients: [{ clientId: 'api', publicClient: false, standardFlowEnabled: true }] })
  const admin = adminOf(realm)
  const before = await admin('GET', '/clients')
  await ends(t, { KEYCLOAK_REALM: realm }, 'client "api" exists with another setting: standardFlowEnabled is true, not false; change it in the console')
  t.strictSame(await admin('GET', '/clients'), before)
})

t.test('an address of the API that has changed', async (t) => {
  const realm = realmFor(t)
  t.equal((await runScript({ KEYCLOAK_REALM: realm })).code, 0)
  await ends(t, { KEYCLOAK_REALM: realm, API_URL: 'http://127.0.0.1:3001' }, 'client "api" exists with another setting: adminUrl is "http://127.0.0.1:3000/keycloak", not "http://127.0.0.1:3001/keycloak"')
  await ends(t, { KEYCLOAK_REALM: realm, WEB_URL: 'http://127.0.0.1:3001' }, 'client "web" exists with another setting: redirectUris lacks "http://127.0.0.1:3001/"')
  await ends(t, { KEYCLOAK_REALM: realm, GRANT_TO: 'alice' }, 'user "alice" of GRANT_TO does not exist')
  const folder = t.testdir({ 'api.env': 'PORT=3000\n' })
  await ends(t, { KEYCLOAK_REALM: realm, ENV_FILE: join(folder, 'api.env') }, /^file .*api\.env of ENV_FILE exists with other content: move it/)
  await ends(t, { KEYCLOAK_REALM: realm, ENV_FILE: join(folder, 'none', 'api.env') }, /^file .*api\.env of ENV_FILE cannot be written: ENOENT/)
})
