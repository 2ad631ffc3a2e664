import type { Introspection } from '../introspection/introspection.js'
import type { Waiting } from '../keycloak/cancellation.js'
import type { RealmRevocation } from '../revocation/realm-revocation.js'
import type { Credentials } from '../token/credentials.js'
import type { Identity } from '../token/identity.js'
import type { FromKept, VerifiedToken, Verify } from '../token/verifier.js'
import type { MaybePromise } from '../util/maybe-promise.js'

/** The members of the request that the decision on its token needs. */
export interface Presentation extends Waiting {
  /**
   * Checks that the client owns the key that a verified token is bound to, before Keycloak is asked about the token. `undefined`: bound
   * tokens are refused.
   * @throws {KeycloakError} token_not_valid, dpop_proof_not_valid, dpop_nonce_required, keycloak_unavailable
   */
  readonly prove: ((identity: Identity) => MaybePromise<unknown>) | undefined
}

/**
 * Gives the identity that credentials prove now: verified, not logged out, and introspected if introspection is on.
 * @param presentation without it, the call waits for Keycloak's answer even if the client has gone
 * @throws {KeycloakError} token_not_valid, token_expired, keycloak_unavailable
 */
export type Identify = (credentials: Credentials, presentation?: Presentation) => MaybePromise<Identity>

/** The two ways to a valid identity. */
export interface Identification {
  identify: Identify
  /** The fast way, which is synchronous. `undefined` if no tokens are kept, or Keycloak is asked at each request. */
  fromKept: FromKept | undefined
  /** Does `identify` need the presentation? */
  needsPresentation: boolean
}

/** The parts of a realm that decide on a token. */
export interface IdentificationParts {
  verify: Verify
  /** `undefined` if no tokens are kept. */
  fromKept: FromKept | undefined
  /** `undefined` if logouts are not received. */
  revocation: Pick<RealmRevocation, 'check'> | undefined
  /** `undefined` if tokens are not introspected. */
  introspection: Pick<Introspection, 'introspect' | 'fromCache'> | undefined
}

export function createIdentification ({ verify, fromKept: verifiedFromKept, revocation, introspection }: IdentificationParts): Identification {
  const introspectedFromCache = introspection?.fromCache
  const hasFastWay = verifiedFromKept !== undefined && (introspection === undefined || introspectedFromCache !== undefined)
  return { identify, fromKept: hasFastWay ? fromKept : undefined, needsPresentation: introspection !== undefined }

  function fromKept (kept: VerifiedToken, header: string, wall: number, monotonic: number): Identity | undefined {
    const verified = verifiedFromKept!(kept, header, wall, monotonic)
    if (verified === undefined) return undefined
    revocation?.check(verified.claims)
    if (introspectedFromCache === undefined) return verified
    const live = introspectedFromCache(header, wall, monotonic)
    return live && checked(live)
  }

  function identify ({ token }: Credentials, presentation?: Presentation): MaybePromise<Identity> {
    const verified = verify(token)
    return verified instanceof Promise ? verified.then((late) => prove(token, late, presentation)) : prove(token, verified, presentation)
  }

  /** Whoever has a stolen token and not its key learns nothing of it, and costs no call. */
  function prove (token: string, verified: Identity, presentation?: Presentation): MaybePromise<Identity> {
    const proven = presentation?.prove?.(verified)
    return proven instanceof Promise ? proven.then(() => inspect(token, verified, presentation)) : inspect(token, verified, presentation)
  }

  /** A verified token: is it logged out, and is it still active? */
  function inspect (token: string, verified: Identity, presentation?: Presentation): MaybePromise<Identity> {
    revocation?.check(verified.claims)
    if (introspection === undefined) return verified
    const live = introspection.introspect(token, verified, presentation)
    return live instanceof Promise ? live.then(checked) : checked(live)
  }

  /** A second check, because introspection adds the `sub` of a lightweight token, and a logout may have come meanwhile. */
  function checked (identity: Identity): Identity {
    revocation?.check(identity.claims)
    return identity
  }
}
