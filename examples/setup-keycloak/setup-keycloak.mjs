// Sets up Keycloak for an API: the steps of docs/setup-keycloak.md by the admin API. One file to copy, without dependencies.
// It adds what is missing and changes nothing that is there: run it as often as you like.
//
//   KEYCLOAK_URL             address of Keycloak, such as https://sso.example.com
//   KEYCLOAK_ADMIN           an administrator of the realm "master"
//   KEYCLOAK_ADMIN_PASSWORD  their password
//   KEYCLOAK_REALM           the realm of the API; default acme
//   API_URL                  address of the API for Keycloak, such as https://api.example.com
//   WEB_URL                  address of the frontend for browsers, such as https://www.example.com
//   GRANT_TO                 optional: the user who gets the role
//   TRY_PASSWORD             optional, for a trial: adds that user with this password, and a client for tokens by curl
//   ENV_FILE                 optional: a new file, readable by you alone, for the settings and the secret of the API
//   WORKER_ENV_FILE          optional: the same for the service account
import { readFile, writeFile } from 'node:fs/promises'

// Names, for you to change.
const API = 'api'
const WEB = 'web'
const WORKER = 'worker'
const CLI = 'cli'
const ROLE = 'read-profile'
const SCOPE = 'reports:read'
/** Paths of the frontend to which a login returns; the second is the one of Swagger UI. */
const REDIRECT_PATHS = ['/', '/docs/static/oauth2-redirect.html']

const TIMEOUT_MS = 10_000
const TLS_FAILURE = /^(?:CERT_|DEPTH_ZERO|ERR_SSL|ERR_TLS|EPROTO|HOSTNAME_MISMATCH|SELF_SIGNED|UNABLE_TO)/

let settings
let token

