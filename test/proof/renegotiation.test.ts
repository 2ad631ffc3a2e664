// A client may renegotiate TLS 1.2 with another certificate, or with none. The certificate of now counts, on each request.
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { CLIENTS } from '../support/client-certificates.js'
import { apiOverTls, type Client } from '../support/tls-api.js'

async function connected (t: Test, port: number, client: Client): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, maxVersion: 'TLSv1.2', ...client })
  t.teardown(() => { socket.destroy() })
  await once(socket, 'secureConnect')
  return socket
}

/** The status of a request on a connection that stays open. */
async function statusOn (socket: TLSSocket, token: string): Promise<string> {
  let received = ''
  const listener = (part: Buffer): void => { received += String(part) }
  socket.on('data', listener)
  socket.write(`GET /me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  while (!/\r\n\r\n\{.*\}$/s.test(received)) await once(socket, 'data')
  socket.off('data', listener)
  return received.slice(9, 12)
}

function renegotiated (socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.renegotiate({ rejectUnauthorized: false, requestCert: true }, (error) => error === null ? resolve() : reject(error))
  })
}

t.test('a renegotiation neither takes the certificate away nor gives one', async (t) => {
  const { port, token } = await apiOverTls(t)
  for (const [client, status] of [[CLIENTS.a, '200'], [CLIENTS.b, '401'], [{}, '401']] as const) {
    const socket = await connected(t, port, client)
    t.equal(await statusOn(socket, token), status)
    await renegotiated(socket)
    t.equal(await statusOn(socket, token), status)
  }
})

// Node's own client cannot change its certificate. By one of OpenSSL's the socket of the server was seen to give, after each
// renegotiation, the new certificate or none: the same is put in its place here.
t.test('on one connection each request needs the certificate of that moment', async (t) => {
  const { app, realm, port, token } = await apiOverTls(t)
  let current: X509Certificate | undefined
  app.server.on('secureConnection', (socket: TLSSocket) => { socket.getPeerX509Certificate = () => current })
  const socket = await connected(t, port, {})
  const tokenOfB = realm.token({ certificate: CLIENTS.b.cert })
  for (const [cert, a, b] of [[undefined, '401', '401'], [CLIENTS.a.cert, '200', '401'], [CLIENTS.b.cert, '401', '200'], [undefined, '401', '401'], [CLIENTS.a.cert, '200', '401']] as const) {
    current = cert === undefined ? undefined : new X509Certificate(cert)
    const shown = current === undefined ? 'none' : createHash('sha256').update(current.raw).digest('hex').slice(0, 8)
    for (let times = 0; times < 2; times++) {
      t.equal(await statusOn(socket, token), a, `the token of a with ${shown}`)
      t.equal(await statusOn(socket, tokenOfB), b, `the token of b with ${shown}`)
    }
  }
})
