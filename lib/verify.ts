import type { AccessTokenClaims } from '../types/user.js'
import { checkClaims, checkDates, type Completeness, type Expectations } from './claims.js'
import { type Identity, identityOf } from './identity.js'
import { type Header, type Jws, type JwsRules, parseJws } from './jws.js'
import type { Key, KeySet } from './key-set.js'
import type { Keys } from './keys.js'
import type { Maybe } from './maybe.js'
import { copyOf, type Kept, type Memory, WEIGHT } from './memory.js'

export interface VerifyOptions extends Expectations {
  /** What an access token may look like. */
  jws: JwsRules
  /** `null`: the signature is not verified. */
  keys: Keys | null
  /** Verified tokens; `undefined` to keep none. */
  memory: Memory<Verified> | undefined
  completeness: Completeness
}

/** A token that was verified: by which key, of which key set, and when its dates are good. */
export interface Verified extends Kept {
  readonly header: Header
  readonly key: Key
  /** The key set that had the key when it was last looked up. */
  set: KeySet | undefined
  readonly identity: Identity
  /** Seconds since 1970; before, and from `until` on, the dates are to be judged one by one. */
  readonly from: number
}

/**
 * From a token to who it is about; the claims are deeply frozen.
 * @throws {KeycloakError} token_not_valid, token_expired, keycloak_unavailable
 */
export type Verify = (token: string) => Maybe<Identity>

/** Headers of tokens that were verified: a realm has one for each key, and some when keys rotate. */
const MAX_HEADERS = 64

export function createVerify (options: VerifyOptions): Verify {
  const { keys, jws: rules, memory, leeway } = options
  const headers = new Map<string, Header>()

  if (keys === null) return (token) => identityOf(believe(parseJws(token, rules)))

  return function verify (token) {
    const known = memory?.find(token)
    // A find is as safe as a verification: the same characters, by a key that stands, and the dates looked at anew.
    if (known !== undefined && known.set !== undefined && known.set === keys.standing()) return recall(known)
    const jws = known ?? parseJws(token, rules, headers)
    const key = keys.lookup(jws.header.kid, jws.header.alg)
    return key instanceof Promise ? key.then((key) => judge(token, jws, key)) : judge(token, jws, key)
  }

  function judge (token: string, jws: Jws | Verified, key: Key): Identity {
    if ('payload' in jws) return prove(token, jws, key)
    // A kept token whose key is another now: its payload is read again.
    if (jws.key !== key) return prove(token, parseJws(token, rules), key)
    jws.set = setOf(jws.header, key)
    return recall(jws)
  }

  /** Verified before, by the key that is right for it now: the dates alone can have changed. */
  function recall (known: Verified): Identity {
    const now = seconds()
    if (now < known.from || now >= known.until) outdated(known, now)
    return known.identity
  }

  /** Says which of the dates it is. */
  function outdated ({ token, identity }: Verified, now: number): void {
    memory!.forget(token)
    checkDates(identity.claims, options, now)
  }

  function prove (token: string, jws: Jws, key: Key): Identity {
    key.verify(token)
    const identity = identityOf(believe(jws))
    remember(jws)
    if (memory !== undefined) keep(memory, token, jws.header, key, identity)
    return identity
  }

  /** Only of tokens that were verified, so that nobody can fill it. */
  function remember ({ segment, header }: Jws): void {
    if (headers.has(segment)) return
    if (headers.size >= MAX_HEADERS) headers.clear()
    headers.set(copyOf(segment), header)
  }

  function keep (memory: Memory<Verified>, token: string, header: Header, key: Key, identity: Identity): void {
    const { iat, nbf, exp } = identity.claims
    memory.keep({
      token: copyOf(token),
      header,
      key,
      set: setOf(header, key),
      identity,
      from: Math.max(iat, nbf ?? iat) - leeway,
      until: exp + leeway,
      bytes: token.length * WEIGHT
    })
  }

  /** The key set that stands now, if it leads from this header to this key. */
  function setOf ({ kid, alg }: Header, key: Key): KeySet | undefined {
    const set = keys!.standing()
    return set?.verifier(kid, alg) === key ? set : undefined
  }

  function believe ({ payload }: Jws): AccessTokenClaims {
    return checkClaims(payload, options, seconds(), options.completeness)
  }
}

/** NumericDates count seconds (RFC 7519 section 2). */
export function seconds (): number {
  return Date.now() / 1000
}
