// A thief has a token and proofs that its client has made, but not the key: no proof is good for another request, for another
// instance, or once more.
import { connect as connect2 } from 'node:http2'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import fc from 'fast-check'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import keycloak, { type KeycloakError, type ReplayStore } from '../../index.js'
import { Closing } from '../../lib/keycloak/closing.js'
import { dpopGroup } from '../../lib/options/dpop.js'
import { filledIn } from '../../lib/options/schemas.js'
import { DpopVerifier } from '../../lib/proof/dpop-verifier.js'
import { normalizedHtu } from '../../lib/proof/htu.js'
import { createRequestUrl } from '../../lib/proof/request-url.js'
import type { DpopOptions } from '../../types/dpop.js'
import { apiFor, ask, realmFor } from '../support/app.js'
import { boundTo, proofKey } from '../support/proofs.js'

const key = proofKey()
const thief = proofKey()

interface Api { app: FastifyInstance, token: string, port: number }

/** An API whose routes say which of them answered. */
async function listening (t: Test, dpop: DpopOptions | true, server: object = {}): Promise<Api> {
  const [realm, app] = [await realmFor(t), Fastify(server)]
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, dpop })
  app.addHook('preHandler', async (_request, reply) => { reply.header('x-in', 'yes') })
  for (const path of ['/', '/public', '/admin', '/admin/*', '/*']) app.get(path, { config: { authenticated: true } }, async () => path)
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, token: realm.token({ claims: boundTo(key) }), port: (app.server.address() as AddressInfo).port }
}

/** Status and body of a request with that target, and a proof for that URL. */
async function send ({ port, token }: Api, target: string, url: string, headers: readonly string[] = ['Host: api.example.com']): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.on('data', (chunk) => { received += String(chunk) })
  socket.write([`GET ${target} HTTP/1.1`, ...headers, `Authorization: DPoP ${token}`, `DPoP: ${key.proof({ url, token })}`, 'Connection: close', '', ''].join('\r\n'))
  await once(socket, 'close')
  const status = received.slice(9, 12)
  return status === '200' ? `200 ${received.slice(received.indexOf('\r\n\r\n') + 4)}` : status
}

t.test('the path that the route sees is the path of the proof: dot segments in a request fit no proof', async (t) => {
  const api = await listening(t, true)
  const at = (path: string): string => `http://api.example.com${path}`
  t.equal(await send(api, '/public', at('/public')), '200 /public')
  t.equal(await send(api, '/admin/../public', at('/public')), '401', 'the router would take it to /admin/*')
  for (const target of ['/admin/%2e%2e/public', '/admin/.%2E/public', '/admin/./x', '/admin/x/.', '/admin/x/..', '/..', '/.']) {
    for (const url of [at(target), normalizedHtu(at(target))!]) t.equal(await send(api, target, url), '401', `${target} with ${url}`)
  }
  t.equal(await send(api, '/public', at('/admin/../public')), '200 /public', 'a client may write its own URL as it likes')
  t.equal(await send(api, '/admin/.x/..y/...', at('/admin/.x/..y/...')), '200 /admin/*', 'no dot segments')
})

t.test('no request leaves the path of dpop.url, which other services of that host are beside', async (t) => {
  const api = await listening(t, { url: 'https://example.com/orders' })
  t.equal(await send(api, '/public', 'https://example.com/orders/public'), '200 /public')
  for (const target of ['/../billing/x', '/%2e%2e/billing/x', '/./../billing/x']) t.equal(await send(api, target, 'https://example.com/billing/x'), '401', target)
})

t.test('encoded slashes and doubled ones are other paths', async (t) => {
  const api = await listening(t, true)
  const at = (path: string): string => `http://api.example.com${path}`
  for (const [target, proven] of [['/admin%2Fx', '/admin/x'], ['/admin/x', '/admin%2Fx'], ['//admin', '/admin'], ['/admin/', '/admin'], ['/admin%252Fx', '/admin%2Fx'], ['/ADMIN', '/admin'], ['/admin;x', '/admin']] as const) {
    t.equal(await send(api, target, at(proven)), '401', target)
  }
  t.equal(await send(api, '/%61dmin', at('/admin')), '200 /admin', 'the router decodes it too')
  t.equal(await send(api, '/admin%2fx', at('/admin%2Fx')), '200 /*')
})

