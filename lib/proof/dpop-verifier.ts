import { createHash } from 'node:crypto'
import type { DpopSettings } from '../options/dpop.js'
import { type KeycloakError, nonceRequired, notValid, refusal } from '../errors.js'
import type { Closing } from '../keycloak/closing.js'
import type { SignaturePool } from '../keys/signature-pool.js'
import type { PlainReasonCode } from '../reasons/reason.js'
import { decode } from '../util/base64url.js'
import { wallSeconds } from '../util/clock.js'
import { andThen, type MaybePromise } from '../util/maybe-promise.js'
import { type JsonObject, member, parseBytes } from '../util/strict-json.js'
import { normalizedHtu, normalizedRequestUrl } from './htu.js'
import { Nonces } from './nonces.js'
import { type KnownKey, ProofHeaders } from './proof-header.js'
import { ReplayGuard } from './replay-guard.js'

/** A proof, and the request that it has to be for. */
export interface ProofPresentation {
  readonly method: string
  /** The URL as the client sees it, with scheme and host. */
  readonly url: string
  /** The values of all DPoP headers. */
  readonly proofs: readonly string[]
}

/** Bytes of the longest proof. */
const MAX_LENGTH = 8192

/** Levels of its JSON. */
const MAX_DEPTH = 8

/** Characters of the longest jti. */
const MAX_JTI = 128

/** The members of a proof's payload (RFC 9449 section 4.2), of the right types. */
interface ProofClaims {
  readonly jti: string
  readonly htm: string
  readonly htu: string
  readonly iat: number
  readonly ath: string
  /** `undefined` if it is no text. */
  readonly nonce: string | undefined
}

interface Segments {
  readonly header: string
  readonly payload: string
  readonly signed: string
  readonly signature: string
}

/** Checks the DPoP proofs of requests, the cheapest check first (RFC 9449 section 4.3). */
export class DpopVerifier {
  /** The algorithms, for challenges (RFC 9449 section 7.1). */
  readonly algorithms: string
  readonly #maxAge: number
  readonly #leeway: number
  readonly #headers: ProofHeaders
  readonly #nonces: Nonces | undefined
  readonly #replay: ReplayGuard
  readonly #pool: SignaturePool | undefined

  constructor ({ algorithms, maxAge, leeway, nonce, replay }: DpopSettings, parts: { closing: Closing, pool?: SignaturePool | undefined, log: { warn: (sentence: string) => void } }) {
    this.algorithms = algorithms.join(' ')
    this.#maxAge = maxAge
    this.#leeway = leeway
    this.#headers = new ProofHeaders(algorithms)
    this.#nonces = nonce === false ? undefined : new Nonces(nonce)
    this.#replay = new ReplayGuard(replay, parts)
    this.#pool = parts.pool
  }

  /**
   * @param jkt the thumbprint of the key that the token is bound to
   * @returns the nonce that the answer has to carry, if one is due
   * @throws {KeycloakError} token_not_valid for a proof by another key, dpop_proof_not_valid, dpop_nonce_required, keycloak_unavailable
   */
  check (jkt: string, token: string, { method, url, proofs }: ProofPresentation): MaybePromise<string | undefined> {
    if (proofs.length === 0) throw refused('proof_missing')
    if (proofs.length > 1) throw refused('proof_repeated')
    const segments = segmentsOf(proofs[0]!)
    const known = this.#headers.find(segments.header)
    const key = known ?? this.#headers.read(objectIn(segments.header), jkt)
    if (key.jkt !== jkt) throw notValid('dpop_key_other')
    const claims = claimsIn(objectIn(segments.payload))
    if (claims.htm !== method) throw refused('proof_htm')
    if (!isSameUri(claims.htu, url)) throw refused('proof_htu')
    const now = wallSeconds()
    this.#checkTime(claims.iat, now)
    if (claims.ath !== createHash('sha256').update(token).digest('base64url')) throw refused('proof_ath')
    const due = this.#checkNonce(claims.nonce)
    return andThen(this.#isSigned(segments, key), (isGood) => {
      if (!isGood) throw refused('proof_signature')
      if (known === undefined) this.#headers.keep(segments.header, key)
      return this.#use(jkt, claims, now, due)
    })
  }

  close (): void | Promise<void> {
    return this.#replay.close()
  }

  #checkTime (iat: number, now: number): void {
    if (iat < now - this.#maxAge - this.#leeway) throw refused('proof_old')
    if (iat > now + this.#leeway) throw refused('proof_early')
  }

  /** @returns the nonce of now if the proof has that of the last window */
  #checkNonce (nonce: string | undefined): string | undefined {
    if (this.#nonces === undefined) return undefined
    const { current } = this.#nonces
    if (nonce === undefined) throw nonceRequired('proof_nonce_missing', current)
    if (!this.#nonces.isGood(nonce)) throw nonceRequired('proof_nonce_old', current)
    return nonce === current ? undefined : current
  }

  #isSigned ({ signed, signature }: Segments, { key }: KnownKey): MaybePromise<boolean> {
    const bytes = decode(signature)
    if (bytes === undefined) throw refused('proof_malformed')
    return key.verifies(signed, bytes, this.#pool)
  }

  /**
   * The proof counts once, until no instance could take it any more. The clock of this one may be ahead of the client's by the
   * leeway, and that of another one behind it by the same.
   */
  #use (jkt: string, { jti, iat }: ProofClaims, now: number, due: string | undefined): MaybePromise<string | undefined> {
    const key = createHash('sha256').update(`${jkt} ${jti}`).digest('base64url')
    const seconds = iat + this.#maxAge + 3 * this.#leeway - now
    const used = this.#replay.use(key, Math.ceil(seconds * 1000) + 1)
    return used instanceof Promise ? used.then(() => due) : due
  }
}

/** A compact JWS of three segments (RFC 7515 section 3.1). */
function segmentsOf (proof: string): Segments {
  if (proof.length > MAX_LENGTH) throw refused('proof_too_long')
  const first = proof.indexOf('.')
  const second = proof.indexOf('.', first + 1)
  if (second === -1 || proof.includes('.', second + 1)) throw refused('proof_malformed')
  return { header: proof.slice(0, first), payload: proof.slice(first + 1, second), signed: proof.slice(0, second), signature: proof.slice(second + 1) }
}

function objectIn (segment: string): JsonObject {
  const bytes = decode(segment)
  const object = bytes && parseBytes(bytes, MAX_DEPTH)
  if (object === undefined) throw refused('proof_malformed')
  return object
}

function claimsIn (payload: JsonObject): ProofClaims {
  const [jti, htm, htu, iat, ath, nonce] = ['jti', 'htm', 'htu', 'iat', 'ath', 'nonce'].map((name) => member(payload, name))
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI) throw refused('proof_jti')
  if (typeof htm !== 'string' || typeof htu !== 'string' || !Number.isFinite(iat) || typeof ath !== 'string') throw refused('proof_claims')
  return { jti, htm, htu, iat: iat as number, ath, nonce: typeof nonce === 'string' ? nonce : undefined }
}

/** Both are normalized, because a client may write the URI in another way than it comes (RFC 9449 section 4.3). */
function isSameUri (htu: string, url: string): boolean {
  const normalized = normalizedHtu(htu)
  return normalized !== undefined && normalized === normalizedRequestUrl(url)
}

function refused (reason: PlainReasonCode): KeycloakError {
  return refusal('dpop_proof_not_valid', reason)
}
