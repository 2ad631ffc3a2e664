import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { createVerifier } from 'fast-jwt'
import buildGetJwks, { type JWK } from 'get-jwks'
import { endsWell } from '../util/base64url.js'
import { isOfSmallOrder } from './edwards.js'
import { notValid, unavailable } from '../errors.js'
import { isObject, type JsonObject, member, readObject } from '../util/strict-json.js'
import { withoutPrototype } from '../util/members.js'
import { createSignatureCheck } from './signature.js'
import { withoutStack } from '../util/without-stack.js'
import type { IsRefused } from './test-keys.js'

/** A signing key of the realm for one algorithm: what tells a good signature from a bad one. */
export interface Key {
  /**
   * @returns the payload, as fast-jwt has read it
   * @throws {KeycloakError} token_not_valid
   */
  verify (token: string): unknown
  /**
   * Look at the signature alone: what `verify` refuses may pass, but no token with a bad signature.
   * @throws {KeycloakError} token_not_valid
   */
  checkSignature (token: string): void
}

/** An entry of the realm's key set that may verify signatures, for the algorithms it fits. */
interface SigningKey {
  jwk: Jwk
  algorithms: readonly string[]
}

/** A JWK with nothing but what a public signing key needs (RFC 7517, RFC 7518 section 6, RFC 8037). */
type Jwk = JsonWebKey & { kid?: string, alg?: string }

/** How many entries of an answer are looked at: a realm has a handful, and each costs an import. */
const MAX_ENTRIES = 200

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

const ALL = Object.values(ALGORITHMS).flat()

const MEMBERS = ['kty', 'kid', 'alg', 'crv', 'n', 'e', 'x', 'y'] as const

/**
 * The signing keys of one answer of Keycloak, curated: what is null, of another use, weak, malformed or private is
 * left out, so that one bad entry spoils nothing.
 */
export class KeySet {
  /** Tells this key set from every other one of every realm. A kept token holds on to the id alone, so it keeps no key set alive. */
  readonly id = Symbol('key set')
  readonly #keys: readonly SigningKey[]
  /** Of all entries, unusable ones too. */
  readonly #kids: ReadonlySet<unknown>
  readonly #lengths: ReadonlySet<number | undefined>
  readonly #verifiers = new Verifiers()
  readonly #resolver = buildGetJwks({ max: MAX_ENTRIES * ALL.length, ttl: Number.MAX_SAFE_INTEGER })
  readonly #domain: string

  /**
   * @param text the body of the answer
   * @param issuer whose keys they are, without a slash at its end
   * @param isRefused tells which keys count as absent
   * @param previous the key set before this one, whose verifiers live on for the keys that stayed as they were
   * @throws {KeycloakError} keycloak_unavailable when it is no key set or has no signing key
   */
  constructor (text: string, issuer: string, isRefused: IsRefused, previous?: KeySet) {
    const entries = entriesOf(text)
    this.#kids = new Set(entries.filter(isObject).map((entry) => member(entry, 'kid')))
    this.#keys = signingKeys(entries, isRefused)
    this.#lengths = new Set(this.#keys.map(({ jwk }) => jwk.kid?.length))
    this.#domain = `${issuer}/`
    for (const key of this.#keys) this.#introduce(key)
    if (previous !== undefined) this.#adopt(previous)
  }

  get size (): number {
    return this.#keys.length
  }

  /** What tokens can be signed by. */
  get algorithms (): ReadonlySet<string> {
    return new Set(this.#keys.flatMap(({ algorithms }) => algorithms))
  }

  /** Did the answer have that kid, usable or not; for a token without kid, the one key that fits its algorithm? */
  has (kid: string | undefined, alg: string): boolean {
    return kid === undefined ? this.fits(kid, alg) : this.#kids.has(kid)
  }

  /** Is that kid as long as one of the set's? Keycloak's are hashes of keys. */
  resembles (kid: string | undefined): boolean {
    return this.#lengths.has(kid?.length)
  }

  /** Is there a key for that kid and algorithm? */
  fits (kid: string | undefined, alg: string): boolean {
    return this.#find(kid, alg) !== undefined
  }

  /** The verifier of a kid, if the set has it and it was made before. */
  verifier (kid: string | undefined, alg: string): Key | undefined {
    return this.#verifiers.get(kid, alg)
  }

  /** The verifier of a kid, made at its first use; `undefined` where the set has no key for it. */
  async resolve (kid: string | undefined, alg: string): Promise<Key | undefined> {
    const found = this.#find(kid, alg)
    if (found === undefined) return undefined
    const jwk = kid === undefined ? found.jwk : await this.#resolver.getJwk({ domain: this.#domain, kid, alg })
    // Another request may have been first; there is one verifier for each, since kept tokens are compared by it.
    const key = this.#verifiers.get(kid, alg) ?? createKey(importKey(jwk as Jwk)!, alg)
    this.#verifiers.set(kid, alg, key)
    return key
  }

  /**
   * get-jwks resolves (issuer, kid, alg) from what it is told here and never fetches: its own fetch is the global one,
   * which forbids some ports, may be a stub in somebody's tests, and knows neither our pool nor our limits. There is
   * one for each key set, so that nothing it remembers outlives the set.
   */
  #introduce ({ jwk, algorithms }: SigningKey): void {
    if (jwk.kid === undefined) return
    for (const alg of algorithms) {
      const name = this.#resolver.generateCacheKey(alg, jwk.kid, this.#domain)
      if (this.#resolver.cache.get(name) === undefined) this.#resolver.cache.set(name, jwk as JWK)
    }
  }

  #adopt (previous: KeySet): void {
    for (const { kid, alg, key } of previous.#verifiers.all()) {
      const before = previous.#find(kid, alg)
      const now = this.#find(kid, alg)
      if (now !== undefined && JSON.stringify(now.jwk) === JSON.stringify(before!.jwk)) this.#verifiers.set(kid, alg, key)
    }
  }

  /** A token without kid is verified by the one key that fits its algorithm, if it is the only one. */
  #find (kid: string | undefined, alg: string): SigningKey | undefined {
    const fitting = this.#keys.filter((key) => key.algorithms.includes(alg) && (kid === undefined || key.jwk.kid === kid))
    return kid === undefined && fitting.length !== 1 ? undefined : fitting[0]
  }
}

