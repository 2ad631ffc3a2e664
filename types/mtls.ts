import type { FastifyRequest } from 'fastify'

/** Access tokens that are bound to a client certificate (RFC 8705 section 3). */
export interface MtlsOptions {
  /**
   * The header in which a proxy hands on the certificate of the client: `client-cert` (RFC 9440), `ssl-client-cert`
   * (URL-encoded PEM of nginx) or `x-forwarded-client-cert` (Envoy). The proxy has to remove what a client sent by this name.
   * The certificate of the TLS connection does not count then.
   */
  header?: 'client-cert' | 'x-forwarded-client-cert' | 'ssl-client-cert'
  /**
   * The addresses of the proxies whose header counts, as addresses or networks: `['10.0.0.0/8', '::1']`; `unix` for a Unix
   * socket. It is the address of the connection, never one of a header. A network of all addresses is refused.
   */
  proxies?: readonly string[]
  /**
   * Refuse every token that is not bound to a key, on routes that are open to anonymous callers too.
   * @default false
   */
  required?: boolean
  /** Finds the certificate that the client has proven, in DER or PEM; `undefined` if there is none. Synchronous. */
  certificate?: (request: FastifyRequest) => Buffer | string | undefined
}
