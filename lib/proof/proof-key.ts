import { createHash, type KeyObject } from 'node:crypto'
import { isObject, type JsonObject, member } from '../util/strict-json.js'
import { importKey, type Jwk } from '../keys/signing-key.js'
import { SignatureCheck } from '../keys/signature-check.js'
import type { SignaturePool } from '../keys/signature-pool.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import { withoutPrototype } from '../util/members.js'

/** The members of a public key, by its type, in the order of its thumbprint (RFC 7638 section 3.2, RFC 8037 section 2). */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n']
}

/** Members of private and symmetric keys (RFC 7518 section 6). */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** The key type and curve of each algorithm. */
const TYPES: Readonly<Record<string, string>> = {
  ES256: 'EC P-256', ES384: 'EC P-384', ES512: 'EC P-521', EdDSA: 'OKP Ed25519', PS256: 'RSA', RS256: 'RSA'
}

/** Keys in use have 65537. One of thousands of bits, which a client may choose, makes each check take fifty times as long. */
const MAX_EXPONENT = 2n ** 32n

/** The public key of a proof, by its members. */
export interface ProofJwk {
  readonly jwk: Jwk
  /** SHA-256 of its members (RFC 7638 section 3). */
  readonly thumbprint: string
}

/** @returns `undefined` for a key that is private, malformed, or does not fit the algorithm */
export function proofJwk (value: unknown, alg: string): ProofJwk | undefined {
  if (!isObject(value) || PRIVATE.some((name) => Object.hasOwn(value, name))) return undefined
  const kty = member(value, 'kty')
  const type = kty === 'RSA' ? 'RSA' : `${String(kty)} ${String(member(value, 'crv'))}`
  if (typeof kty !== 'string' || TYPES[alg] !== type) return undefined
  const members: JsonObject = withoutPrototype({})
  for (const name of MEMBERS[kty]!) {
    const part = member(value, name)
    if (typeof part !== 'string' || !/^[\w-]+$/.test(part)) return undefined
    members[name] = part
  }
  return { jwk: members as Jwk, thumbprint: createHash('sha256').update(JSON.stringify(members)).digest('base64url') }
}

/** A public key for one algorithm. */
export class ProofKey {
  readonly #check: SignatureCheck
  readonly #signatureBytes: number | undefined

  constructor (key: KeyObject, alg: string) {
    this.#check = new SignatureCheck(key, alg)
    const bits = key.asymmetricKeyDetails!.modulusLength
    // OpenSSL takes an RSA signature without its leading zeros; RFC 8017 section 8.1.2 does not.
    this.#signatureBytes = bits === undefined ? undefined : Math.ceil(bits / 8)
  }

  /**
   * Is it the key's signature of that text?
   * @param pool answers later if it has room
   */
  verifies (text: string, signature: Buffer, pool: SignaturePool | undefined): MaybePromise<boolean> {
    if (this.#signatureBytes !== undefined && signature.length !== this.#signatureBytes) return false
    return pool?.hasRoom === true ? pool.isGood(this.#check, text, signature) : this.#check.isGood(text, signature)
  }
}

/** @returns `undefined` for a key that node:crypto does not take, that is weak, or a burden */
export function importProofKey ({ jwk }: ProofJwk, alg: string): ProofKey | undefined {
  const key = importKey(jwk)
  if (key === undefined || key.asymmetricKeyDetails!.publicExponent! > MAX_EXPONENT) return undefined
  return new ProofKey(key, alg)
}
