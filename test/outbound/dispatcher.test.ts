// A dispatcher that adds tokens to requests of some origins, by real sockets.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { Agent, fetch as undiciFetch, interceptors, request as undiciRequest } from 'undici'
import keycloak, { type DispatcherOptions } from '../../index.js'
import { apiFor, bearer, realmFor, until } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { LOGOUT, logOut } from '../support/logout.js'
import { boundTo, proofKey } from '../support/proofs.js'
import { claimsOf, EXCHANGE, tokenEndpointOf } from '../support/token-endpoint.js'

interface Arrived {
  readonly method: string
  readonly url: string
  /** The token; `undefined` without one. */
  readonly token: string | undefined
  readonly body: string
}

interface OtherService {
  readonly origin: string
  readonly arrived: Arrived[]
  answer: (request: Arrived, response: ServerResponse) => void
}

/** Another service, which answers 200. */
async function serviceFor (t: Test): Promise<OtherService> {
  const service: { origin: string, arrived: Arrived[], answer: OtherService['answer'] } = { origin: '', arrived: [], answer: (_request, response) => { response.end('ok') } }
  const server = createServer(async (request: IncomingMessage, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const arrived = { method: request.method!, url: request.url!, token: request.headers.authorization?.replace(/^Bearer /, ''), body }
    service.arrived.push(arrived)
    service.answer(arrived, response)
  })
  server.listen(0, '127.0.0.1')
  await until(() => server.listening)
  t.teardown(() => { server.close().closeAllConnections() })
  service.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return service
}

async function tokensFor (t: Test, options: object = {}) {
  const realm = await realmFor(t)
  const endpoint = tokenEndpointOf(realm)
  const app = await apiFor(t, realm, options)
  return { realm, endpoint, app, service: await serviceFor(t) }
}

function refuseOnce (service: OtherService, length = 0): void {
  let refused = false
  service.answer = (_request, response) => {
    if (!refused) response.writeHead(401, { 'www-authenticate': 'Bearer' })
    response.end(refused ? 'ok' : 'x'.repeat(length))
    refused = true
  }
}

/** An API that calls `handle` with an accepted request, and answers what it gives. */
function withRoute (app: FastifyInstance, handle: (request: never) => Promise<unknown>): void {
  app.get('/call', { config: { public: true } }, async (request) => ({ result: await handle(request as never) }))
}

t.test('fetch, undici and its fetch send the token to the listed origin alone', async (t) => {
  const { app, service, endpoint } = await tokensFor(t)
  const other = await serviceFor(t)
  const dispatcher = app.keycloak.dispatcher({ to: [service.origin], as: 'service', scope: 'orders' })
  for (const { origin } of [service, other]) {
    t.equal(await (await fetch(`${origin}/a?b=c`, { dispatcher } as RequestInit)).text(), 'ok')
    t.equal(await (await undiciFetch(`${origin}/b`, { dispatcher, method: 'POST', body: 'text' })).text(), 'ok')
    t.equal(await (await undiciRequest(`${origin}/c`, { dispatcher })).body.text(), 'ok')
    t.equal(await (await dispatcher.request({ origin, path: '/d', method: 'GET' })).body.text(), 'ok')
  }
  const token = await app.keycloak.serviceToken({ scope: 'orders' })
  t.equal(endpoint.calls.length, 1)
  t.same(service.arrived.map(({ url, body, token: sent }) => [url, body, sent === token]), [['/a?b=c', '', true], ['/b', 'text', true], ['/c', '', true], ['/d', '', true]])
  t.same(other.arrived.map((arrived) => arrived.token), [undefined, undefined, undefined, undefined])
})

t.test('other headers stay, in each form that undici has', async (t) => {
  const { app } = await tokensFor(t)
  const seen: unknown[] = []
  const server = createServer((request, response) => {
    seen.push([request.headers['x-one'], request.headers['x-two'], request.headers.authorization?.slice(0, 9)])
    response.end()
  }).listen(0, '127.0.0.1')
  t.teardown(() => { server.close().closeAllConnections() })
  await until(() => server.listening)
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const own = app.keycloak.dispatcher({ to: [`${origin}/`], as: 'service' })
  for (const headers of [{ 'x-one': '1', 'x-two': '2' }, ['x-one', '1', 'x-two', '2'], new Map([['x-one', '1'], ['x-two', '2']]), new Headers({ 'x-one': '1', 'x-two': '2' })]) {
    await (await undiciRequest(origin, { dispatcher: own, headers: headers as never })).body.dump()
  }
  t.same(seen, Array(4).fill(['1', '2', 'Bearer ey']))
})

