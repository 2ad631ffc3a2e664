// The URL and the proofs of a request as they come by a socket, by HTTP/2, and by what is not Node's.
import { once } from 'node:events'
import { connect as connect2, constants } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import { proofsOf } from '../../lib/proof/request-url.js'
import { realmFor } from '../support/app.js'
import { boundTo, proofKey } from '../support/proofs.js'

const key = proofKey()

interface Api { app: FastifyInstance, token: string, port: number }

async function listening (t: Test, server: object = {}): Promise<Api> {
  const [realm, app] = [await realmFor(t), Fastify(server)]
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, dpop: true })
  app.all('/*', { config: { authenticated: true } }, async () => 'in')
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, token: realm.token({ claims: boundTo(key) }), port: (app.server.address() as AddressInfo).port }
}

/** The status of a request with that first line and those lines of header. */
async function statusOf ({ port, token }: Api, line: string, headers: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.on('data', (chunk) => { received += String(chunk) })
  socket.write([line, ...headers, `Authorization: DPoP ${token}`, 'Connection: close', '', ''].join('\r\n'))
  await once(socket, 'close')
  return received.slice(9, 12)
}

t.test('the forms of a request target', async (t) => {
  const api = await listening(t)
  const status = (line: string, url: string, host = 'Host: api.example.com', method = 'GET'): Promise<string> =>
    statusOf(api, line, [host, `DPoP: ${key.proof({ method, url, token: api.token })}`])
  t.equal(await status('GET /x?y HTTP/1.1', 'http://api.example.com/x'), '200')
  t.equal(await status('GET /x HTTP/1.1', 'http://other.example.com/x'), '401')
  t.equal(await status('GET /x HTTP/1.1', 'http://api.example.com:8080/x', 'Host: API.example.com:8080'), '200')
  t.equal(await status('GET http://other.example.com/x HTTP/1.1', 'http://api.example.com/x'), '200', 'the host of the header counts')
  t.equal(await status('GET http://other.example.com?y HTTP/1.1', 'http://api.example.com/'), '200')
  t.equal(await status('GET /x HTTP/1.1', 'http://user@api.example.com/x', 'Host: user@api.example.com'), '401')
  t.equal(await status('GET /x HTTP/1.0', 'http:///x', 'X-None: x'), '401', 'no host')
  t.equal(await status('HEAD /x HTTP/1.1', 'http://api.example.com/x', undefined, 'HEAD'), '200')
})

t.test('several DPoP headers, in any case, are none that is good', async (t) => {
  const api = await listening(t)
  const proof = (): string => key.proof({ url: 'http://a/x', token: api.token })
  t.equal(await statusOf(api, 'GET /x HTTP/1.1', ['Host: a', `dPoP: ${proof()}`]), '200')
  t.equal(await statusOf(api, 'GET /x HTTP/1.1', ['Host: a', `DPoP: ${proof()}`, `dpop: ${proof()}`]), '401')
  t.equal(await statusOf(api, 'GET /x HTTP/1.1', ['Host: a', `DPoP: ${proof()}`, 'dpop:']), '401')
  t.equal(await statusOf(api, 'GET /x HTTP/1.1', ['Host: a', `DPoP: ${proof()}, ${proof()}`]), '401')
})

t.test('HTTP/2', async (t) => {
  const { port, token } = await listening(t, { http2: true })
  const session = connect2(`http://127.0.0.1:${port}`)
  t.teardown(() => session.close())
  const proof = (): string => key.proof({ url: `http://127.0.0.1:${port}/x`, token })
  async function status (dpop: string | string[]): Promise<unknown> {
    const stream = session.request({ ':path': '/x?y', authorization: `DPoP ${token}`, dpop })
    const [headers] = await once(stream, 'response')
    stream.close()
    return headers[constants.HTTP2_HEADER_STATUS]
  }
  t.equal(await status(proof()), 200)
  t.equal(await status([proof(), proof()]), 401)
})

t.test('a request without raw headers, such as one of injectWS, has the proof of its headers', async (t) => {
  const request = (headers: object): FastifyRequest => ({ headers, raw: {} }) as FastifyRequest
  t.same(proofsOf(request({ dpop: 'proof' })), ['proof'])
  t.same(proofsOf(request({})), [])
})