try {
  settings = readSettings(process.env)
  token = await logIn()
  await setUp()
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

async function setUp () {
  const { realm, grantTo, tryPassword } = settings
  await ensure(`realm "${realm}"`, () => admin('GET', ''), { realm, enabled: true }, (wanted) => call('POST', '/admin/realms', wanted))
  const api = await addApi()
  const role = await addRole(api)
  const web = await addFrontend()
  if (grantTo) await grantRole(await addUser(grantTo, tryPassword), api, role)
  const scope = await addScope()
  await allowScope(web, scope)
  const worker = await addServiceAccount(api, role)
  if (tryPassword) await allowScope(await addTrialClient(), scope)
  const { issuer } = await call('GET', `/realms/${encodeURIComponent(realm)}/.well-known/openid-configuration`)
  await handOverSecret(api, 'ENV_FILE', { KEYCLOAK_ISSUER: issuer, KEYCLOAK_AUDIENCE: API, KEYCLOAK_WEB_CLIENT_ID: WEB })
  await handOverSecret(worker, 'WORKER_ENV_FILE', { KEYCLOAK_ISSUER: issuer })
  console.log(`The issuer is ${issuer}`)
}

/** Step 1, and the admin URL of step 9. */
async function addApi () {
  return ensureClient({ clientId: API, publicClient: false, adminUrl: `${settings.apiUrl}/keycloak` })
}

/** Step 2. */
async function addRole (api) {
  const path = `/clients/${api.id}/roles`
  return ensure(`role "${ROLE}" of client "${API}"`, () => admin('GET', `${path}/${encodeURIComponent(ROLE)}`), { name: ROLE }, (wanted) => admin('POST', path, wanted))
}

/** Step 3, and the back-channel logout of step 8. */
async function addFrontend () {
  const { apiUrl, webUrl } = settings
  const web = await ensureClient({
    clientId: WEB,
    publicClient: true,
    standardFlowEnabled: true,
    redirectUris: REDIRECT_PATHS.map((path) => webUrl + path),
    webOrigins: [new URL(webUrl).origin],
    frontchannelLogout: false,
    attributes: {
      'pkce.code.challenge.method': 'S256',
      'post.logout.redirect.uris': '+',
      'backchannel.logout.url': `${apiUrl}/backchannel-logout`,
      'backchannel.logout.session.required': 'true'
    }
  })
  await addAudience(web)
  return web
}

/** Step 4: the tokens of this client name the API in `aud`. */
async function addAudience ({ id, clientId }) {
  const path = `/clients/${id}/protocol-mappers/models`
  const name = `audience ${API}`
  await ensure(`mapper "${name}" of client "${clientId}"`, async () => (await admin('GET', path)).find((mapper) => mapper.name === name), {
    name,
    protocol: 'openid-connect',
    protocolMapper: 'oidc-audience-mapper',
    config: { 'included.client.audience': API, 'access.token.claim': 'true', 'introspection.token.claim': 'true', 'id.token.claim': 'false' }
  }, (wanted) => admin('POST', path, wanted))
}

/** Step 5. */
async function grantRole (user, client, role) {
  const path = `/users/${user.id}/role-mappings/clients/${client.id}`
  await ensure(`role "${role.name}" of user "${user.username}"`, async () => (await admin('GET', path)).find(({ id }) => id === role.id), {}, () => admin('POST', path, [role]))
}

/** The password of a user who exists stays as it is. */
async function addUser (username, password) {
  const find = async () => (await admin('GET', `/users?exact=true&username=${encodeURIComponent(username)}`))[0]
  return ensure(`user "${username}"`, find, { enabled: true }, () => password
    ? admin('POST', '/users', { username, enabled: true, email: `${username}@example.com`, firstName: username, lastName: 'Example', credentials: [{ type: 'password', value: password }] })
    : fail(`user "${username}" of GRANT_TO does not exist: add the user in the console, or set TRY_PASSWORD`))
}

/** Step 6. */
async function addScope () {
  return ensure(`client scope "${SCOPE}"`, async () => (await admin('GET', '/client-scopes')).find(({ name }) => name === SCOPE), {
    name: SCOPE, protocol: 'openid-connect', attributes: { 'include.in.token.scope': 'true' }
  }, (wanted) => admin('POST', '/client-scopes', wanted))
}

/** Step 6: the client may ask for the scope. */
async function allowScope ({ id, clientId }, { id: scopeId, name }) {
  const lists = await Promise.all(['default', 'optional'].map((type) => admin('GET', `/clients/${id}/${type}-client-scopes`)))
  await ensure(`scope "${name}" of client "${clientId}"`, () => lists.flat().find((each) => each.id === scopeId), {}, () => admin('PUT', `/clients/${id}/optional-client-scopes/${scopeId}`))
}

/** Step 7. */
async function addServiceAccount (api, role) {
  const worker = await ensureClient({ clientId: WORKER, publicClient: false, serviceAccountsEnabled: true })
  await addAudience(worker)
  await grantRole(await admin('GET', `/clients/${worker.id}/service-account-user`), api, role)
  return worker
}

/** For a trial: a client that gets tokens by name and password. Not for production. */
async function addTrialClient () {
  const cli = await ensureClient({ clientId: CLI, publicClient: true, directAccessGrantsEnabled: true })
  await addAudience(cli)
  return cli
}

/** A client whose flows are off unless they are wanted. */
async function ensureClient (wanted) {
  const flows = { standardFlowEnabled: false, directAccessGrantsEnabled: false, serviceAccountsEnabled: false }
  const find = async () => (await admin('GET', `/clients?clientId=${encodeURIComponent(wanted.clientId)}`))[0]
  return ensure(`client "${wanted.clientId}"`, find, { enabled: true, ...flows, ...wanted }, (client) => admin('POST', '/clients', client))
}

/** Adds the thing if it is missing. A thing that is there with another setting ends the script: nothing is overwritten. */
async function ensure (thing, find, wanted, add) {
  const found = await find()
  const difference = found && firstDifference(found, wanted)
  if (difference) fail(`${thing} exists with another setting: ${difference}; change it in the console, or take another name at the top of this file`)
  if (!found) await add(wanted)
  console.log(`${found ? 'exists' : 'added '}  ${thing}`)
  return found ?? await find()
}

function firstDifference (found, wanted, before = '') {
  for (const [key, value] of Object.entries(wanted)) {
    const there = found?.[key]
    if (Array.isArray(value)) {
      const missing = value.find((each) => !there?.includes(each))
      if (missing !== undefined) return `${before}${key} lacks "${missing}"`
    } else if (typeof value === 'object') {
      const difference = firstDifference(there, value, `${before}${key}.`)
      if (difference) return difference
    } else if (there !== value) return `${before}${key} is ${JSON.stringify(there)}, not ${JSON.stringify(value)}`
  }
}

/** Writes the secret to a new file, or says where it is. The secret is never printed. */
async function handOverSecret ({ id, clientId }, variable, names) {
  const file = process.env[variable]
  if (!file) return console.log(`The secret of client "${clientId}" is in the console, at Clients > ${clientId} > Credentials; ${variable} would name a file for it`)
  const { value } = await admin('GET', `/clients/${id}/client-secret`)
  const lines = Object.entries({ ...names, KEYCLOAK_CLIENT_ID: clientId, KEYCLOAK_CLIENT_SECRET: value }).map((entry) => `${entry.join('=')}\n`).join('')
  const exists = await writeFile(file, lines, { flag: 'wx', mode: 0o600 }).then(() => false, ({ code }) => code === 'EEXIST' || fail(`file ${file} of ${variable} cannot be written: ${code}`))
  if (exists && await readFile(file, 'utf8') !== lines) fail(`file ${file} of ${variable} exists with other content: move it, or name another file`)
  console.log(`${exists ? 'exists' : 'added '}  file ${file} with the secret of client "${clientId}"`)
}

async function logIn () {
  const { administrator, password } = settings
  const form = new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', username: administrator, password })
  const { json, said } = await send('POST', '/realms/master/protocol/openid-connect/token', form)
  if (json?.error === 'invalid_grant') fail(`the login of "${administrator}" is refused: KEYCLOAK_ADMIN or KEYCLOAK_ADMIN_PASSWORD is wrong`)
  return json?.access_token ?? fail(`KEYCLOAK_URL is not the address of a Keycloak: the login of the administrator is answered ${said}`)
}

/** A call of the admin API about the realm. */
async function admin (method, path, body) {
  return call(method, `/admin/realms/${encodeURIComponent(settings.realm)}${path}`, body)
}

/** @returns the JSON of the answer, or `undefined` if there is none */
async function call (method, path, body) {
  const { status, json, said } = await send(method, path, body && JSON.stringify(body), { authorization: `Bearer ${token}`, 'content-type': 'application/json' })
  if (status === 404 && method === 'GET') return undefined
  if (status === 403) fail(`"${settings.administrator}" lacks a role for ${method} ${path}, such as the role "admin" of the realm "master": the answer is ${said}`)
  if (status >= 300) fail(`${method} ${path} is answered ${said}`)
  return json
}

async function send (method, path, body, headers) {
  const { keycloak } = settings
  try {
    // A redirect is not followed: it would take the password to another host.
    const response = await fetch(keycloak + path, { method, body, headers, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })
    const text = await response.text()
    const json = /\bjson\b/.test(response.headers.get('content-type')) && text !== '' ? JSON.parse(text) : undefined
    const reason = json?.error_description ?? json?.errorMessage ?? json?.error ?? response.headers.get('location')
    return { status: response.status, json, said: `${response.status}${reason ? ` ${JSON.stringify(reason)}` : ''}` }
  } catch (error) {
    const { code = error.message } = error.cause ?? error
    if (error.name === 'TimeoutError') fail(`Keycloak at ${keycloak} has not answered within ${TIMEOUT_MS / 1000} s`)
    if (TLS_FAILURE.test(code)) fail(`TLS to ${keycloak} fails (${code}): check https or http in KEYCLOAK_URL, or name your certificate authority by NODE_EXTRA_CA_CERTS`)
    fail(`Keycloak at ${keycloak} is unreachable (${code}): start it, or correct KEYCLOAK_URL`)
  }
}

function readSettings (env) {
  const text = (name) => env[name] || fail(`${name} is not set`)
  const address = (name) => {
    const url = URL.canParse(text(name)) ? new URL(env[name]) : {}
    if (/^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash) return url.href.replace(/\/+$/, '')
    fail(`${name} is not an http(s) address without user, query and fragment, such as https://sso.example.com`)
  }
  if (env.TRY_PASSWORD && !env.GRANT_TO) fail('GRANT_TO is not set, and TRY_PASSWORD needs it: it is the password of that user')
  return {
    keycloak: address('KEYCLOAK_URL'),
    administrator: text('KEYCLOAK_ADMIN'),
    password: text('KEYCLOAK_ADMIN_PASSWORD'),
    realm: env.KEYCLOAK_REALM || 'acme',
    apiUrl: address('API_URL'),
    webUrl: address('WEB_URL'),
    grantTo: env.GRANT_TO,
    tryPassword: env.TRY_PASSWORD
  }
}

function fail (sentence) {
  throw new Error(sentence)
}