t.test('a request that has an Authorization header is not sent', async (t) => {
  const { app, service } = await tokensFor(t)
  const dispatcher = app.keycloak.dispatcher({ to: [service.origin], as: 'service' })
  const other = await serviceFor(t)
  await t.rejects(undiciRequest(service.origin, { dispatcher, headers: { AUTHORIZATION: 'Bearer mine' } }), { name: 'TypeError', message: /has an Authorization header already/ })
  await t.rejects(fetch(service.origin, { dispatcher, headers: { authorization: 'Bearer mine' } } as RequestInit), { cause: { message: /has an Authorization header already/ } })
  t.equal(service.arrived.length, 0)
  await (await undiciRequest(other.origin, { dispatcher, headers: { authorization: 'Bearer mine' } })).body.dump()
  t.equal(other.arrived[0]!.token, 'mine', 'to another origin it is the application\'s')
})

t.test('a redirect to another origin goes without the token, and one back is not followed', async (t) => {
  const { app, service } = await tokensFor(t)
  const [other, second] = [await serviceFor(t), await serviceFor(t)]
  const dispatcher = app.keycloak.dispatcher({ to: [service.origin, second.origin], as: 'service' })
  const redirecting = dispatcher.compose(interceptors.redirect({ maxRedirections: 3 }))
  const ways: Array<[string, (url: string) => Promise<unknown>]> = [
    ['fetch', (url) => fetch(url, { dispatcher } as RequestInit)],
    ['undici fetch', (url) => undiciFetch(url, { dispatcher })],
    ['interceptor', async (url) => (await undiciRequest(url, { dispatcher: redirecting })).body.dump()]
  ]
  const redirect = (target: string, status = 307) => (_request: Arrived, response: ServerResponse): void => { response.writeHead(status, { location: target }).end() }
  const answer = service.answer
  for (const [name, call] of ways) {
    for (const each of [service, other, second]) each.arrived.splice(0)
    service.answer = redirect(`${other.origin}/there`)
    await call(service.origin)
    t.same([service.arrived.length, other.arrived.map(({ url, token }) => [url, token])], [1, [['/there', undefined]]], name)
    service.answer = (request, response) => request.url === '/' ? redirect('/same')(request, response) : answer(request, response)
    await call(service.origin)
    t.same(service.arrived.slice(1).map(({ url, token }) => [url, token !== undefined]), [['/', true], ['/same', true]], `${name}: the same origin has the token already`)
    for (const [from, target] of [[other, `${service.origin}/attack`], [service, `${second.origin}/attack`], [other, `//${new URL(service.origin).host}/attack`]] as const) {
      from.answer = redirect(target)
      const refused = await call(from.origin).then(() => undefined, (error: Error) => error)
      t.match(String(refused?.cause ?? refused), /not followed/, name)
      from.answer = answer
    }
    t.notOk([...service.arrived, ...second.arrived].some(({ url }) => url === '/attack'), name)
    service.answer = answer
  }
  for (const status of [300, 301, 302, 303, 308]) {
    other.answer = redirect(`${service.origin}/attack`, status)
    await t.rejects(undiciRequest(other.origin, { dispatcher: redirecting }), /not followed/, `${status}`)
  }
  t.notOk(service.arrived.some(({ url }) => url === '/attack'))
  other.answer = redirect('http://[nowhere')
  t.equal((await undiciRequest(other.origin, { dispatcher })).statusCode, 307, 'what is no URL leads nowhere')
})

t.test('the path of a request does not name its origin', async (t) => {
  const { app, service } = await tokensFor(t)
  const other = await serviceFor(t)
  const dispatcher = app.keycloak.dispatcher({ to: [service.origin], as: 'service' })
  await (await dispatcher.request({ origin: other.origin, path: `${service.origin}/x`, method: 'GET' })).body.dump()
  await (await dispatcher.request({ origin: new URL(other.origin), path: `//${new URL(service.origin).host}/x`, method: 'GET' })).body.dump()
  t.same(other.arrived.map(({ token }) => token), [undefined, undefined])
  await t.rejects(dispatcher.request({ path: '/', method: 'GET' }), { name: 'TypeError', message: /needs a whole URL/ })
})

