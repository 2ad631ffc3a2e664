// A client's key and its DPoP proofs, written apart from the package, so that a fault of one is none of the other.
import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'

export interface ProofSpec {
  method?: string
  url?: string
  token?: string
  nonce?: string
  /** Members of header and payload that take the place of the right ones; `undefined` leaves one out. */
  header?: Record<string, unknown>
  payload?: Record<string, unknown>
  /** The key that signs. */
  key?: KeyObject
}

export interface ProofKey {
  readonly jkt: string
  readonly jwk: Record<string, unknown>
  readonly privateKey: KeyObject
  proof (spec?: ProofSpec): string
}

const base64url = (value: string | Buffer): string => Buffer.from(value).toString('base64url')

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** A key of P-256, for ES256. */
export function proofKey (): ProofKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' })
  const jwk = { crv, kty, x, y }
  return {
    jkt: sha256(JSON.stringify(jwk)),
    jwk,
    privateKey,
    proof ({ method = 'GET', url = 'http://localhost:80/me', token, nonce, header, payload, key = privateKey } = {}) {
      const protectedHeader = { typ: 'dpop+jwt', alg: 'ES256', jwk, ...header }
      const claims = { jti: randomUUID(), htm: method, htu: url, iat: Math.floor(Date.now() / 1000), ath: token && sha256(token), nonce, ...payload }
      const signed = `${base64url(JSON.stringify(protectedHeader))}.${base64url(JSON.stringify(claims))}`
      return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
    }
  }
}

/** The claims of a token that Keycloak binds to a key. */
export function boundTo ({ jkt }: Pick<ProofKey, 'jkt'>): { typ: string, cnf: object } {
  return { typ: 'DPoP', cnf: { jkt, 'kc-jkt-type': 'DPoP' } }
}