/** Verifiers by algorithm and kid: two looks-up instead of a name to be put together for each token. */
class Verifiers {
  readonly #byAlgorithm = new Map<string, Map<string | undefined, Key>>()

  get (kid: string | undefined, alg: string): Key | undefined {
    return this.#byAlgorithm.get(alg)?.get(kid)
  }

  set (kid: string | undefined, alg: string, key: Key): void {
    const keys = this.#byAlgorithm.get(alg) ?? new Map<string | undefined, Key>()
    this.#byAlgorithm.set(alg, keys.set(kid, key))
  }

  * all (): Iterable<{ kid: string | undefined, alg: string, key: Key }> {
    for (const [alg, keys] of this.#byAlgorithm) {
      for (const [kid, key] of keys) yield { kid, alg, key }
    }
  }
}

function entriesOf (text: string): unknown[] {
  const keys = member(readObject(text) ?? {}, 'keys')
  if (!Array.isArray(keys)) throw unavailable('key_set_malformed')
  return keys.slice(0, MAX_ENTRIES)
}

/** A set of nothing but refused keys is a good answer, so that their tokens are 401 and Keycloak is not called away. */
function signingKeys (entries: readonly unknown[], isRefused: IsRefused): SigningKey[] {
  const found = entries.map(signingKey).filter((key) => key !== undefined)
  if (found.length === 0) throw unavailable('key_set_empty')
  return found.filter(({ jwk }) => !isRefused(importKey(jwk)!))
}

function signingKey (entry: unknown): SigningKey | undefined {
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
    // Whoever publishes the private part lets everybody sign.
    !Object.hasOwn(entry, 'd')
}

function fittingAlgorithms ({ kty, crv, alg }: JsonObject): readonly string[] {
  const type = kty === 'RSA' ? 'RSA' : `${kty} ${crv}`
  const algorithms = Object.hasOwn(ALGORITHMS, type) ? ALGORITHMS[type]! : []
  return alg === undefined ? algorithms : algorithms.filter((each) => each === alg)
}

/** The key, if node:crypto takes it (a point on its curve, say) and it is neither weak nor a burden. */
function importKey (jwk: Jwk): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    const { modulusLength, publicExponent } = key.asymmetricKeyDetails!
    if (modulusLength === undefined) return jwk.kty === 'OKP' && isOfSmallOrder(jwk.crv!, jwk.x!) ? undefined : key
    const strong = modulusLength >= RSA_BITS.min && modulusLength <= RSA_BITS.max && publicExponent! >= 3n && publicExponent! % 2n === 1n
    return strong ? key : undefined
  } catch {
    return undefined
  }
}

/** fast-jwt verifies the signature; the claims are checked by this package, in the order of its contract. */
function createKey (key: KeyObject, alg: string): Key {
  const verify = createVerifier({
    key: key.export({ type: 'spki', format: 'pem' }) as string,
    algorithms: [alg as 'RS256'],
    cache: false,
    ignoreExpiration: true,
    ignoreNotBefore: true
  })
  const { modulusLength } = key.asymmetricKeyDetails!
  // OpenSSL takes an RSA signature without its leading zeros; RFC 8017 section 8.1.2 does not.
  const length = modulusLength === undefined ? undefined : Math.ceil(Math.ceil(modulusLength / 8) * 4 / 3)
  const isSigned = createSignatureCheck(key, alg)
  return {
    checkSignature (token) {
      if (!isSigned(token)) throw notValid('signature_invalid')
    },
    verify (token) {
      const signature = token.slice(token.lastIndexOf('.') + 1)
      if (length !== undefined && signature.length !== length) throw notValid('signature_length')
      // Of its other characters fast-jwt sees to it that they are base64url.
      if (!endsWell(signature)) throw notValid('signature_not_base64url')
      try {
        return withoutStack(() => verify(token))
      } catch {
        throw notValid('signature_invalid')
      }
    }
  }
}