t.test('after a 401 the request is made once more with a new token, and no more', async (t) => {
  const clocks = clocksFor(t)
  const { app, service, endpoint } = await tokensFor(t)
  const dispatcher = app.keycloak.dispatcher({ to: [service.origin], as: 'service' })
  const first = await app.keycloak.serviceToken()
  service.answer = ({ token }, response) => { response.writeHead(token === first ? 401 : 200).end(token === first ? 'no' : 'yes') }
  t.equal((await fetch(service.origin, { dispatcher } as RequestInit)).status, 401, 'a token of a moment ago is not asked for anew')
  clocks.advance(6)
  t.equal(await (await fetch(service.origin, { dispatcher } as RequestInit)).text(), 'yes')
  t.same([service.arrived.length, endpoint.calls.length], [3, 2])
  t.not(await app.keycloak.serviceToken(), first)
  service.answer = (_request, response) => { response.writeHead(401).end('never') }
  clocks.advance(6)
  const refused = await fetch(service.origin, { dispatcher } as RequestInit)
  t.same([refused.status, await refused.text()], [401, 'never'])
  t.same([service.arrived.length, endpoint.calls.length], [5, 3])
  for (let times = 0; times < 5; times++) t.equal((await fetch(service.origin, { dispatcher } as RequestInit)).status, 401)
  t.same([service.arrived.length, endpoint.calls.length], [10, 3], 'a service that refuses all tokens costs no calls to Keycloak')
})

t.test('bodies that can be sent again are, and streams are not', async (t) => {
  const clocks = clocksFor(t)
  const { app, service } = await tokensFor(t)
  const dispatcher = app.keycloak.dispatcher({ to: [service.origin], as: 'service' })
  await app.keycloak.serviceToken()
  const long = 'x'.repeat(70_000)
  const stream = (text: string) => new ReadableStream({ start (controller) { controller.enqueue(Buffer.from(text)); controller.close() } })
  const cases: Array<[name: string, call: () => Promise<{ status?: number, statusCode?: number }>, status: number, bodies: string[]]> = [
    ['fetch: text', () => fetch(service.origin, { dispatcher, method: 'POST', body: 'text' } as RequestInit), 200, ['text', 'text']],
    ['fetch: bytes', () => fetch(service.origin, { dispatcher, method: 'POST', body: new Uint8Array([65, 66]) } as RequestInit), 200, ['AB', 'AB']],
    ['fetch: long text', () => fetch(service.origin, { dispatcher, method: 'POST', body: long } as RequestInit), 401, [long]],
    ['fetch: stream', () => fetch(service.origin, { dispatcher, method: 'POST', body: stream('s'), duplex: 'half' } as RequestInit), 401, ['s']],
    ['undici: text', () => undiciRequest(service.origin, { dispatcher, method: 'POST', body: long }), 200, [long, long]],
    ['undici: buffer', () => undiciRequest(service.origin, { dispatcher, method: 'POST', body: Buffer.from('b') }), 200, ['b', 'b']],
    ['undici: stream', () => undiciRequest(service.origin, { dispatcher, method: 'POST', body: Readable.from(['s']) }), 401, ['s']]
  ]
  for (const [name, call, status, bodies] of cases) {
    clocks.advance(6)
    refuseOnce(service)
    service.arrived.splice(0)
    const response = await call()
    t.equal(response.status ?? response.statusCode, status, name)
    t.same(service.arrived.map(({ body }) => body), bodies, name)
  }
  const wrongLength = { dispatcher, method: 'POST' as const, body: Readable.from(['long', 'er', 'than', 'said']), headers: { 'content-length': '5' } }
  await t.rejects(undiciRequest(service.origin, wrongLength), /another length/)
})

t.test('a refusal that is too long to be read is ended', async (t) => {
  const clocks = clocksFor(t)
  const { app, service } = await tokensFor(t)
  const dispatcher = app.keycloak.dispatcher({ to: [service.origin], as: 'service' })
  await app.keycloak.serviceToken()
  clocks.advance(6)
  refuseOnce(service, 10_000_000)
  t.equal((await fetch(service.origin, { dispatcher } as RequestInit)).status, 200)
  clocks.advance(6)
  service.answer = (_request, response) => {
    response.writeHead(401, { 'content-length': '100' }).write('x')
    setImmediate(() => response.destroy())
  }
  await t.rejects(undiciRequest(service.origin, { dispatcher }), { code: 'UND_ERR_SOCKET' })
})

