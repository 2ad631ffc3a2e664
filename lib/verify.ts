import type { AccessTokenClaims } from '../types/user.js'
import { checkClaims, checkDates, type Completeness, type Expectations } from './claims.js'
import { deepFreeze } from './json.js'
import { type Jws, type JwsRules, parseJws } from './jws.js'
import type { Key } from './key-set.js'
import type { Keys } from './keys.js'
import { type Maybe, next } from './maybe.js'
import { Memory, type Verified } from './memory.js'

export interface VerifyOptions extends Expectations {
  /** What an access token may look like. */
  jws: JwsRules
  /** `null`: the signature is not verified. */
  keys: Keys | null
  /** How many verified tokens are kept, and how many bytes they may take; `null` for none. */
  kept: { max: number, maxBytes: number } | null
  completeness: Completeness
}

/**
 * From a token to its claims, deeply frozen.
 * @throws {KeycloakError} token_not_valid, token_expired, keycloak_unavailable
 */
export type Verify = (token: string) => Maybe<AccessTokenClaims>

export function createVerify (options: VerifyOptions): Verify {
  const { keys, jws: rules } = options
  const memory = options.kept !== null ? new Memory(options.kept) : undefined

  if (keys === null) return (token) => believe(parseJws(token, rules))

  return function verify (token) {
    const known = memory?.find(token)
    const jws = known ?? parseJws(token, rules)
    const key = keys.lookup(jws.header.kid, jws.header.alg)
    return next(key, (key) => known !== undefined && known.key === key ? recall(known) : prove(token, jws, key))
  }

  /** Verified before, by the key that is right for it now: the dates alone can have changed. */
  function recall ({ token, claims }: Verified): AccessTokenClaims {
    try {
      checkDates(claims, options, seconds())
    } catch (error) {
      memory!.forget(token)
      throw error
    }
    return claims
  }

  function prove (token: string, jws: Jws | Verified, key: Key): AccessTokenClaims {
    key.verify(token)
    // A kept token whose key has changed: its payload is read again.
    const claims = believe('payload' in jws ? jws : parseJws(token, rules))
    memory?.keep({ token, header: jws.header, key, claims })
    return claims
  }

  function believe ({ payload }: Jws): AccessTokenClaims {
    return deepFreeze(checkClaims(payload, options, seconds(), options.completeness))
  }
}

/** NumericDates count seconds (RFC 7519 section 2). */
export function seconds (): number {
  return Date.now() / 1000
}
