import { createUnverifiedIssuer } from '../token/unverified-issuer.js'
import type { FromCache } from '../token/verifier.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import type { RealmDirectory } from './directory.js'
import { type Realm, realmOf } from './realm.js'
import type { SharedByRealms } from './shared.js'

/** The realms that decide on tokens: the only one, or the one of several that a token's issuer picks. */
export interface Authority extends Pick<RealmDirectory, 'identify'> {
  /** The only realm; `undefined` if there are several, or none yet. */
  only: Realm | undefined
  fromCache: FromCache | undefined
  /** The realm of a kept token by its header; `undefined` if there is one realm, or no tokens are kept. */
  realmOfKept: ((header: string) => Realm | undefined) | undefined
  /**
   * The realm that has to verify a token.
   * @throws {KeycloakError} token_not_valid, keycloak_unavailable
   */
  realmFor: (token: string) => MaybePromise<Realm>
  /**
   * The `iss` of a token that nobody has verified; `undefined` if no token is read before it is verified.
   * @throws {KeycloakError} token_not_valid
   */
  issuerOf: ((token: string) => string) | undefined
}

/** One realm, for which no token is read before it is verified. */
export function onlyRealm (realm: Realm): Authority {
  return {
    only: realm,
    fromCache: realm.fromCache,
    realmOfKept: undefined,
    realmFor: () => realm,
    issuerOf: undefined,
    identify: (_realm, credentials, presentation) => realm.identify(credentials, presentation)
  }
}

/** Several realms. The unverified `iss` only picks among those that the operator trusts. */
export function severalRealms (directory: RealmDirectory, { tokens, limits }: Pick<SharedByRealms, 'tokens' | 'limits'>): Authority {
  const issuerOf = createUnverifiedIssuer(limits)
  return {
    only: undefined,
    fromCache: tokens && ((header, wall, monotonic) => {
      const kept = tokens.findBy(header)
      if (kept === undefined) return undefined
      const realm = realmOf(kept.identity)
      return directory.isOpen(realm) ? realm.fromKept?.(kept, header, wall, monotonic) : undefined
    }),
    realmOfKept: tokens && ((header) => {
      const kept = tokens.findBy(header)
      return kept && realmOf(kept.identity)
    }),
    realmFor: (token) => directory.byIssuer(issuerOf(token)),
    issuerOf,
    identify: (realm, credentials, presentation) => directory.identify(realm, credentials, presentation)
  }
}
