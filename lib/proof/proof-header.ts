import { notValid, refusal } from '../errors.js'
import { BoundedMap } from '../util/bounded-map.js'
import { type JsonObject, member } from '../util/strict-json.js'
import { importProofKey, proofJwk, type ProofKey } from './proof-key.js'

/** The keys of clients that have signed a good proof, 4 kB each at the most. */
const MAX_KEYS = 5000

/** Characters of the longest header that is kept: one of RSA with 4096 bits has about 1,300. */
const MAX_KEPT_HEADER = 2048

/** The key of a proof, and its thumbprint. */
export interface KnownKey {
  readonly jkt: string
  readonly key: ProofKey
}

/**
 * The headers of proofs (RFC 9449 section 4.2). A client sends the same header with each proof, so that the key of one that
 * returns is found by the text of its header. Only a header is kept whose key has signed a proof of a verified token.
 */
export class ProofHeaders {
  readonly #algorithms: ReadonlySet<string>
  readonly #known = new BoundedMap<string, KnownKey>(MAX_KEYS)

  constructor (algorithms: readonly string[]) {
    this.#algorithms = new Set(algorithms)
  }

  find (segment: string): KnownKey | undefined {
    return this.#known.get(segment)
  }

  keep (segment: string, known: KnownKey): void {
    if (segment.length > MAX_KEPT_HEADER) return
    // A copy, because a part of a string keeps the whole in memory.
    this.#known.set(Buffer.from(segment, 'latin1').toString('latin1'), known)
  }

  /**
   * The key of a header, imported only if it is the one that the token is bound to.
   * @throws {KeycloakError} dpop_proof_not_valid; token_not_valid for another key
   */
  read (header: JsonObject, jkt: string): KnownKey {
    if (member(header, 'typ') !== 'dpop+jwt') throw refusal('dpop_proof_not_valid', 'proof_typ')
    if (Object.hasOwn(header, 'crit')) throw refusal('dpop_proof_not_valid', 'proof_crit')
    const alg = member(header, 'alg')
    if (typeof alg !== 'string' || !this.#algorithms.has(alg)) throw refusal('dpop_proof_not_valid', 'proof_alg')
    const jwk = proofJwk(member(header, 'jwk'), alg)
    if (jwk === undefined) throw refusal('dpop_proof_not_valid', 'proof_jwk')
    if (jwk.thumbprint !== jkt) throw notValid('dpop_key_other')
    const key = importProofKey(jwk, alg)
    if (key === undefined) throw refusal('dpop_proof_not_valid', 'proof_jwk')
    return { jkt, key }
  }
}
