import { constants, createHmac, createPublicKey, sign, verify, type KeyObject, type SigningOptions } from 'node:crypto'
import type { Algorithm } from '../../types/options.js'
import type { KeyFamily } from './fixed-keys.js'

/** The claims of a token, or the members of another JWS payload. */
export type Claims = Record<string, unknown>

/** The protected header of a JWS (RFC 7515 section 4.1). A member that is undefined is left out. */
export interface JwsHeader {
  /** The signature algorithm. */
  alg?: string
  /** The token's type, such as `JWT`. */
  typ?: string
  /** The id of the key. */
  kid?: string
  [member: string]: unknown
}

interface Scheme {
  family: KeyFamily
  /** `null` if the algorithm includes its hash. */
  hash: string | null
  options: SigningOptions
}

const PKCS1: SigningOptions = { padding: constants.RSA_PKCS1_PADDING }
const PSS: SigningOptions = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
// A JWS has r and s one after the other, not the DER that OpenSSL makes (RFC 7518 section 3.4).
const ECDSA: SigningOptions = { dsaEncoding: 'ieee-p1363' }

const SCHEMES: Readonly<Record<Algorithm, Scheme>> = {
  RS256: { family: 'RSA', hash: 'sha256', options: PKCS1 },
  RS384: { family: 'RSA', hash: 'sha384', options: PKCS1 },
  RS512: { family: 'RSA', hash: 'sha512', options: PKCS1 },
  PS256: { family: 'RSA', hash: 'sha256', options: PSS },
  PS384: { family: 'RSA', hash: 'sha384', options: PSS },
  PS512: { family: 'RSA', hash: 'sha512', options: PSS },
  ES256: { family: 'P-256', hash: 'sha256', options: ECDSA },
  ES384: { family: 'P-384', hash: 'sha384', options: ECDSA },
  ES512: { family: 'P-521', hash: 'sha512', options: ECDSA },
  EdDSA: { family: 'Ed25519', hash: null, options: {} }
}

/** The attacks of RFC 8725 section 2.1: no signature, or an HMAC whose secret is the realm's public key. */
const ATTACKS: Readonly<Record<string, string | null>> = { none: null, HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' }

export const ALGORITHMS = Object.keys(SCHEMES) as Algorithm[]

/** Is it one of the algorithms that no API may accept? */
export function isAttack (alg: string): boolean {
  return Object.hasOwn(ATTACKS, alg)
}

/** The kind of key of an algorithm. */
export function familyOf (alg: Algorithm): KeyFamily {
  return SCHEMES[alg].family
}

/** The first two parts of the compact serialization. A payload of bytes is not changed; any other becomes JSON. */
export function signingInput (header: JwsHeader, payload: unknown): string {
  const bytes = payload instanceof Uint8Array ? Buffer.from(payload) : Buffer.from(JSON.stringify(payload))
  return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${bytes.toString('base64url')}`
}

export function signature (alg: Algorithm, key: KeyObject, input: string): string {
  const { hash, options } = SCHEMES[alg]
  return sign(hash, Buffer.from(input), { key, ...options }).toString('base64url')
}

export function attack (alg: string, key: KeyObject, input: string): string {
  const hash = ATTACKS[alg]
  if (hash === null) return ''
  const secret = createPublicKey(key).export({ type: 'spki', format: 'pem' })
  return createHmac(hash, secret).update(input).digest('base64url')
}

export interface DecodedJws {
  header: JwsHeader
  payload: Claims
  /** Is the third part the key's signature over the first two? */
  isSignedBy (alg: Algorithm, key: KeyObject): boolean
}

/** The parts of a compact JWS whose payload is a JSON object; `null` for anything else. */
export function decode (token: string): DecodedJws | null {
  const [header, payload, signed, ...rest] = token.split('.')
  if (signed === undefined || rest.length > 0) return null
  const decoded = { header: jsonObject(header), payload: jsonObject(payload) }
  if (decoded.header === null || decoded.payload === null) return null
  return {
    header: decoded.header,
    payload: decoded.payload,
    isSignedBy (alg, key) {
      const { hash, options } = SCHEMES[alg]
      return verify(hash, Buffer.from(`${header}.${payload}`), { key, ...options }, Buffer.from(signed, 'base64url'))
    }
  }
}

function jsonObject (part: string): Claims | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Claims : null
  } catch {
    return null
  }
}
