import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { Algorithm } from '../../../types/options.js'
import { isObject } from '../../util/strict-json.js'
import { wallSeconds } from '../../util/clock.js'
import { thumbprint } from '../dpop-client.js'
import { ALGORITHMS, decode, familyOf, type Claims } from '../jws.js'
import { OAuthError, type LoginRequest } from './reply.js'

/** Seconds that a proof may be old, and ahead, at Keycloak 26.7. */
const MAX_AGE = 25
const MAX_AHEAD = 15

/**
 * The thumbprint of the key of a DPoP proof; `undefined` for a request without a proof.
 * @param url the URL of the endpoint
 * @throws {OAuthError} `invalid_dpop_proof` (RFC 9449 section 5)
 */
export function provenKey ({ method, proof }: Pick<LoginRequest, 'method' | 'proof'>, url: string): string | undefined {
  if (proof === undefined) return undefined
  const jws = decode(proof)
  const key = jws && keyOf(jws.header)
  if (!key || !isFor(jws.payload, method, url) || !jws.isSignedBy(jws.header.alg as Algorithm, key)) {
    throw new OAuthError('invalid_dpop_proof', 'Invalid DPoP proof')
  }
  return thumbprint(jws.header.jwk as JsonWebKey)
}

/** The public key in the header, if it is one of its `alg`. */
function keyOf ({ typ, alg, jwk }: Claims): KeyObject | undefined {
  if (typ !== 'dpop+jwt' || !ALGORITHMS.includes(alg as Algorithm) || !isObject(jwk) || Object.hasOwn(jwk, 'd')) return undefined
  const family = familyOf(alg as Algorithm)
  if ((family === 'RSA' ? jwk.kty : jwk.crv) !== family) return undefined
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
  } catch {
    return undefined
  }
}

function isFor ({ htm, htu, iat, jti }: Claims, method: string, url: string): boolean {
  const age = wallSeconds() - Number(iat)
  return htm === method && htu === url && typeof iat === 'number' && age <= MAX_AGE && age >= -MAX_AHEAD && typeof jti === 'string' && jti !== ''
}
