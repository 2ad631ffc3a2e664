import type { AccessTokenClaims } from '../../types/user.js'
import type { KeySet } from '../keys/key-set.js'
import type { Key } from '../keys/verification-key.js'
import type { KeySource } from '../keys/key-source.js'
import { monotonicMilliseconds, wallSeconds } from '../util/clock.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import type { JsonObject } from '../util/strict-json.js'
import { checkClaims, checkDates, type ExpectedClaims, validity } from './claims.js'
import { bytesOf, CommonClaims } from './common-claims.js'
import { type Identity, identityOf, type IdentityOwner } from './identity.js'
import { type Header, type Jws, type JwsRules, openJws, payloadOf } from './jws.js'
import { withoutKey } from './missing-key.js'
import { createPayloadFromVerifier } from './payload-from-verifier.js'
import { type CacheEntry, copyOf, credentialsOf, type TokenCache } from './token-cache.js'

/**
 * Gives the identity that a token proves; its claims are deeply frozen.
 * @throws {KeycloakError} token_not_valid, token_expired, keycloak_unavailable
 */
export type Verify = (token: string) => MaybePromise<Identity>

/**
 * Gives the identity of the token in an Authorization header; `undefined` if the cache has no valid one.
 * @param wall milliseconds of the wall clock, for the dates of tokens
 * @param monotonic milliseconds of the monotonic clock, for the age of the key set and of kept responses
 */
export type FromCache = (header: string, wall: number, monotonic: number) => Identity | undefined

/** The same for a token that the cache has found already. */
export type FromKept = (kept: VerifiedToken, header: string, wall: number, monotonic: number) => Identity | undefined

export interface VerifierOptions {
  /** The realm of the tokens. */
  owner: IdentityOwner
  expected: ExpectedClaims
  /** The form of an access token. */
  jws: JwsRules
  keys: KeySource
  /** Verified tokens of all realms; `undefined` to keep none. */
  cache: TokenCache<VerifiedToken> | undefined
}

/** A verified token with its key, its key set and the dates between which it is valid. */
export interface VerifiedToken extends CacheEntry {
  readonly header: Header
  readonly key: Key
  /** The key set that had the key when the key was last looked up. No key set of another realm has this id. */
  keySetId: symbol | undefined
  readonly identity: Identity
  /** Seconds since 1970. Before `from`, and from `until` on, the dates are checked again, so that the error names one of them. */
  readonly from: number
}

/** The memory of an entry without its token and its claims: the entry, its place, the identity and the user, rounded up. */
const ENTRY_BYTES = 400

/** The most headers of verified tokens that are kept: a realm has one for each key, and some more when keys rotate. */
const MAX_HEADERS = 64

/** Verifies the access tokens of one realm. */
export class TokenVerifier {
  readonly #owner: IdentityOwner
  readonly #expected: ExpectedClaims
  readonly #rules: JwsRules
  readonly #keys: KeySource
  readonly #cache: TokenCache<VerifiedToken> | undefined
  readonly #common = new CommonClaims()
  readonly #payloadFromVerifier: ReturnType<typeof createPayloadFromVerifier>
  readonly #headers = new Map<string, Header>()

  constructor ({ owner, expected, jws, keys, cache }: VerifierOptions) {
    this.#owner = owner
    this.#expected = expected
    this.#rules = jws
    this.#keys = keys
    this.#cache = cache
    this.#payloadFromVerifier = createPayloadFromVerifier(jws)
  }

