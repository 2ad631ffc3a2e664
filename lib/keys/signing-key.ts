import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { withoutPrototype } from '../util/members.js'
import { isObject, type JsonObject, member } from '../util/strict-json.js'

/** An entry of the realm's key set that may verify signatures, and the algorithms that it fits. */
export interface SigningKey {
  jwk: Jwk
  algorithms: readonly string[]
}

/** A JWK with nothing but the members of a public signing key (RFC 7517, RFC 7518 section 6, RFC 8037). */
export type Jwk = JsonWebKey & { kid?: string, alg?: string }

/** RFC 7518 section 3.3 asks for 2048 bits or more; OpenSSL verifies no more than 16384. */
const RSA_BITS = { min: 2048, max: 16_384 }

const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']

/** The algorithms that fit a key's type and curve (RFC 8725 section 3.1). */
const ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  RSA,
  'EC P-256': ['ES256'],
  'EC P-384': ['ES384'],
  'EC P-521': ['ES512'],
  'OKP Ed25519': ['EdDSA'],
  'OKP Ed448': ['EdDSA']
}

const MEMBERS = ['kty', 'kid', 'alg', 'crv', 'n', 'e', 'x', 'y'] as const

/** The most algorithms that one key fits. */
export const MAX_ALGORITHMS = RSA.length

/**
 * The y of the points of small order of Ed25519 and Ed448, little-endian and without the bit of x's sign. For a key that is
 * one of them anybody can find signatures that verify (RFC 8725 section 3.1).
 */
const SMALL_ORDER = /^(0[01](00)+|e[cde](ff){30}7f|26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05|c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a|(fe(ff){27}){2}00)$/

/** @returns `undefined` for an entry that is not for verifying signatures, or that is weak, malformed or private */
export function signingKey (entry: unknown): SigningKey | undefined {
  if (!isObject(entry) || !isForVerifying(entry)) return undefined
  const jwk: JsonObject = withoutPrototype({})
  for (const name of MEMBERS) {
    const value = member(entry, name)
    if (value === undefined) continue
    // A lone surrogate is no text that a token's JSON could name, and get-jwks cannot take it.
    if (typeof value !== 'string' || !value.isWellFormed()) return undefined
    jwk[name] = value
  }
  const algorithms = fittingAlgorithms(jwk)
  if (algorithms.length === 0 || importKey(jwk) === undefined) return undefined
  return { jwk, algorithms }
}

function isForVerifying (entry: JsonObject): boolean {
  const use = member(entry, 'use')
  const operations = member(entry, 'key_ops')
  return (use === undefined || use === 'sig') &&
    (operations === undefined || (Array.isArray(operations) && operations.includes('verify'))) &&
    // A key whose private part is published lets everybody sign.
    !Object.hasOwn(entry, 'd')
}

function fittingAlgorithms ({ kty, crv, alg }: JsonObject): readonly string[] {
  const type = kty === 'RSA' ? 'RSA' : `${kty} ${crv}`
  const algorithms = Object.hasOwn(ALGORITHMS, type) ? ALGORITHMS[type]! : []
  return alg === undefined ? algorithms : algorithms.filter((each) => each === alg)
}

/** The key, if node:crypto takes it (a point is on its curve, for example) and it is neither weak nor a burden. */
export function importKey (jwk: Jwk): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    const { modulusLength, publicExponent } = key.asymmetricKeyDetails!
    if (modulusLength === undefined) return jwk.kty === 'OKP' && isOfSmallOrder(jwk.x!) ? undefined : key
    const strong = modulusLength >= RSA_BITS.min && modulusLength <= RSA_BITS.max && publicExponent! >= 3n && publicExponent! % 2n === 1n
    return strong ? key : undefined
  } catch {
    return undefined
  }
}

function isOfSmallOrder (x: string): boolean {
  const point = Buffer.from(x, 'base64url')
  point[point.length - 1]! &= 0x7f
  return SMALL_ORDER.test(point.toString('hex'))
}
