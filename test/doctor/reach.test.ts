// Why Keycloak cannot be reached, told apart, each with the setting that mends it.
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'
import t, { type Test } from 'tap'
import { Agent } from 'undici'
import { realmFor } from '../support/app.js'
import { CERTIFICATE, KEY } from '../support/certificate.js'
import { discovers, required } from '../support/doctor.js'

/** Where a server listens that ends with the test. */
async function portOf (t: Test, server: Server): Promise<number> {
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

/** A dispatcher whose connections fail with this code, as a network far from here would have them fail. */
function failing (code: string): Agent {
  return new Agent().compose(() => () => { throw Object.assign(new Error('hostile text'), { code }) }) as Agent
}

t.test('nothing listens there', async (t) => {
  const realm = await realmFor(t)
  await realm.down()
  const { port } = new URL(realm.issuer)
  t.equal((await required(t, realm)).message, `fastify-keycloak-bearer: Keycloak cannot be reached at ${realm.issuer} (ECONNREFUSED): nothing listens on port ${port} of 127.0.0.1: start Keycloak, or correct the port in issuer; in a container localhost is the container itself, so give Keycloak's address by serverUrl`)
  t.match(await required(t, realm, { serverUrl: realm.issuer }), { checks: ['unreachable'], message: /correct the port in serverUrl; in a container localhost is the container itself$/ })
})

t.test('the host has no such name', async (t) => {
  const realm = await realmFor(t)
  t.match(await required(t, realm, { serverUrl: 'http://keycloak.invalid:8080/realms/test' }), { checks: ['unreachable'], message: /the host name keycloak\.invalid/ })
})

t.test('each failure of a network names the part of the address, or the setting', async (t) => {
  const realm = await realmFor(t)
  const cases: Array<[code: string, check: string, sentence: RegExp]> = [
    ['ENOTFOUND', 'unreachable', /the host name sso\.example\.com is unknown to DNS: correct it in issuer, or give an address that this machine knows by serverUrl$/],
    ['EAI_AGAIN', 'unreachable', /DNS gave no answer for the host name sso\.example\.com/],
    ['ECONNREFUSED', 'unreachable', /nothing listens on port 443 of sso\.example\.com: start Keycloak, or correct the port in issuer$/],
    ['EHOSTUNREACH', 'unreachable', /no network route leads to sso\.example\.com: correct the host in issuer/],
    ['UND_ERR_CONNECT_TIMEOUT', 'unreachable', /no answer came within 5000 ms/],
    ['ETIMEDOUT', 'unreachable', /a firewall is on the way/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls', /its certificate is not for sso\.example\.com: write the host name that the certificate has into issuer$/],
    ['CERT_HAS_EXPIRED', 'tls', /not valid today: renew it, or set the clock/],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls', /give the PEM of that authority by connect\.ca of your dispatcher$/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tls', /if it wants a client certificate, give that to a dispatcher of yours$/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls', /port 443 does not speak TLS: write http:\/\/ in issuer, or the port that does$/],
    ['ECONNRESET', 'unreachable', /the connection is cut: port 443 may not speak TLS/],
    ['EPERM', 'unreachable', /\(EPERM\): the call failed: correct issuer, or the proxies on the way$/],
    ['hostile text', 'unreachable', /\(the call failed\): the connection is cut/]
  ]
  for (const [code, check, sentence] of cases) {
    const refusal = await required(t, realm, { issuer: 'https://sso.example.com/realms/test', dispatcher: failing(code) })
    t.match(refusal, { checks: [check], message: sentence }, code)
    t.notMatch(refusal.message, 'hostile')
  }
  t.match(await required(t, realm, { issuer: 'http://sso.example.com/realms/test', dispatcher: failing('ECONNREFUSED') }), { message: /port 80 of/ })
  t.match(await required(t, realm, { serverUrl: 'http://keycloak/realms/test', dispatcher: failing('ENOTFOUND') }), { message: /correct it in serverUrl$/ })
})

t.test('nobody answers in time', async (t) => {
  const realm = await realmFor(t)
  realm.hang('discovery')
  t.match(await required(t, realm, { jwks: { timeout: 100 } }), { checks: ['unreachable'], message: /\(no answer within 100 ms\).* or Keycloak needs a longer jwks\.timeout$/ })
})

t.test('TLS: an authority that nobody knows, another host, and none at all', async (t) => {
  const realm = await realmFor(t)
  const tls = await portOf(t, createTlsServer({ cert: CERTIFICATE, key: KEY }, (_request, response) => { response.end('{}') }))
  const plain = await portOf(t, createServer((_request, response) => { response.end('{}') }))
  t.match(await required(t, realm, { serverUrl: `https://127.0.0.1:${tls}/realms/test` }), { checks: ['tls'], message: /from no authority that Node trusts: give the PEM of that authority by the option ca$/ })
  t.match(await required(t, realm, { serverUrl: `https://localhost:${tls}/realms/test`, ca: CERTIFICATE }), { checks: ['tls'], message: /its certificate is not for localhost/ })
  t.match(await required(t, realm, { serverUrl: `https://127.0.0.1:${plain}/realms/test` }), { checks: ['tls'], message: /does not speak TLS: write http:\/\/ in serverUrl/ })
  t.match(await required(t, realm, { serverUrl: `http://127.0.0.1:${tls}/realms/test` }), { checks: ['unreachable'], message: /does not speak HTTP: write https:\/\/ in serverUrl if it speaks TLS, else correct the port$/ })
})

t.test('what answers is no HTTP', async (t) => {
  const realm = await realmFor(t)
  const ssh = await portOf(t, createTcpServer((socket) => {
    socket.on('error', () => {})
    socket.end('SSH-2.0-OpenSSH_9.2\r\n')
  }))
  t.match(await required(t, realm, { serverUrl: `http://127.0.0.1:${ssh}/realms/test` }), { checks: ['unreachable'], message: /the server at port \d+ does not speak HTTP/ })
})

t.test('a realm that does not exist', async (t) => {
  const realm = await realmFor(t)
  realm.respond('other', (_request, response) => { response.writeHead(404).end('{"error":"Realm does not exist"}') })
  const issuer = realm.issuer.replace('/test', '/Test')
  t.same(await required(t, realm, { issuer }), {
    checks: ['realm_unknown'],
    message: 'fastify-keycloak-bearer: Keycloak has no realm "Test" (status 404): correct the end of issuer, where small and capital letters count'
  }, 'as Keycloak says it')
})

t.test('a path that Keycloak does not have', async (t) => {
  const realm = await realmFor(t)
  const { origin } = new URL(realm.issuer)
  const refusal = async (path: string) => required(t, realm, { serverUrl: `${origin}${path}` })
  t.match(await refusal('/auth/realms/test'), { checks: ['realm_unknown'], message: `correct the realm's name, where small and capital letters count, or the path before it, as in serverUrl: "${origin}/realms/test"` })
  t.match(await refusal('/realms/tset'), { checks: ['realm_unknown'], message: `serverUrl: "${origin}/auth/realms/tset"` })
  t.match(await refusal('/'), { checks: ['realm_unknown'], message: `${origin} is not the URL of a realm (status 404): write serverUrl with /realms/ and the realm's name at its end, such as "${realm.issuer}"` })
  t.match(await required(t, realm, { issuer: origin }), { message: `such as "${origin}/realms/acme"` })
  t.equal(realm.lastRequest('other')?.url, '/.well-known/openid-configuration', 'one slash')
})

t.test('a redirect is not followed, and its end is named where it is a realm\'s', async (t) => {
  const realm = await realmFor(t)
  const refusal = async (headers: Record<string, string>) => {
    realm.respond('discovery', (_request, response) => { response.writeHead(301, headers).end() })
    return required(t, realm)
  }
  const https = 'https://sso.example.com/realms/test'
  t.match(await refusal({ location: `${https}/.well-known/openid-configuration` }), { checks: ['redirect'], message: `write issuer: "${https}", if that is your Keycloak` })
  const others: Array<Record<string, string>> = [{}, { location: '/login?secret=1' }, { location: 'https://me:secret@sso.example.com/' }, { location: `https://secret/${'a'.repeat(300)}` }]
  for (const headers of others) {
    const { message } = await refusal(headers)
    t.match(message, /write the address it leads to into issuer, such as https:\/\/ instead of http:\/\/$/)
    t.notMatch(message, 'secret')
  }
})

t.test('what answers is not Keycloak, or a guard before it', async (t) => {
  const realm = await realmFor(t)
  const refusal = async (status: number, body: string) => {
    realm.respond('discovery', (_request, response) => { response.writeHead(status).end(body) })
    return required(t, realm)
  }
  for (const body of ['<html>secret</html>', '{}', '{"issuer":5}', '[]', `{"issuer":${'['.repeat(50)}${']'.repeat(50)}}`]) {
    const { message, checks } = await refusal(200, body)
    t.same(checks, ['not_keycloak'])
    t.match(message, /is not Keycloak \(the body is not a discovery document\): correct issuer, whose path ends in \/realms\/ and the realm's name$/)
    t.notMatch(message, 'secret')
  }
  t.match(await refusal(200, ' '.repeat(200_000)), { checks: ['not_keycloak'], message: /the body has more than 131072 bytes/ })
  t.match(await refusal(418, ''), { checks: ['not_keycloak'], message: /status 418/ })
  t.match(await refusal(403, ''), { checks: ['not_keycloak'], message: /a proxy before Keycloak forbids .* \(status 403\): let this machine through to \/realms\// })
  t.match(await refusal(401, ''), { checks: ['not_keycloak'] })
  t.match(await refusal(502, ''), { checks: ['unreachable'], message: /the proxy before it has no server to send to/ })
  discovers(realm, { issuer: realm.issuer })
  t.same((await required(t, realm)).checks, [])
})
