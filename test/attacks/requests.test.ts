// Credentials come in one place, the Authorization header, as Node's parser gave it (RFC 6750 section 2, RFC 9112 section 11).
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { apiFor, bearer, logging, realmFor } from '../support/app.js'

/** Bytes over a socket as they are, and the status lines that come back. */
async function raw (app: FastifyInstance, text: string): Promise<string[]> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  // Where the server waits for more, there is nothing more to come.
  socket.setTimeout(3000, () => { socket.destroy() }).on('error', () => {})
  socket.write(Buffer.from(text, 'latin1'))
  let answer = ''
  socket.on('data', (chunk) => { answer += String(chunk) })
  await once(socket, 'close')
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status!)
}

function request (path: string, ...lines: string[]): string {
  return [`GET ${path} HTTP/1.1`, 'Host: localhost', ...lines, '', ''].join('\r\n')
}

t.test('a token anywhere else than in the Authorization header is not looked at', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.post('/me', { config: { authenticated: true } }, async () => 'ok')
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => { done(null, body) })
  const token = realm.token()
  const names = ['proxy-authorization', 'x-authorization', 'x-forwarded-authorization', 'x-original-authorization', 'authentication', 'www-authenticate', 'x-access-token', 'x-auth-token', 'token', 'authorization2']
  for (const name of names) t.equal((await app.inject({ url: '/me', headers: { [name]: `Bearer ${token}` } })).json().code, 'not_authenticated', name)
  for (const headers of [{ cookie: `access_token=${token}; token=${token}; KEYCLOAK_IDENTITY=${token}; Authorization=Bearer ${token}` }, { 'x-forwarded-user': 'admin', 'x-user': 'admin', 'x-remote-user': 'admin', 'x-forwarded-for': '127.0.0.1' },
    { 'x-original-url': '/open', 'x-rewrite-url': '/open', 'x-forwarded-uri': '/open', 'x-forwarded-prefix': '/open' }, { 'x-http-method-override': 'OPTIONS' }, { upgrade: 'h2c', connection: 'upgrade, http2-settings' }]) {
    t.equal((await app.inject({ url: '/me', headers })).json().code, 'not_authenticated', Object.keys(headers)[0])
  }
  for (const url of [`/me?access_token=${token}`, `/me?token=${token}`, `/me?authorization=Bearer%20${token}`, `/me?jwt=${token}`]) t.equal((await app.inject(url)).json().code, 'not_authenticated')
  const form = await app.inject({ method: 'POST', url: '/me', payload: `access_token=${token}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
  t.equal(form.json().code, 'not_authenticated', 'RFC 6750 section 2.2 is optional, and section 2.3 a mistake')
})

t.test('a good token behind another scheme is not a bearer token', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const token = realm.token()
  const basic = Buffer.from(`Bearer:${token}`).toString('base64')
  for (const value of [token, `Token ${token}`, `JWT ${token}`, `DPoP ${token}`, `OAuth ${token}`, `Basic ${basic}`, `Negotiate ${token}`, `Bearer=${token}`, `Bearer,${token}`, `Bearer;${token}`, `Bearer\u00a0${token}`, `Bearer\u2003${token}`,
    `Bearer\v${token}`, `Bearer\f${token}`, `\u00a0Bearer ${token}`, `"Bearer ${token}"`, `Bea\u0455er ${token}`, `\uff22earer ${token}`, `Bearer%20${token}`, `Bearer\n${token}`, `Bearer\0${token}`, ` Bearer ${token}`]) {
    const { statusCode, json } = await app.inject({ url: '/me', headers: { authorization: value } })
    t.equal(statusCode, 401, JSON.stringify(value.slice(0, 12)))
    t.match(json().code, /^(not_authenticated|bad_authorization_header|token_not_valid)$/)
  }
})

t.test('header lines that are folded, split or bent get nobody in', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, {}, log)
  const good = `Bearer ${realm.token()}`
  const close = 'Connection: close'
  const lines: Record<string, string[]> = {
    'a space before the colon': [`Authorization : ${good}`],
    'a tab before the colon': [`Authorization\t: ${good}`],
    folded: ['Authorization: Bearer', ` ${good.slice(7)}`],
    'folded by a tab': ['Authorization:', `\t${good}`],
    'a null in the name': [`Author\0ization: ${good}`],
    'a null in the value': [`Authorization: Bearer \0${good.slice(7)}`],
    'a lone line feed': [`X: y\nAuthorization: ${good}`],
    'a lone carriage return': [`X: y\rAuthorization: ${good}`],
    'underscores for dashes': [`Proxy_Authorization: ${good}`],
    'latin-1 in front': [`Authorization: \xa0${good}`],
    'latin-1 in the token': [`Authorization: ${good}\xff`],
    'named as hop-by-hop': [`Authorization: ${good}x`, 'Connection: authorization'],
    two: [`Authorization: ${good}`, `Authorization: ${good}`],
    'two in one': [`Authorization: ${good}, ${good}`],
    'a list': [`Authorization: Basic x, ${good}`],
    'a good one after an empty one': ['Authorization:', `Authorization: ${good}`],
    'in a trailer': ['Transfer-Encoding: chunked', 'Trailer: Authorization', '', '0', `Authorization: ${good}`]
  }
  for (const [name, each] of Object.entries(lines)) {
    const statuses = await raw(app, request('/me', ...(each.includes('') ? [close, ...each] : [...each, close])))
    t.ok(statuses.length > 0 && statuses.every((status) => status === '400' || status === '401'), `${name}: ${statuses}`)
  }
  t.same(await raw(app, request('/me', `Authorization: ${good}`, close)), ['200'], 'control')
  t.notOk(log.text.includes(good.slice(-40)))
})

t.test('who asks is asked anew with each request of a connection', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const good = `Authorization: Bearer ${realm.token()}`
  const last = request('/me', 'Connection: close')
  t.same(await raw(app, request('/me', good) + request('/me') + request('/me', good) + last), ['200', '401', '200', '401'])
  // A request in the body of another one is a body.
  const inner = request('/me', good)
  t.same(await raw(app, request('/me', `Content-Length: ${inner.length}`) + inner + last), ['401', '401'])
  for (const lines of [['Content-Length: 0', 'Transfer-Encoding: chunked'], ['Content-Length: 0', `Content-Length: ${inner.length}`], ['Transfer-Encoding: chunked, identity'], ['Transfer-Encoding: \vchunked']]) {
    t.same(await raw(app, request('/me', ...lines) + inner + last), ['400'], lines.join())
  }
})

t.test('the name of a realm breaks neither the challenge nor the header that it stands in', async (t) => {
  const realm = await realmFor(t)
  const named = (name: string) => apiFor(t, realm, { issuer: `https://sso.example.com/realms/${name}`, serverUrl: realm.issuer })
  for (const name of ['acme', 'a%22b', 'a%0D%0AX-Injected:1', 'a,error=x', '']) {
    const { headers } = await (await named(name)).inject('/me')
    t.match(headers['www-authenticate'], /^Bearer realm="[!#-[\]-~]*"$/, name)
    t.notOk('x-injected' in headers)
  }
  for (const name of ['a%0d%0aX-Injected:1', 'a"b', 'a\\', 'a", error="x', 'a\r\nX-Injected: 1', '\u00e4', '\u65e5\u672c', 'a b', 'a\0']) await t.rejects(named(name), /option "issuer" must be/, JSON.stringify(name))
})

t.test('a header longer than Node takes never reaches us, and does no harm', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  t.same(await raw(app, request('/me', `Authorization: Bearer ${'A'.repeat(20_000)}`)), ['431'])
  t.same(await raw(app, request('/me', `Authorization: Bearer ${'A.'.repeat(7000)}`, 'Connection: close')), ['401'])
  t.same(await raw(app, request('/me', `Authorization: Bearer ${realm.token()}`, 'Connection: close')), ['200'])
  t.equal((await app.inject({ method: 'HEAD', url: '/me' })).statusCode, 401)
  t.equal((await app.inject({ method: 'HEAD', url: '/me', headers: bearer(realm.token()) })).statusCode, 200)
})
