import type { AccessTokenClaims } from '../../types/user.js'
import { checkClaims, checkDates, type ExpectedClaims, validity } from './claims.js'
import type { KeycloakError } from '../errors.js'
import { type Identity, identityOf } from './identity.js'
import type { JsonObject } from '../util/strict-json.js'
import { type Header, headerFault, type HeaderFault, type Jws, type JwsRules, openJws, payloadOf } from './jws.js'
import type { Key, KeySet } from '../keys/key-set.js'
import type { KeySource } from '../keys/key-source.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import { copyOf, credentialsOf, type CacheEntry, type TokenCache, BYTES_PER_CHARACTER } from './token-cache.js'
import { createPayloadFromVerifier } from './payload-from-verifier.js'
import { monotonicMilliseconds, wallSeconds } from '../util/clock.js'

export interface VerifyOptions extends ExpectedClaims {
  /** What an access token may look like. */
  jws: JwsRules
  /** `null`: the signature is not verified. */
  keys: KeySource | null
  /** Verified tokens; `undefined` to keep none. */
  cache: TokenCache<Verified> | undefined
}

/** A token that was verified: by which key, of which key set, and when its dates are good. */
export interface Verified extends CacheEntry {
  readonly header: Header
  readonly key: Key
  /** The key set that had the key when it was last looked up: another realm's has another id. */
  keySetId: symbol | undefined
  readonly identity: Identity
  /** Seconds since 1970; before, and from `until` on, the dates are to be judged one by one. */
  readonly from: number
}

/**
 * From a token to who it is about; the claims are deeply frozen.
 * @throws {KeycloakError} token_not_valid, token_expired, keycloak_unavailable
 */
export type Verify = (token: string) => MaybePromise<Identity>

/**
 * From an Authorization header to who its token is about, where that is known, and known to be good now.
 * @param wall milliseconds of the wall clock, which the dates of tokens go by
 * @param monotonic milliseconds of the monotonic clock, which all that we keep goes by
 */
export type Recall = (header: string, wall: number, monotonic: number) => Identity | undefined

/** The two ways to an identity. What the quick one does not know is left to the other, all refusals too. */
export interface Verification {
  verify: Verify
  /** `undefined` where nothing is kept. */
  recall?: Recall
}

/** Headers of tokens that were verified: a realm has one for each key, and some when keys rotate. */
const MAX_HEADERS = 64

export function createVerification (options: VerifyOptions): Verification {
  const { keys, jws: rules, cache } = options
  if (keys === null) return { verify: (token) => identityOf(checkPayload(payloadOf(openJws(token, rules), rules))) }

  const headers = new Map<string, Header>()
  const payloadFromVerifier = createPayloadFromVerifier(rules)
  return { verify, recall: cache && ((header, wall, monotonic) => recall(cache.findBy(header), wall, monotonic)) }

  /** As safe as a verification: the same characters, by a key that stands, and the dates looked at anew. */
  function recall (known: Verified | undefined, wall: number, monotonic: number): Identity | undefined {
    if (known === undefined) return undefined
    const set = keys!.usableSet(monotonic)
    if (set === undefined || known.keySetId !== set.id) return undefined
    const now = wall / 1000
    return now >= known.from && now < known.until ? known.identity : undefined
  }

  function verify (token: string): MaybePromise<Identity> {
    const known = cache?.find(token)
    const set = keys!.usableSet(monotonicMilliseconds())
    if (known !== undefined && set !== undefined && known.keySetId === set.id) return recheckDates(known)
    const jws = known === undefined ? openJws(token, rules, headers) : undefined
    const header = known?.header ?? jws!.header
    const key = set?.verifier(header.kid, header.alg)
    if (key !== undefined) return acceptWithKey(token, jws, known, key, set)
    // What is malformed is refused before anybody is asked for keys. Otherwise the one who verifies has read it as well.
    if (jws !== undefined) payloadOf(jws, rules)
    return keys!.lookup(header.kid, header.alg).then((key) => acceptWithKey(token, jws, known, key), (error) => { throw unverifiable(error, token, header) })
  }

  /** There is no key for a token, or nobody could say. */
  function unverifiable (error: KeycloakError, token: string, header: Header): KeycloakError {
    if (error.code !== 'token_not_valid') return error
    const isOfOtherAlgorithm = header.kid !== undefined && keys!.usableSet(monotonicMilliseconds())?.has(header.kid, header.alg) === true
    return headerFault(() => isOfOtherAlgorithm ? 'key_other_algorithm' : error.reasonCode as HeaderFault, { ...header }, () => token.split('.')[1]!, rules)
  }

  /** @param set the key set that has the key, where it was at hand */
  function acceptWithKey (token: string, jws: Jws | undefined, known: Verified | undefined, key: Key, set?: KeySet): Identity {
    if (known?.key === key) {
      known.keySetId = set?.id
      return recheckDates(known)
    }
    // A kept token whose key is another now is verified again.
    return verifySignature(token, jws ?? openJws(token, rules, headers), key, set)
  }

  /** Verified before, by the key that is right for it now: the dates alone can have changed. */
  function recheckDates (known: Verified): Identity {
    const now = wallSeconds()
    if (now < known.from || now >= known.until) throwDateError(known, now)
    return known.identity
  }

  /** Says which of the dates it is. */
  function throwDateError (known: Verified, now: number): void {
    cache!.forget(known)
    checkDates(known.identity.claims, options, now)
  }

  function verifySignature (token: string, jws: Jws, key: Key, set?: KeySet): Identity {
    const read = key.verify(token)
    const identity = identityOf(checkPayload(payloadFromVerifier(jws, read)))
    remember(jws)
    if (cache?.hasSeen(token) === true) keep(cache, token, jws.header, identity, key, set)
    return identity
  }

  /** Only of tokens that were verified, so that nobody can fill it. */
  function remember ({ segments, header }: Jws): void {
    if (headers.has(segments.header)) return
    if (headers.size >= MAX_HEADERS) headers.clear()
    headers.set(copyOf(segments.header), header)
  }

  /** Written out, since V8 gives each object that is spread into another a shape of its own, and finds none of them fast. */
  function keep (cache: TokenCache<Verified>, token: string, header: Header, identity: Identity, key: Key, set?: KeySet): void {
    const { from, until } = validity(identity.claims, options)
    cache.keep({
      credentials: credentialsOf(token),
      header,
      key,
      keySetId: set?.id,
      identity,
      from,
      until,
      bytes: token.length * BYTES_PER_CHARACTER
    })
  }

  function checkPayload (payload: JsonObject): AccessTokenClaims {
    return checkClaims(payload, options, wallSeconds())
  }
}
