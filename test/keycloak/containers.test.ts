// The compose file of examples/containers, whose services are started from packages: a browser and an API that know Keycloak by two
// names, a proxy that ends TLS, and Keycloak in production mode, which comes up after the API.
import { execFile } from 'node:child_process'
import { lookup } from 'node:dns'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import t from 'tap'
import { Agent, setGlobalDispatcher } from 'undici'
import { proofKey } from '../support/proofs.js'
import { isHealthy } from './compose.js'
import { containers } from './containers.js'
import { browserLogin, call, decode, json, pause } from './helpers.js'

const example = await containers(t)
const { services, port, ca, folder, commands } = example
const SSO = `https://sso.localhost:${port('8443')}`
const API = `https://api.localhost:${port('8443')}`
const ISSUER = `${SSO}/realms/acme`
const endpoints = `${ISSUER}/protocol/openid-connect`

// Browsers find these names by themselves, and trust the certificate that their user accepts.
const agent = new Agent({
  connect: { ca, lookup: (name, options, found) => lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, options, found) }
})
setGlobalDispatcher(agent)
t.teardown(() => agent.close())

await example.postgres()
const api = await example.api()
const proxy = await example.proxy()

/** The status of an answer of the API through the proxy, with its code if it has one: `401 token_expired`. */
async function answer (path: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await call(`${API}${path}`, { headers })
  const text = await response.text()
  const { code } = /^\{.*"code"/.test(text) ? JSON.parse(text) : {}
  return [response.status, code].filter(Boolean).join(' ')
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

async function until (holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!await holds()) {
    for (const { child, said } of [api, proxy]) if (child.exitCode !== null) throw new Error(`A service has ended:\n${said}`)
    await pause(200)
  }
}

/** A token that looks as if the realm had made it. */
const unknown = [{ alg: 'RS256', typ: 'JWT', kid: 'k'.repeat(43) }, { iss: ISSUER, aud: 'api' }, 'signature']
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')

t.test('the API starts before Keycloak, answers 503 to tokens, and is live but not ready', async (t) => {
  await until(async () => await answer('/live').catch(() => '') === '200')
  t.notOk(isHealthy(services.api!))
  t.equal(await answer('/profile'), '401 not_authenticated')
  t.equal(await answer('/profile', bearer(unknown)), '503 keycloak_unavailable')
  t.equal((await call(ISSUER)).status, 502, 'the proxy does not reach Keycloak either')
})

t.test('Keycloak comes up, and the API notices it without a request and without a restart', async (t) => {
  const started = Date.now()
  const keycloak = await example.keycloak()
  await until(() => {
    if (keycloak.child.exitCode !== null) throw new Error(`Keycloak has ended:\n${keycloak.said}`)
    return isHealthy(services.keycloak!)
  })
  t.comment(`Keycloak was healthy after ${((Date.now() - started) / 1000).toFixed(1)} s`)
  await until(() => isHealthy(services.api!))
  t.equal(api.child.exitCode, null)
  t.equal((await json(await call(`${ISSUER}/.well-known/openid-configuration`))).issuer, ISSUER)
  t.equal((await json(await call(`${services.api!.environment.KEYCLOAK_SERVER_URL}/.well-known/openid-configuration`))).issuer, ISSUER,
    'by the name inside of the network it is the same')
})

t.test('a user logs in through the proxy, and the API asks Keycloak inside of the network about the token', async (t) => {
  const frontend = { endpoints, redirect: 'http://localhost:5173/' }
  const tokens = await browserLogin('alice', 'openid', new Map(), frontend)
  t.equal(decode(tokens.access_token).claims.iss, services.api!.environment.KEYCLOAK_ISSUER)
  t.equal(await answer('/profile', bearer(tokens.access_token)), '200')
  t.equal(await answer('/profile', bearer((await browserLogin('bob', 'openid', new Map(), frontend)).access_token)), '403 permission_denied')

  await call(`${endpoints}/logout`, { method: 'POST', body: new URLSearchParams({ client_id: 'web', refresh_token: tokens.refresh_token }) })
  t.equal(await answer('/profile', bearer(tokens.access_token)), '401 token_not_valid')
  t.match(api.said, /a back-channel logout was carried out: 1 session/, 'Keycloak has called the API')
  t.equal((await call(`${API}/backchannel-logout`, { method: 'POST' })).status, 404, 'nobody outside can')
})

t.test('the curl lines of README are answered by the status that they name', async (t) => {
  const block = commands.find((text) => text.includes('login ()'))!
  const script = example.here(block).replaceAll('curl -i', 'curl -s -o /dev/null -w "%{http_code}\\n"')
  const { stdout } = await promisify(execFile)('sh', ['-c', script], { cwd: folder, timeout: 60_000 })
  t.same(stdout.trim().split('\n'), [...block.matchAll(/^curl -i.*# (\d{3})$/gm)].map(([, status]) => status))
})

t.test('a DPoP proof names the URLs that the client sees, of Keycloak and of the API', async (t) => {
  const key = proofKey()
  const token: string = (await json(await call(`${endpoints}/token`, {
    method: 'POST',
    headers: { dpop: key.proof({ method: 'POST', url: `${endpoints}/token` }) },
    body: new URLSearchParams({ grant_type: 'password', client_id: 'cli', username: 'alice', password: 'alice-pw' })
  }))).access_token
  const headers = (url: string) => ({ authorization: `DPoP ${token}`, dpop: key.proof({ url, token }) })
  t.equal(await answer('/profile', headers(`${API}/profile`)), '200')
  t.equal(await answer('/profile', headers(`http://127.0.0.1:${port('api:3000')}/profile`)), '401 dpop_proof_not_valid')
})

t.test('a token of 30 kB reaches the API, and a longer one is refused by the proxy', async (t) => {
  const [header, , signature] = unknown.split('.')
  const withPayload = (length: number) => bearer(`${header}.${'A'.repeat(length)}.${signature}`)
  t.equal(await answer('/profile', withPayload(30_000)), '401 token_not_valid')
  t.equal(await answer('/profile', withPayload(34_000)), '400')
})

t.test('a client cannot say who it is by the headers of proxies', async (t) => {
  t.equal(await answer('/live', { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-host': 'elsewhere.example', 'x-forwarded-proto': 'http' }), '200')
  t.match(api.said, '"remoteAddress":"127.0.0.1"')
  t.notMatch(api.said, /203\.0\.113\.9|elsewhere/)
  t.equal((await call(`${ISSUER}/.well-known/openid-configuration`, { headers: { 'x-forwarded-host': 'elsewhere.example' } }).then(json)).issuer, ISSUER)
})

/** The answer to a request whose lines are sent as they are, on a connection for that name. */
async function raw (servername: string, lines: string[]): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: port('8443'), servername, ca })
  socket.write([...lines, 'connection: close', '', ''].join('\r\n'))
  return text(socket)
}

t.test('the proxy passes to Keycloak what users need, and nothing of the administration', async (t) => {
  const status = async (path: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(await raw('sso.localhost', [`GET ${path} HTTP/1.1`, 'host: sso.localhost']))![1])
  for (const path of ['/realms/acme/account', '/realms/acme/protocol/openid-connect/certs']) t.not(await status(path), 404, path)
  for (const path of ['/admin/', '/admin/master/console/', '/%61dmin/', '/realms/../admin/', '/realms/%2e%2e/admin/', '/realms/..%2fadmin/', '/metrics', '/health', '/']) t.equal(await status(path), 404, path)
  for (const path of ['/realms/..;/admin/', '/realms/%252e%252e/admin/', '/realms/x%5c..%5c..%5cadmin/', '/realms/%3b/../../../admin']) t.equal(await status(path), 400, path)
})

t.test('what arrives at the API is what the proxy says of host, address and certificate, whatever a client writes', async (t) => {
  const gone = once(api.child, 'close')
  api.child.kill()
  await gone
  const echo = createServer(({ headers }, response) => response.end(JSON.stringify(headers))).listen(port('api:3000'), '127.0.0.1')
  t.teardown(() => echo.close())
  await once(echo, 'listening')
  const lies = [
    'x-forwarded-for: 203.0.113.9', 'x-forwarded-host: evil.example', 'x-forwarded-proto: http', 'x-forwarded-port: 1', 'x-forwarded-prefix: /evil',
    'forwarded: for=203.0.113.9;host=evil.example', 'x-real-ip: 203.0.113.9', 'client-cert: :AA==:', 'client-cert-chain: :AA==:', 'ssl-client-cert: x',
    'ssl_client_cert: x', 'x-forwarded-client-cert: Hash=x', 'authorization: Bearer x'
  ]
  const own = `api.localhost:${port('8443')}`
  for (const [line, host] of [['/x', own], [`https://${own}/x`, 'evil.example']]) {
    const answer = await raw('api.localhost', [`GET ${line} HTTP/1.1`, `host: ${host}`, ...lies])
    t.same(JSON.parse(/\{.*\}/.exec(answer)![0]), { host: own, 'x-forwarded-host': own, 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'https', authorization: 'Bearer x' }, line)
  }
  for (const lines of [['GET /x HTTP/1.1', 'host: evil.example'], ['GET https://evil.example/x HTTP/1.1', `host: ${own}`]]) {
    t.match(await raw('api.localhost', [...lines, ...lies]), /^HTTP\/1\.1 421/)
  }
})
