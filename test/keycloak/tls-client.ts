// A client of Keycloak and of the API that presents its certificate when it connects.
import { createHash, X509Certificate } from 'node:crypto'
import type { Test } from 'tap'
import { Agent, fetch } from 'undici'
import { CERTIFICATE } from '../support/certificate.js'
import type { CLIENTS } from '../support/client-certificates.js'
import type { Tokens } from './tokens.js'

const server = process.env.KEYCLOAK_HTTPS_URL
if (server === undefined) throw new Error('These tests need a Keycloak that trusts their certificates: start them with npm run test:keycloak, without KEYCLOAK_URL.')

export interface TlsClient {
  /** The tokens of a grant; throws for any answer but a good one. */
  grant (form: Record<string, string>, headers?: Record<string, string>): Promise<Tokens>
  /** GET with these headers: `200`, or status and code: `401 token_not_valid`. */
  get (url: string, headers: Record<string, string>): Promise<string>
}

/** A client with a certificate or without one. */
export function tlsClient (t: Test, issuer: string, certificate: Partial<typeof CLIENTS.a> = {}): TlsClient {
  const dispatcher = new Agent({ connect: { ca: CERTIFICATE, ...certificate } })
  t.teardown(() => dispatcher.close())
  return {
    async grant (form, headers = {}) {
      const response = await fetch(tokenEndpoint(issuer), { dispatcher, method: 'POST', headers, body: new URLSearchParams(form) })
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
      return await response.json() as Tokens
    },
    async get (url, headers) {
      const response = await fetch(url, { dispatcher, headers })
      const { code } = await response.json() as { code?: string }
      return response.ok ? String(response.status) : `${response.status} ${code}`
    }
  }
}

/** The realm's token endpoint by TLS: its issuer and what discovery names are http. */
export function tokenEndpoint (issuer: string): string {
  return `${server}${new URL(issuer).pathname}/protocol/openid-connect/token`
}

/** The thumbprint of a certificate (RFC 8705 section 3.1). */
export function thumbprintOf (pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('base64url')
}
