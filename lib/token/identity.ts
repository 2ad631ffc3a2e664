import type { AccessTokenClaims, User } from '../../types/user.js'

/** The roles of a caller: the list in the claims, or where that is long something faster to ask. */
export interface Roles {
  includes (role: unknown): boolean
}

/**
 * Who somebody is by some claims, and what is worked out of them once: claims are frozen, so that all the requests with
 * one kept token can share it.
 */
export interface Identity {
  readonly claims: AccessTokenClaims
  /** Where no `syncUser` is asked each time. */
  user: User | undefined
  /** Where no function is asked each time. */
  roles: Roles | undefined
  /** The last route that let it in by what is in the claims alone: it will again. */
  lastAllowedBy: object | undefined
}

export function identityOf (claims: AccessTokenClaims): Identity {
  return { claims, user: undefined, roles: undefined, lastAllowedBy: undefined }
}

/** The same identity for the same claims, where claims are all there is: in a handler. */
export function createIdentityBy (): (claims: AccessTokenClaims) => Identity {
  const identities = new WeakMap<AccessTokenClaims, Identity>()
  return (claims) => {
    let identity = identities.get(claims)
    if (identity === undefined) identities.set(claims, identity = identityOf(claims))
    return identity
  }
}
