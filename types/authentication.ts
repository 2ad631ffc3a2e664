import type { AcrName } from './declared.js'
import type { OneOf } from './write-instead.js'

/** The levels of authentication of which a login must have one: `'gold'`, `['gold', 'platinum']`. */
export type AcrRule = AcrName | OneOf<AcrName> | readonly [AcrName, ...AcrName[]]

/**
 * A demand for a stronger or more recent login (RFC 9470): a level, a greatest age, or both.
 *
 * @example
 * { acr: 'gold' }
 * { maxAge: 300 }
 * { acr: ['gold', 'platinum'], maxAge: 300 }
 */
export type AuthenticationDemand = StrongLogin | RecentLogin

/** A demand for a login of a level. */
export interface StrongLogin {
  /** The level of authentication, the claim `acr`; of several one is enough. */
  readonly acr: AcrRule
  /** The greatest time since the login, the claim `auth_time`: a whole number of seconds from 1. */
  readonly maxAge?: number
}

/** A demand for a recent login. */
export interface RecentLogin {
  /** The level of authentication, the claim `acr`; of several one is enough. */
  readonly acr?: AcrRule
  /** The greatest time since the login, the claim `auth_time`: a whole number of seconds from 1. */
  readonly maxAge: number
}
