import { type AddressInfo, connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { bearerToken } from '../../index.js'
import { apiFor, ask, realmFor } from '../support/app.js'

/** Header lines as they are, over a real socket: inject cannot send two of a name. */
async function send (app: FastifyInstance, lines: string[]): Promise<string> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(['GET /open HTTP/1.1', 'Host: localhost', 'Connection: close', ...lines, '', ''].join('\r\n'))
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))
  return `${answer.slice(9, 12)} ${body.code ?? body.user?.username ?? 'anonymous'}`
}

t.test('the scheme is Bearer in any case, then spaces, then one token', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const token = realm.token()
  for (const line of [`Bearer ${token}`, `bearer ${token}`, `BEARER ${token}`, `Bearer    ${token}`, `Bearer ${token}   `]) {
    t.equal(await send(app, [`Authorization: ${line}`]), '200 alice')
  }
})

t.test('no header, an empty one and another scheme leave a request anonymous', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  t.equal(await send(app, []), '200 anonymous')
  for (const value of ['', '   ', 'Basic YTpi', 'Digest x', 'Bearerx y', 'Bearer, x', `Bearer:${realm.token()}`, 'Token', 'DPoP x']) {
    t.equal(await send(app, [`Authorization: ${value}`]), '200 anonymous', value.slice(0, 12))
  }
  t.equal(realm.requests.certs, 0, 'and Keycloak is not asked')
})

t.test('Bearer with other than one token is bad_authorization_header', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const token = realm.token()
  for (const value of ['Bearer', 'Bearer  ', 'bearer', `Bearer ${token} ${token}`, `Bearer\t${token}`, `Bearer \t${token}`, `Bearer ${token}\tx`, 'Bearer a, Basic b']) {
    t.equal(await send(app, [`Authorization: ${value}`]), '401 bad_authorization_header', value.slice(0, 12))
  }
})

t.test('spaces at the end, which a proxy may leave, make no second token', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const get = async (authorization: string) => (await app.inject({ url: '/me', headers: { authorization } })).statusCode
  t.equal(await get(`Bearer ${realm.token()}  `), 200)
  t.equal(await get('Bearer   '), 401)
})

t.test('more than one Authorization header is refused, whatever their schemes and order', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const bearer = `Authorization: Bearer ${realm.token()}`
  t.equal(await send(app, [bearer, bearer]), '401 bad_authorization_header')
  t.equal(await send(app, ['Authorization: Basic YTpi', bearer]), '401 bad_authorization_header')
  t.equal(await send(app, ['Authorization:', bearer]), '401 bad_authorization_header', 'the first one empty')
  t.equal(await send(app, [bearer, 'X-Other: 1', 'AUTHORIZATION: Basic YTpi']), '401 bad_authorization_header')
})

t.test('a header of thousands of spaces is answered at once', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const response = await app.inject({ url: '/open', headers: { authorization: `Bearer a${' '.repeat(100_000)}b` } })
  t.equal(response.json().code, 'bad_authorization_header')
})

t.test('the challenge follows RFC 6750 section 3', async (t) => {
  const realm = await realmFor(t, { name: 'acme' })
  const app = await apiFor(t, realm)
  const challenge = async (url: string, authorization?: string) => {
    const { headers } = await app.inject({ url, headers: authorization === undefined ? {} : { authorization } })
    return headers['www-authenticate']
  }
  t.equal(await challenge('/me'), 'Bearer realm="acme"', 'no error where no credentials came')
  t.match(await challenge('/me', 'Bearer'), /^Bearer realm="acme", error="invalid_request", error_description="[^"]+"$/)
  t.match(await challenge('/me', 'Bearer x'), /^Bearer realm="acme", error="invalid_token", error_description="[^"]+"$/)
  t.match(await challenge('/me', `Bearer ${realm.token({ expired: true })}`), /error="invalid_token"/)
  t.match(await challenge('/profile', `Bearer ${realm.token()}`), /error="insufficient_scope", error_description="[^"]+"$/)
})

t.test('extractToken takes the place of the header', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { extractToken: ({ headers }) => headers['x-token'] as string | undefined })
  const token = realm.token()
  const get = async (headers: Record<string, string>) => (await app.inject({ url: '/open', headers })).json()
  t.equal((await get({ 'x-token': token })).user.username, 'alice')
  t.equal((await get({ 'x-token': '' })).user, null)
  t.equal((await get({ authorization: `Bearer ${token}` })).user, null)
  t.equal((await get({ 'x-token': 'x' })).code, 'token_not_valid')
})

t.test('extractToken can fall back on the header, which bearerToken reads', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { extractToken: (request) => (request.headers['x-token'] as string | undefined) ?? bearerToken(request) })
  const token = realm.token()
  const get = async (headers: Record<string, string>) => (await app.inject({ url: '/open', headers })).json()
  for (let times = 0; times < 3; times++) {
    t.equal((await get({ 'x-token': token })).user.username, 'alice')
    t.equal((await get({ authorization: `Bearer ${token}` })).user.username, 'alice')
  }
  t.equal((await get({})).user, null)
  for (const authorization of ['', 'Basic x']) t.equal((await get({ authorization })).user, null)
  t.equal((await get({ authorization: 'Bearer x y' })).code, 'bad_authorization_header')
})

t.test('an extractToken that returns null is anonymous; what is no string, or throws, is the application\'s error', async (t) => {
  const realm = await realmFor(t)
  t.equal(await ask(await apiFor(t, realm, { extractToken: () => null }), '/open'), '200')
  const promising = await apiFor(t, realm, { extractToken: (async () => realm.token()) as never })
  const response = await promising.inject('/open')
  t.equal(response.statusCode, 500)
  t.match(response.json().message, /extractToken is synchronous, it must not return a promise/)
  const wrong = await apiFor(t, realm, { extractToken: (() => 5) as never })
  t.match((await wrong.inject('/open')).json(), { statusCode: 500, message: 'extractToken must return a string or null, not a number' })
  const throwing = await apiFor(t, realm, { extractToken: () => { throw new Error('mine') } })
  t.match((await throwing.inject('/open')).json(), { statusCode: 500, message: 'mine' })
})
