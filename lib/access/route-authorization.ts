import { type ChallengeParameters, type KeycloakError, type ReasonSource, refusal } from '../errors.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import type { Caller } from './caller.js'
import { issuerDenial, scopeDenial } from './denial.js'
import { loginDenial } from './login-denial.js'
import type { RuleGuard } from './rule-guard.js'

/**
 * Lets a caller pass who fulfils the rules of a route, in this order: the issuer, the scopes, the permission, the login.
 * @throws {KeycloakError} permission_denied, insufficient_user_authentication
 */
export function authorize (caller: Caller, guard: RuleGuard): MaybePromise<void> {
  if (guard.issuers?.has(caller.issuer) === false) throw denied(() => issuerDenial(guard.issuers!, caller.issuer))
  if (guard.scopes.length > 0 && !caller.hasScopes(guard.scopes)) {
    throw denied(() => scopeDenial(caller, guard.scopes), missingScopes(caller, guard))
  }
  const allowed = guard.check === undefined || guard.check(caller)
  if (allowed instanceof Promise) return allowed.then((late) => requireRights(late, guard, caller))
  requireRights(allowed, guard, caller)
}

/** The permission first, and then the login: who may not in any case need not log in again. */
function requireRights (allowed: boolean, guard: RuleGuard, caller: Caller): void {
  const { permission, authentication } = guard
  if (!allowed) throw denied(() => permission!.denial(caller, permission!.text), missingScopes(caller, guard))
  if (authentication === undefined) return
  const reason = loginDenial(caller, authentication)
  if (reason !== undefined) throw refusal('insufficient_user_authentication', reason, authentication.challenge)
}

/** All scopes of the route if the caller lacks one, because a login for the missing ones alone would lose the others. */
function missingScopes (caller: Caller, { askedScopes }: RuleGuard): ChallengeParameters | undefined {
  return askedScopes.length === 0 || caller.hasScopes(askedScopes) ? undefined : { scope: askedScopes.join(' ') }
}

function denied (reason: ReasonSource, challenge?: ChallengeParameters): KeycloakError {
  return refusal('permission_denied', reason, challenge)
}
