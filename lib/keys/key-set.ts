import buildGetJwks, { type JWK } from 'get-jwks'
import { unavailable } from '../errors.js'
import { isObject, member, readObject } from '../util/strict-json.js'
import type { SignaturePool } from './signature-pool.js'
import { importKey, type Jwk, MAX_ALGORITHMS, type SigningKey, signingKey } from './signing-key.js'
import type { IsRefused } from './test-keys.js'
import { createKey, type Key } from './verification-key.js'

/** The entries of a response that are read: a realm has a handful, and each costs an import. */
const MAX_ENTRIES = 200

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
  readonly #resolver = buildGetJwks({ max: MAX_ENTRIES * MAX_ALGORITHMS, ttl: Number.MAX_SAFE_INTEGER })
  readonly #domain: string
  readonly #pool: SignaturePool | undefined

  /**
   * @param text the body of the answer
   * @param issuer whose keys they are, without a slash at its end
   * @param isRefused tells which keys count as absent
   * @param pool verifies signatures; `undefined`: the process does, at once
   * @param previous the key set before this one, whose verifiers live on for the keys that stayed as they were
   * @throws {KeycloakError} keycloak_unavailable when it is no key set or has no signing key
   */
  constructor (text: string, issuer: string, isRefused: IsRefused, pool: SignaturePool | undefined, previous?: KeySet) {
    const entries = entriesOf(text)
    this.#kids = new Set(entries.filter(isObject).map((entry) => member(entry, 'kid')))
    this.#keys = signingKeys(entries, isRefused)
    this.#lengths = new Set(this.#keys.map(({ jwk }) => jwk.kid?.length))
    this.#domain = `${issuer}/`
    this.#pool = pool
    for (const key of this.#keys) this.#introduce(key)
    if (previous !== undefined) this.#adopt(previous)
  }

  get size (): number {
    return this.#keys.length
  }

  /** The algorithms that the keys can sign by. */
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

  /** Is it still a key of the realm? A key that stayed as it was is the same object in each later set. */
  holds (key: Key): boolean {
    return [...this.#verifiers.all()].some((each) => each.key === key)
  }

  /** The verifier of a kid, made at its first use; `undefined` if the set has no key for it. */
  async resolve (kid: string | undefined, alg: string): Promise<Key | undefined> {
    const found = this.#find(kid, alg)
    if (found === undefined) return undefined
    const jwk = kid === undefined ? found.jwk : await this.#resolver.getJwk({ domain: this.#domain, kid, alg })
    // Another request may have been first; there is one verifier for each, because kept tokens are compared by it.
    const key = this.#verifiers.get(kid, alg) ?? createKey(importKey(jwk as Jwk)!, alg, this.#pool)
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