t.test('no new token is to be had: the kept one stays for other services', async (t) => {
  const clocks = clocksFor(t)
  const { app, service, endpoint } = await tokensFor(t)
  const dispatcher = app.keycloak.dispatcher({ to: [service.origin], as: 'service' })
  const first = await app.keycloak.serviceToken()
  clocks.advance(6)
  endpoint.refuse(500, 'unknown_error')
  service.answer = (_request, response) => { response.writeHead(401).end('no') }
  await t.rejects(undiciRequest(service.origin, { dispatcher }), { code: 'keycloak_unavailable', statusCode: 503 })
  const again = await undiciRequest(service.origin, { dispatcher })
  t.equal(again.statusCode, 401, 'Keycloak is not asked again within a second')
  await again.body.dump()
  clocks.advance(1.1)
  await t.rejects(fetch(service.origin, { dispatcher } as RequestInit), { message: 'fetch failed', cause: { code: 'keycloak_unavailable' } })
  t.equal(await app.keycloak.serviceToken(), first)
  clocks.advance(1.1)
  endpoint.refuse(401, 'unauthorized_client', 'Client not enabled to retrieve service account')
  await t.rejects(fetch(service.origin, { dispatcher } as RequestInit), { cause: { code: 'exchange_refused', statusCode: 502 } }, 'Keycloak refuses')
  await t.rejects(app.keycloak.serviceToken(), { code: 'exchange_refused' }, 'and the token falls')
})

t.test('a refused token is not kept on because the next one says nothing of its life', async (t) => {
  const clocks = clocksFor(t)
  const { app, service, endpoint } = await tokensFor(t)
  const dispatcher = app.keycloak.dispatcher({ to: [service.origin], as: 'service' })
  const first = await app.keycloak.serviceToken()
  clocks.advance(6)
  endpoint.more = { expires_in: undefined }
  refuseOnce(service)
  t.equal((await undiciRequest(service.origin, { dispatcher })).statusCode, 200)
  t.not(await app.keycloak.serviceToken(), first)
})

t.test('a late 401 for a token that was replaced meanwhile asks Keycloak for no other', async (t) => {
  const clocks = clocksFor(t)
  const { app, service, endpoint } = await tokensFor(t)
  const dispatcher = app.keycloak.dispatcher({ to: [service.origin], as: 'service' })
  const first = await app.keycloak.serviceToken()
  clocks.advance(6)
  const held: Array<() => void> = []
  service.answer = ({ token }, response) => {
    const answer = (): void => { response.writeHead(token === first ? 401 : 200).end() }
    if (held.length === 0) held.push(answer)
    else answer()
  }
  const late = undiciRequest(service.origin, { dispatcher })
  await until(() => held.length === 1)
  t.equal((await undiciRequest(service.origin, { dispatcher })).statusCode, 200)
  held[0]!()
  t.equal((await late).statusCode, 200)
  t.equal(endpoint.calls.length, 2)
})

t.test('as: "exchange" sends the exchanged token of the caller, and a new one after a 401', async (t) => {
  const clocks = clocksFor(t)
  const { app, realm, service, endpoint } = await tokensFor(t, LOGOUT)
  withRoute(app, async (request) => {
    const dispatcher = app.keycloak.dispatcher({ to: [service.origin], as: 'exchange', request, audience: 'orders', scope: 'read' })
    return (await undiciRequest(service.origin, { dispatcher })).statusCode
  })
  const call = async (token?: string): Promise<unknown> => {
    const response = await app.inject({ url: '/call', headers: token === undefined ? {} : bearer(token) })
    return response.json().result ?? response.json().code
  }
  const token = realm.token()
  t.equal(await call(token), 200)
  t.match(endpoint.calls.map((form) => Object.fromEntries(form)), [{ grant_type: EXCHANGE, audience: 'orders', scope: 'read', subject_token: token }])
  t.match(claimsOf(service.arrived[0]!.token!), { sub: claimsOf(token).sub, aud: 'orders' })
  clocks.advance(6)
  refuseOnce(service)
  t.equal(await call(token), 200)
  t.equal(endpoint.calls.length, 2)
  t.not(service.arrived[2]!.token, service.arrived[1]!.token)
  t.equal(await call(), 'not_authenticated')
  clocks.advance(6)
  endpoint.answer = async (answer) => {
    await logOut(app, realm)
    endpoint.grant(answer)
  }
  refuseOnce(service)
  t.equal(await call(token), 'token_not_valid', 'a logout meanwhile')
})