  /** {@link FromKept}; `undefined` if no tokens are kept. */
  get fromKept (): FromKept | undefined {
    const keys = this.#keys
    return this.#cache && ((kept, _header, wall, monotonic) => {
      // As safe as a verification: the same characters, a key of the usable set, and the dates compared anew.
      const set = keys.usableSet(monotonic)
      if (set === undefined || kept.keySetId !== set.id) return undefined
      const now = wall / 1000
      return now >= kept.from && now < kept.until ? kept.identity : undefined
    })
  }

  /** {@link Verify} */
  readonly verify: Verify = (token) => {
    const kept = this.#cache?.find(token)
    const set = this.#keys.usableSet(monotonicMilliseconds())
    if (kept !== undefined && set !== undefined && kept.keySetId === set.id) return this.#recheckDates(kept)
    const jws = kept === undefined ? openJws(token, this.#rules, this.#headers) : undefined
    const header = kept?.header ?? jws!.header
    const key = set?.verifier(header.kid, header.alg)
    if (key !== undefined) return this.#acceptWithKey(token, jws, kept, key, set)
    // A malformed token is refused before Keycloak is asked for keys. The verifier of a key reads the payload by itself.
    if (jws !== undefined) payloadOf(jws, this.#rules)
    return this.#keys.lookup(header.kid, header.alg).then(
      (key) => this.#acceptWithKey(token, jws, kept, key),
      (error) => { throw withoutKey(error, token, header, this.#keys, this.#rules) })
  }

  /** @param set the key set that has the key, if the key was at hand */
  #acceptWithKey (token: string, jws: Jws | undefined, kept: VerifiedToken | undefined, key: Key, set?: KeySet): MaybePromise<Identity> {
    if (kept?.key === key) {
      kept.keySetId = set?.id
      return this.#recheckDates(kept)
    }
    // A kept token whose kid leads to another key now is verified again.
    return this.#verifySignature(token, jws ?? openJws(token, this.#rules, this.#headers), key, set)
  }

  /** The dates of a kept token are checked again; nothing else can have changed, because its key is still the same. */
  #recheckDates (kept: VerifiedToken): Identity {
    const now = wallSeconds()
    if (now < kept.from || now >= kept.until) this.#throwDateError(kept, now)
    return kept.identity
  }

  #throwDateError (kept: VerifiedToken, now: number): void {
    this.#cache!.forget(kept)
    checkDates(kept.identity.claims, this.#expected, now)
  }

  #verifySignature (token: string, jws: Jws, key: Key, set?: KeySet): MaybePromise<Identity> {
    const read = key.verify(token)
    return read instanceof Promise ? read.then((late) => this.#accept(token, jws, key, set, late)) : this.#accept(token, jws, key, set, read)
  }

  /** @param read the payload of a token whose signature is good */
  #accept (token: string, jws: Jws, key: Key, set: KeySet | undefined, read: unknown): Identity {
    const cache = this.#cache?.isWorthKeeping(token) === true ? this.#cache : undefined
    const payload = this.#payloadFromVerifier(jws, read, cache && this.#common.freeze)
    const identity = identityOf(this.#checkPayload(payload), this.#owner, key)
    this.#keepHeader(jws)
    if (cache !== undefined) this.#keep(cache, token, jws.header, identity, key, set)
    return identity
  }

  /** Only headers of verified tokens are kept, so nobody else can fill the map. */
  #keepHeader ({ segments, header }: Jws): void {
    if (this.#headers.has(segments.header)) return
    if (this.#headers.size >= MAX_HEADERS) this.#headers.clear()
    this.#headers.set(copyOf(segments.header), header)
  }

  /** Each member is written out: V8 gives an object that another is spread into a shape of its own, and then is slow with all of them. */
  #keep (cache: TokenCache<VerifiedToken>, token: string, header: Header, identity: Identity, key: Key, set?: KeySet): void {
    const { from, until } = validity(identity.claims, this.#expected)
    this.#common.remember(identity.claims)
    cache.keep({
      credentials: credentialsOf(token),
      header,
      key,
      keySetId: set?.id,
      identity,
      from,
      until,
      bytes: ENTRY_BYTES + token.length + bytesOf(identity.claims),
      isUsed: false
    })
  }

  #checkPayload (payload: JsonObject): AccessTokenClaims {
    return checkClaims(payload, this.#expected, wallSeconds())
  }
}

/** Accepts tokens without a check of their signatures: the option `verifySignature: false`, for local debugging. */
export function createUnsignedVerify ({ owner, expected, jws }: Pick<VerifierOptions, 'owner' | 'expected' | 'jws'>): Verify {
  return (token) => identityOf(checkClaims(payloadOf(openJws(token, jws), jws), expected, wallSeconds()), owner, undefined)
}
