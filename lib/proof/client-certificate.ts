import { BlockList } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import { addProxy, type MtlsSettings } from '../options/mtls.js'
import { kindOf } from '../util/kind-of.js'
import { isThenable } from '../util/maybe-promise.js'
import { CertificateHeader } from './certificate-header.js'
import { digestOf, thumbprintOf } from './thumbprint.js'

interface Log { warn: (sentence: string) => void }

/** @returns a function that gives the thumbprint of the certificate which the client of a request has proven (RFC 8705 section 3.1) */
export function createCertificateThumbprint ({ header, proxies, certificate }: MtlsSettings, log: Log): (request: FastifyRequest) => string | undefined {
  if (certificate !== undefined) return ofApplication(certificate as (request: FastifyRequest) => unknown)
  return header === undefined ? ofConnection : ofProxy(new CertificateHeader(header), proxies!, log)
}

/** Read anew for each request, because a client may renegotiate TLS 1.2 with another certificate. */
function ofConnection ({ raw }: FastifyRequest): string | undefined {
  const { stream } = raw as { stream?: { session?: { socket: TLSSocket } } }
  const socket = (stream?.session?.socket ?? raw.socket) as Partial<TLSSocket> | undefined
  const der = socket?.getPeerX509Certificate?.()?.raw
  return der && digestOf(der)
}

function ofApplication (find: (request: FastifyRequest) => unknown): (request: FastifyRequest) => string | undefined {
  return (request) => {
    const found = find(request)
    if (found === undefined) return undefined
    // A promise is refused below, and its rejection has to be handled nevertheless, since it ends the process otherwise.
    if (isThenable(found)) Promise.resolve(found).catch(() => {})
    if (typeof found !== 'string' && !Buffer.isBuffer(found)) throw new TypeError(`mtls.certificate must return a certificate in DER or PEM, or undefined, not ${kindOf(found)}`)
    const thumbprint = thumbprintOf(found)
    if (thumbprint === undefined) throw new TypeError('mtls.certificate returned what is no certificate in DER or PEM')
    return thumbprint
  }
}

/** The header counts only from a proxy that the operator has named, by the address of the connection itself. */
function ofProxy (header: CertificateHeader, proxies: readonly string[], log: Log): (request: FastifyRequest) => string | undefined {
  const addresses = new BlockList()
  for (const proxy of proxies) {
    if (proxy !== 'unix') addProxy(addresses, proxy)
  }
  const takesUnix = proxies.includes('unix')
  let warned = false
  return (request) => {
    const values = header.valuesIn(request)
    if (values.length === 0) return undefined
    if (isProxy(request, addresses, takesUnix)) return header.thumbprint(values)
    if (!warned) log.warn(`mtls: a request has the header of a client certificate, but comes from ${peerOf(request)}, which is not in mtls.proxies; the header counts as absent. Add the address if it is a proxy of yours`)
    warned = true
    return undefined
  }
}

/** The address of the connection itself, which its client cannot write. */
function peerOf ({ raw, server }: FastifyRequest): string {
  return raw.socket.remoteAddress ?? (typeof server.server.address() === 'string' ? 'a Unix socket ("unix")' : 'a connection that is closed')
}

/** A connection by a Unix socket has no address; but neither has one that is closed, so the server's own address decides. */
function isProxy ({ raw, server }: FastifyRequest, addresses: BlockList, takesUnix: boolean): boolean {
  const address = raw.socket.remoteAddress
  if (address === undefined) return takesUnix && typeof server.server.address() === 'string'
  const plain = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
  return addresses.check(plain, plain.includes(':') ? 'ipv6' : 'ipv4')
}