t.test('as: "caller" forwards the token of the caller, unless it is bound to a key or has ended', async (t) => {
  const { app, realm, service, endpoint } = await tokensFor(t, { dpop: true, clientSecret: undefined, ...LOGOUT })
  let dispatcher: DispatcherOptions['dispatcher']
  withRoute(app, async (request) => {
    dispatcher = app.keycloak.dispatcher({ to: [service.origin], as: 'caller', request })
    return (await undiciRequest(service.origin, { dispatcher: dispatcher as Agent })).statusCode
  })
  const token = realm.token()
  t.equal((await app.inject({ url: '/call', headers: bearer(token) })).json().result, 200)
  t.equal(service.arrived[0]!.token, token)
  service.answer = (_request, response) => { response.writeHead(401).end() }
  t.equal((await app.inject({ url: '/call', headers: bearer(token) })).json().result, 401)
  await logOut(app, realm)
  await t.rejects(undiciRequest(service.origin, { dispatcher: dispatcher as Agent }), { code: 'token_not_valid' })
  const key = proofKey()
  const bound = realm.token({ username: 'bob', claims: boundTo(key) })
  const response = await app.inject({ url: '/call', headers: { authorization: `DPoP ${bound}`, dpop: key.proof({ token: bound, url: 'http://localhost:80/call' }) } })
  t.match(response.json(), { statusCode: 502, code: 'exchange_refused' })
  t.same([service.arrived.length, endpoint.calls.length], [2, 0])
})

t.test('a dispatcher of the application makes the requests, behind interceptors too', async (t) => {
  const { app, service } = await tokensFor(t)
  const agent = new Agent()
  t.teardown(() => agent.close())
  const paths: string[] = []
  const base = agent.compose((dispatch) => (options, handler) => {
    paths.push(options.path)
    return dispatch(options, handler)
  })
  const dispatcher = app.keycloak.dispatcher({ to: [service.origin], as: 'service', dispatcher: base })
  const composed = dispatcher.compose([(dispatch: Agent['dispatch']): Agent['dispatch'] => (options, handler) => dispatch({ ...options, path: '/rewritten' }, handler)])
  t.equal(await (await composed.request({ origin: service.origin, path: '/', method: 'GET' })).body.text(), 'ok')
  t.same(paths, ['/rewritten'])
  const chunks: string[] = []
  const { Writable } = await import('node:stream')
  await dispatcher.stream({ origin: service.origin, path: '/s', method: 'GET' }, () => new Writable({ write (chunk, _encoding, done) { chunks.push(String(chunk)); done() } }))
  t.same(chunks, ['ok'])
  t.throws(() => dispatcher.pipeline(), /has no pipeline/)
  await dispatcher.close()
  await dispatcher.destroy()
  t.equal((await undiciRequest(service.origin, { dispatcher })).statusCode, 200, 'its connections are the application\'s')
})

t.test('a dispatcher that cannot make a request fails it', async (t) => {
  const { app, service } = await tokensFor(t)
  const dispatcher = app.keycloak.dispatcher({ to: [service.origin], as: 'service' })
  await t.rejects(dispatcher.request({ origin: service.origin, path: 'no slash', method: 'GET' }), { code: 'UND_ERR_INVALID_ARG' })
  service.answer = (_request, response) => { response.destroy() }
  await t.rejects(fetch(service.origin, { dispatcher } as RequestInit), { message: 'fetch failed' })
})

t.test('an upgrade and a CONNECT have the token', async (t) => {
  const { app } = await tokensFor(t)
  const seen: unknown[] = []
  const server = createServer().listen(0, '127.0.0.1')
  server.on('upgrade', (request, socket) => {
    seen.push(request.headers.authorization?.slice(0, 9))
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n')
  })
  server.on('connect', (request, socket) => {
    seen.push(request.headers.authorization?.slice(0, 9))
    socket.end('HTTP/1.1 200 OK\r\n\r\n')
  })
  t.teardown(() => { server.close().closeAllConnections() })
  await until(() => server.listening)
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const dispatcher = app.keycloak.dispatcher({ to: [origin], as: 'service' })
  ;(await dispatcher.upgrade({ origin, path: '/', protocol: 'test' })).socket.destroy()
  ;(await dispatcher.connect({ origin, path: 'host:1' })).socket.destroy()
  t.same(seen, ['Bearer ey', 'Bearer ey'])
})