t.test('an absolute target without a path fits no proof if a slash follows, which routers take for the path', async (t) => {
  const of = (originalUrl: string): string | undefined => normalizedHtu(createRequestUrl('https://api.example.com')({ originalUrl } as FastifyRequest))
  for (const target of ['http://other?x/admin', 'http://other#x/admin', 'https://other?/admin']) t.equal(of(target), undefined, target)
  for (const target of ['http://other', 'http://other?y', 'http://other/']) t.equal(of(target), 'https://api.example.com/', target)
  const api = await listening(t, true)
  for (const target of ['http://other?x/admin', 'http://other?/admin']) t.equal(await send(api, target, 'http://api.example.com/'), '401', target)
})

t.test('HTTP/2: the host that decides on the route decides on the proof', async (t) => {
  const [realm, app] = [await realmFor(t), Fastify({ http2: true })]
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, dpop: true })
  for (const host of ['a.example', 'b.example']) app.get('/x', { config: { authenticated: true }, constraints: { host } }, async () => host)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const token = realm.token({ claims: boundTo(key) })
  const session = connect2(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`)
  t.teardown(() => session.close())
  async function answer (authority: string, host: string | undefined, proven: string): Promise<string> {
    const stream = session.request({ ':path': '/x', ':authority': authority, ...host !== undefined && { host }, authorization: `DPoP ${token}`, dpop: key.proof({ url: `http://${proven}/x`, token }) })
    let body = ''
    stream.setEncoding('utf8').on('data', (part) => { body += part })
    const [[headers]] = await Promise.all([once(stream, 'response'), once(stream, 'end')])
    return headers[':status'] === 200 ? body : String(headers[':status'])
  }
  t.equal(await answer('a.example', undefined, 'a.example'), 'a.example')
  t.equal(await answer('a.example', undefined, 'b.example'), '401')
  t.equal(await answer('a.example', 'b.example', 'a.example'), '401')
  t.equal(await answer('a.example', 'b.example', 'b.example'), 'b.example')
})

t.test('no header but DPoP has a proof', async (t) => {
  const { port, token } = await listening(t, true)
  const proof = key.proof({ url: 'http://a/public', token })
  for (const headers of [[`D_PoP: ${proof}`], [`X-DPoP: ${proof}`], [`Cookie: DPoP=${proof}`], ['DPoP:'], ['DPoP:', `X-A: a\tDPoP: ${proof}`]]) {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket.on('data', (chunk) => { received += String(chunk) })
    socket.write(['GET /public HTTP/1.1', 'Host: a', `Authorization: DPoP ${token}`, ...headers, 'Connection: close', '', ''].join('\r\n'))
    await once(socket, 'close')
    t.equal(received.slice(9, 12), '401', headers[0]!.slice(0, 8))
  }
})

/** A moment that each instance sees by its own clock, and a store that forgets by the true one. */
function instances (t: Test): { at: (seconds: number, clock: number) => void, store: ReplayStore } {
  let [now, offset] = [0, 0]
  t.intercept(Date, 'now', { value: () => (now + offset) * 1000 })
  const ends = new Map<string, number>()
  const store: ReplayStore = {
    add (key, milliseconds) {
      if ((ends.get(key) ?? -Infinity) > now) return false
      ends.set(key, now + milliseconds / 1000)
      return true
    }
  }
  return { at (seconds, clock) { [now, offset] = [seconds, clock] }, store }
}

