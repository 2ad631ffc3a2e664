import { type KeycloakError, notValid } from '../errors.js'
import type { KeySource } from '../keys/key-source.js'
import type { RealmRevocation } from '../revocation/realm-revocation.js'
import { checkDates, type ExpectedClaims, validity } from '../token/claims.js'
import type { Identity } from '../token/identity.js'

/**
 * Gives the refusal that an accepted token would get now by its dates, its key or a logout; `undefined` if the token is still good.
 * Keycloak is not asked, and while nobody can tell, the token counts as good: it ends at its `exp` in any case.
 * @param now seconds since 1970
 */
export type EndOf = (identity: Identity, now: number) => KeycloakError | undefined

export interface TokenEndParts {
  expected: ExpectedClaims
  keys: Pick<KeySource, 'latest'>
  /** `undefined` if logouts are not received. */
  revocation: Pick<RealmRevocation, 'check'> | undefined
}

export function createEndOf ({ expected, keys, revocation }: TokenEndParts): EndOf {
  return ({ claims, key }, now) => {
    // Only the end counts: a clock that is set back makes no token of an open connection one of the future.
    if (now >= validity(claims, expected).until) return refusalBy(() => checkDates(claims, expected, now))
    if (key !== undefined && keys.latest?.holds(key) === false) return notValid('kid_unknown')
    return revocation && refusalBy(() => revocation.check(claims))
  }
}

function refusalBy (check: () => void): KeycloakError | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    const refused = error as KeycloakError
    return refused.code === 'keycloak_unavailable' ? undefined : refused
  }
}