t.test('fetch can be aborted, and its headers and cookies arrive', async (t) => {
  const { app, service } = await tokensFor(t)
  const dispatcher = app.keycloak.dispatcher({ to: [service.origin], as: 'service' })
  service.answer = (_request, response) => {
    response.writeEarlyHints({ link: '</a>; rel=preload' })
    response.writeHead(200, { 'set-cookie': ['a=1', 'b=2'], 'x-one': 'ä' }).end('x'.repeat(1_000_000))
  }
  const response = await fetch(service.origin, { dispatcher } as RequestInit)
  t.same(response.headers.getSetCookie(), ['a=1', 'b=2'])
  t.equal((await response.text()).length, 1_000_000)
  service.answer = () => {}
  const controller = new AbortController()
  const waiting = fetch(service.origin, { dispatcher, signal: controller.signal } as RequestInit)
  await until(() => service.arrived.length === 2)
  controller.abort()
  await t.rejects(waiting, { name: 'AbortError' })
})

t.test('requests end with the API', async (t) => {
  const { app, service } = await tokensFor(t)
  const dispatcher = app.keycloak.dispatcher({ to: [service.origin], as: 'service' })
  service.answer = () => {}
  const waiting = undiciRequest(service.origin, { dispatcher })
  waiting.catch(() => {})
  await until(() => service.arrived.length === 1)
  await app.close()
  await t.rejects(waiting)
  await t.rejects(undiciRequest(service.origin, { dispatcher }), /the API is closed/)
})

t.test('wrong parameters give a sentence', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const to = ['https://orders.example.com']
  const request = {}
  const wrong: Array<[given: unknown, sentence: RegExp]> = [
    [undefined, /takes an object such as/],
    [{ to }, /needs as: "service", "caller" or "exchange"/],
    [{ to, as: 'user' }, /needs as:/],
    [{ as: 'service' }, /needs to as an array of origins/],
    [{ to: [], as: 'service' }, /needs to as an array/],
    [{ to: to[0], as: 'service' }, /needs to as an array/],
    ...['x', 1, 'https://a.example/path', 'https://a.example?x', 'https://u:p@a.example', 'ftp://a.example', 'https://a.example/#x'].map((entry) => [{ to: [...to, entry], as: 'service' }, /needs to\[1\] as an origin/] as [unknown, RegExp]),
    [{ to: ['http://orders.internal'], as: 'service' }, /needs to\[0\] with https/],
    [{ to, as: 'service', allowHttp: 'yes' }, /needs allowHttp as true or false/],
    [{ to, as: 'service', audience: 'x' }, /takes scope and issuer, and nothing else/],
    [{ to, as: 'service', request }, /takes no request/],
    [{ to, as: 'service', dispatcher: {} }, /needs dispatcher as one of undici 7 or 8/],
    [{ to, as: 'exchange' }, /needs the request/],
    [{ to, as: 'exchange', request }, /needs audience/],
    [{ to, as: 'caller' }, /needs the request/],
    [{ to, as: 'caller', request, scope: 'x' }, /nothing else about the token/]
  ]
  for (const [given, message] of wrong) t.throws(() => app.keycloak.dispatcher(given as never), { name: 'TypeError', message }, JSON.stringify(given))
  t.throws(() => app.keycloak.dispatcher({ to, as: 'caller', request: request as never }), { code: 'not_authenticated' })
  t.ok(app.keycloak.dispatcher({ to: ['http://orders.internal', 'http://localhost:3000', 'HTTPS://A.example:443'], as: 'service', allowHttp: true }))
})

t.test('several issuers and no credentials are told by the request', async (t) => {
  const realm = await realmFor(t)
  const service = await serviceFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  const { clientSecret, ...options } = realm.options
  await app.register(keycloak, options)
  const dispatcher = app.keycloak.dispatcher({ to: [service.origin], as: 'service', issuer: 'test' })
  await t.rejects(undiciRequest(service.origin, { dispatcher }), { name: 'TypeError', message: /clientSecret, clientAssertion or clientCertificate/ })
  t.equal(service.arrived.length, 0)
})
