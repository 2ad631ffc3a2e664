import { createPublicKey, type KeyObject } from 'node:crypto'
import { decodeProtectedHeader, errors, jwtVerify } from 'jose'
import type { TestRealm } from '../../lib/testing/index.js'

/** An assertion that Keycloak got, and its header and claims. */
export interface Assertion { form: Record<string, string>, header: Record<string, unknown>, claims: Record<string, any> }

export interface AssertionServer {
  /** The public keys by their kid; a key without one is named `undefined`. */
  keys: Record<string, KeyObject>
  /** The assertions that were good, in their order. */
  readonly accepted: Assertion[]
  /** The reasons of those that were not. */
  readonly refused: string[]
}

/** Has the realm's introspection endpoint demand assertions (private_key_jwt), with the answers of Keycloak 26.7. */
export function demandAssertions (realm: TestRealm, keys: Record<string, KeyObject>): AssertionServer {
  const server: AssertionServer = { keys, accepted: [], refused: [] }
  const seen = new Set<string>()
  const verified = async (body: string): Promise<string | undefined> => {
    const form = Object.fromEntries(new URLSearchParams(body))
    const { client_assertion: assertion, client_assertion_type: type } = form
    if (type !== 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer') return 'Parameter client_assertion_type is missing'
    const header = decodeProtectedHeader(assertion!)
    const key = server.keys[String(header.kid)]
    if (key === undefined) return 'Unable to load public key'
    try {
      const { payload } = await jwtVerify(assertion!, key, { issuer: 'api', subject: 'api', audience: realm.issuer, requiredClaims: ['jti', 'exp', 'iat'], currentDate: new Date(Date.now()) })
      if (seen.has(payload.jti!)) return 'Token reuse detected'
      seen.add(payload.jti!)
      server.accepted.push({ form, header: { ...header }, claims: payload })
      return undefined
    } catch (error) {
      return error instanceof errors.JWTExpired ? 'Token is not active' : 'Client authentication with signed JWT failed: Signature on JWT token failed validation'
    }
  }
  realm.respond('introspect', (_request, response, body) => {
    void verified(body).then((refusal) => {
      if (refusal !== undefined) server.refused.push(refusal)
      if (refusal === undefined) response.end('{"active":true}')
      else response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error: 'invalid_client', error_description: refusal }))
    })
  })
  return server
}

export function publicOf (key: KeyObject): KeyObject {
  return createPublicKey(key)
}
