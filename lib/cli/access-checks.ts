import type { FastifyRequest } from 'fastify'
import { Caller } from '../access/caller.js'
import { issuerDenial, roleDenial, scopeDenial } from '../access/denial.js'
import { loginDenial } from '../access/login-denial.js'
import type { Guard } from '../access/route-guard.js'
import { type KeycloakError, type ReasonSource, refusal } from '../errors.js'
import type { RealmSettings } from '../options/options.js'
import { type Presentation as SenderPresentation, SenderConstraint } from '../proof/sender-constraint.js'
import type { Realm } from '../realm/realm.js'
import type { Identity } from '../token/identity.js'
import type { CheckList } from './check.js'
import { rolePlaces } from './role-places.js'
import type { GivenCredentials } from './token-input.js'

/** A verified token, and the rule that it has to fulfil. */
export interface AccessTask {
  list: CheckList
  guard: Guard
  credentials: GivenCredentials
  identity: Identity
  realm: Realm
  settings: RealmSettings
  /** Is a token refused that is not bound to a key? */
  required: boolean
}

/** There is no request, and a rule that needs one cannot be written in a command line. */
const NO_REQUEST = { params: {} } as FastifyRequest

/** The checks after the verification: binding, user, rights, login. All are made; the result is the first refusal. */
export function accessRefusal (task: AccessTask): KeycloakError | undefined {
  const caller = new Caller(task.realm.access, task.identity, NO_REQUEST)
  const refusals = [checkBinding(task), checkUser(task), checkIssuer(task), checkScope(task, caller), checkPermission(task, caller), checkLogin(task, caller)]
  return refusals.find((each) => each !== undefined)
}

function checkBinding ({ list, guard, credentials: { scheme, token }, identity, required }: AccessTask): KeycloakError | undefined {
  const { binding } = identity
  if (binding === undefined && scheme !== 'DPoP' && !required && !guard.senderConstrained) return undefined
  if (binding === undefined || (scheme === 'Bearer' && binding.jkt !== undefined)) {
    // It is refused before a proof or a certificate would be asked for, and the doctor has neither.
    const presentation = { scheme: scheme ?? 'Bearer', token } as SenderPresentation
    return attempt(list, 'binding', () => { void new SenderConstraint(undefined, required).check(identity, presentation, guard.senderConstrained) })
  }
  const how = binding.jkt === undefined
    ? 'the token is bound to a certificate: call with that certificate'
    : 'the token is bound to a key of DPoP proofs: send "Authorization: DPoP" and the token, with a new proof by that key in the header DPoP of each request'
  list.add('binding', 'passed', { message: `${how}; that proof is not checked here` })
  return undefined
}

function checkUser ({ list, realm, identity }: AccessTask): KeycloakError | undefined {
  return attempt(list, 'user', () => { void realm.toUser(identity, NO_REQUEST) })
}

function attempt (list: CheckList, check: 'binding' | 'user', make: () => void): KeycloakError | undefined {
  let refused: KeycloakError | undefined
  try {
    make()
  } catch (error) {
    refused = error as KeycloakError
  }
  list.addRefusal(check, refused)
  return refused
}

function checkIssuer ({ list, guard: { issuers }, realm: { name } }: AccessTask): KeycloakError | undefined {
  if (issuers === undefined) return undefined
  return deny(list, 'issuers', issuers.has(name) ? undefined : issuerDenial(issuers, name))
}

function checkScope ({ list, guard: { scopes } }: AccessTask, caller: Caller): KeycloakError | undefined {
  if (scopes.length === 0) return undefined
  return deny(list, 'scope', caller.hasScopes(scopes) ? undefined : scopeDenial(caller, scopes))
}

function checkPermission (task: AccessTask, caller: Caller): KeycloakError | undefined {
  const { list, guard: { check, permission } } = task
  if (check === undefined || permission === undefined) return noteRoles(task, caller)
  const denied = deny(list, 'permission', check(caller) === true ? undefined : permission.denial(caller, permission.text))
  const places = denied === undefined ? undefined : rolePlaces(caller.claims, permission.text)
  if (places !== undefined) list.add('roles', 'warning', { message: places })
  return denied
}

/** Without a permission to check: does `permissionPath` lead to roles? A user without any role may be right. */
function noteRoles ({ list, settings }: AccessTask, caller: Caller): undefined {
  if (settings.readsAccountRoles) return
  const { reasonCode, reason } = roleDenial(caller, '(any)', true)
  if (reasonCode === 'role_missing') list.add('roles', 'passed')
  else list.addRefusal('roles', { reasonCode, reason }, 'warning')
}

function checkLogin ({ list, guard: { authentication } }: AccessTask, caller: Caller): KeycloakError | undefined {
  if (authentication === undefined) return undefined
  // One by one, so that the report has both: a login that is stronger need not be recent.
  const refused = [{ ...authentication, maxAge: undefined }, { ...authentication, acr: undefined }].filter((each) => each.acr !== undefined || each.maxAge !== undefined)
    .map((each) => loginDenial(caller, each)).filter((reason) => reason !== undefined).map((reason) => refusal('insufficient_user_authentication', reason))
  if (refused.length === 0) list.add('login', 'passed')
  for (const each of refused) list.addRefusal('login', each)
  return refused[0]
}

function deny (list: CheckList, check: 'issuers' | 'scope' | 'permission', reason: ReasonSource | undefined): KeycloakError | undefined {
  const denied = reason && refusal('permission_denied', reason)
  list.addRefusal(check, denied)
  return denied
}
