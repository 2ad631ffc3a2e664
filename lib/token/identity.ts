import type { AccessTokenClaims, User } from '../../types/user.js'
import type { Key } from '../keys/verification-key.js'
import { type Binding, bindingOf } from './confirmation.js'

/** The roles of a caller: the array in the claims, or a Set if the array is long. */
export interface Roles {
  includes (role: unknown): boolean
}

/** The realm that verified a token, as far as this room knows it. */
export interface IdentityOwner {
  /** The name of the issuer. */
  readonly name: string
}

/**
 * The claims of a caller, and the values that are computed of them once. Claims are frozen, so all requests with one kept
 * token share one identity.
 */
export interface Identity {
  readonly claims: AccessTokenClaims
  readonly owner: IdentityOwner
  /** The key that signed the token; `undefined` if signatures are not checked, and for claims that a handler has. */
  readonly key: Key | undefined
  /** The keys that a request with the token has to prove; `undefined` for a Bearer token. */
  readonly binding: Binding | undefined
  /** The user, kept unless `syncUser` is asked at each request. */
  user: User | undefined
  /** The roles, kept unless `permissionPath` is a function, which is asked at each request. */
  roles: Roles | undefined
  /** The guard that allowed the last request, if it decided by the claims alone: its answer stays the same. */
  lastAllowedBy: object | undefined
}

export function identityOf (claims: AccessTokenClaims, owner: IdentityOwner, key: Key | undefined): Identity {
  return { claims, owner, key, binding: bindingOf(claims), user: undefined, roles: undefined, lastAllowedBy: undefined }
}

/** @returns a function that gives the same identity for the same claims, for a handler, which has only the claims */
export function createIdentityBy (): (claims: AccessTokenClaims, owner: IdentityOwner) => Identity {
  const identities = new WeakMap<AccessTokenClaims, Identity>()
  return (claims, owner) => {
    let identity = identities.get(claims)
    if (identity === undefined) identities.set(claims, identity = identityOf(claims, owner, undefined))
    return identity
  }
}
