import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import type { Test } from 'tap'
import type { TestRealm } from '../../lib/testing/index.js'
import { CERTIFICATE, KEY } from './certificate.js'
import type { CLIENTS } from './client-certificates.js'

/** A token of client credentials. */
const GRANTED = '{"access_token":"service.token.here","token_type":"Bearer","expires_in":300}'

type Client = typeof CLIENTS.a

export interface CertificateServer {
  /** The URL of the realm there. */
  serverUrl: string
  /** The client certificate that introspection takes. */
  taken: Client
  /** The calls of introspection and of the token endpoint: the common name of the certificate, and the form. */
  readonly calls: Array<{ subject: string | undefined, form: Record<string, string> }>
  /** The connections that were made. */
  readonly connections: Set<Duplex>
  /** The refusal of a certificate that is not taken. */
  refuses: { error: string, error_description: string }
  /** Answers introspection when it is called; else at once. */
  hold: ((answer: () => void) => void) | undefined
}

/** The endpoints of a realm behind TLS, with whose endpoints know their client by the certificate (tls_client_auth). */
export async function demandCertificate (t: Test, realm: TestRealm, taken: Client, tls: object = {}): Promise<CertificateServer> {
  const state: CertificateServer = { serverUrl: '', taken, calls: [], connections: new Set(), refuses: { error: 'invalid_client', error_description: 'Invalid client or Invalid client credentials' }, hold: undefined }
  const server = createServer({ cert: CERTIFICATE, key: KEY, requestCert: true, rejectUnauthorized: false, ...tls }, async (request, response) => {
    if (!/\/(introspect|token)$/.test(request.url!)) {
      const answer = await fetch(`${new URL(realm.issuer).origin}${request.url}`)
      response.writeHead(answer.status).end(await answer.text())
      return
    }
    const certificate = (request.socket as TLSSocket).getPeerX509Certificate()
    state.calls.push({ subject: certificate?.subject, form: Object.fromEntries(new URLSearchParams(await text(request))) })
    const answer = (): void => {
      if (certificate?.toString().trim() === state.taken.cert.trim()) response.end(request.url!.endsWith('/token') ? GRANTED : '{"active":true}')
      else response.writeHead(401).end(JSON.stringify(state.refuses))
    }
    if (state.hold === undefined) answer()
    else state.hold(answer)
  })
  server.on('connection', (socket) => state.connections.add(socket))
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close().closeAllConnections() })
  state.serverUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}/realms/test`
  return state
}