t.test('of two instances whose clocks differ from that of the client by the leeway, one takes a proof', async (t) => {
  const [maxAge, leeway, start] = [30, 5, 1_800_000_000]
  const { at, store } = instances(t)
  const verifier = new DpopVerifier(filledIn(dpopGroup, { maxAge, leeway, replay: { store } }), { closing: new Closing(), log: { warn: () => {} } })
  const check = async (proof: string): Promise<string> => {
    try {
      await verifier.check(key.jkt, 'token', { method: 'GET', url: 'http://a/x', proofs: [proof] })
      return 'good'
    } catch (error) {
      return (error as KeycloakError).reasonCode
    }
  }
  const clock = fc.constantFrom(-leeway, -2.5, 0, 2.5, leeway)
  await fc.assert(fc.asyncProperty(clock, clock, fc.double({ min: 0, max: maxAge - 1, noNaN: true }), async (first, second, used) => {
    const proof = key.proof({ url: 'http://a/x', token: 'token', payload: { iat: start } })
    at(start + used, first)
    t.equal(await check(proof), 'good')
    const answers = new Set<string>()
    for (let later = used; later < maxAge + 4 * leeway; later += 0.5) {
      at(start + later, second)
      answers.add(await check(proof))
    }
    return !answers.has('good') && answers.has('proof_old')
  }), { numRuns: 30, examples: [[5, -5, 0], [5, -5, 25]] })
})

t.test('an instance whose clock is behind does not know the nonce of one that is ahead, and gives one that both take', async (t) => {
  const { at } = instances(t)
  const verifier = new DpopVerifier(filledIn(dpopGroup, { nonce: { secret: 's'.repeat(32), maxAge: 60 } }), { closing: new Closing(), log: { warn: () => {} } })
  const boundary = 60 * 30_000_000
  const ask = async (clock: number, nonce?: string): Promise<string> => {
    at(boundary, clock)
    const proof = key.proof({ url: 'http://a/x', token: 'token', payload: { iat: boundary }, ...nonce !== undefined && { nonce } })
    try {
      return `good ${await verifier.check(key.jkt, 'token', { method: 'GET', url: 'http://a/x', proofs: [proof] })}`
    } catch (error) {
      return (error as { dpopNonce: string }).dpopNonce
    }
  }
  const ahead = await ask(3)
  const behind = await ask(-3, ahead)
  t.not(behind, ahead)
  t.equal(await ask(-3, behind), 'good undefined')
  t.equal(await ask(3, behind), `good ${ahead}`)
})

t.test('who does not have the key fills no memory of used proofs, and who does stops nobody else\'s Bearer tokens', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { dpop: { replay: { max: 3 } } })
  const token = realm.token({ claims: boundTo(key) })
  const status = async (proof: string, of = token): Promise<number> => (await app.inject({ url: '/me', headers: { authorization: `DPoP ${of}`, dpop: proof } })).statusCode
  for (let times = 0; times < 10; times++) {
    t.equal(await status(key.proof({ token, key: thief.privateKey })), 401)
    t.equal(await status(thief.proof({ token })), 401)
    t.equal(await status(key.proof({ token: 'other' })), 401)
  }
  for (const expected of [200, 200, 200, 503, 503]) t.equal(await status(key.proof({ token })), expected)
  t.equal(await status(thief.proof({ token })), 401)
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(await ask(app, '/me', token), '401 token_not_valid')
})

t.test('a signature that OpenSSL takes in two forms is one proof', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { dpop: true })
  const token = realm.token({ claims: boundTo(key) })
  const status = async (proof: string): Promise<number> => (await app.inject({ url: '/me', headers: { authorization: `DPoP ${token}`, dpop: proof } })).statusCode
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const proof = key.proof({ token })
  const [header, payload, signature] = proof.split('.') as [string, string, string]
  const bytes = Buffer.from(signature, 'base64url')
  const s = order - BigInt(`0x${bytes.toString('hex', 32)}`)
  const twin = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]).toString('base64url')
  t.not(twin, signature)
  t.equal(await status(proof), 200)
  t.equal(await status(`${header}.${payload}.${twin}`), 401, 'its jti was used')
})
