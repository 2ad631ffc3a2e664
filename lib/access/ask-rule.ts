import type { PermissionRule, SyncPermissionRule } from '../../types/rules.js'
import { authorization } from '../diagnostics/channels.js'
import { asynchronous } from '../util/kind-of.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import type { AuthenticationRule } from './authentication-rule.js'
import { publishAnswer } from './authorization-events.js'
import type { Caller } from './caller.js'
import { loginDenial } from './login-denial.js'
import { compileRule } from './permission-rule.js'
import { parametersIn } from './route-parameters.js'
import type { Rule } from './rule.js'

/** `request.hasPermission`. A role is looked up at once; any other rule is compiled at each call, because it may change. */
export function hasPermission (rule: SyncPermissionRule, caller: Caller): boolean {
  if (typeof rule === 'string' && rule !== '' && !authorization.hasSubscribers) return caller.roles.includes(rule)
  const compiled = compile(rule, 'The rule of hasPermission', caller)
  if (compiled.kinds.has('uma')) throw new TypeError('hasPermission does not take { uma }, which Keycloak is asked for: write await request.isAllowed(…), or the rule into the config of the route')
  if (!authorization.hasSubscribers) return isFulfilled(compiled, caller)
  return ask('hasPermission', compiled, caller, () => isFulfilled(compiled, caller)) as boolean
}

/** `request.isAllowed`. */
export async function isAllowed (rule: PermissionRule, caller: Caller): Promise<boolean> {
  const compiled = compile(rule, 'The rule of isAllowed', caller)
  if (compiled.kinds.has('uma') && caller.realm.uma === undefined) throw new TypeError(`The rule of isAllowed has { uma }, which needs the option uma of the issuer ${JSON.stringify(caller.issuer)}`)
  if (!authorization.hasSubscribers) return compiled.check(caller)
  return ask('isAllowed', compiled, caller, () => compiled.check(caller))
}

/**
 * `request.hasAuthentication`.
 * @throws {TypeError} for a level that the caller's realm does not have
 */
export function hasAuthentication (rule: AuthenticationRule, caller: Caller): boolean {
  const { acrLevels } = caller.realm.options
  const stranger = acrLevels && rule.acr?.find((level) => !acrLevels.includes(level))
  if (stranger !== undefined) throw new TypeError(`acr of hasAuthentication names ${JSON.stringify(stranger)}, which acrLevels does not have`)
  const denial = loginDenial(caller, rule)
  if (!authorization.hasSubscribers) return denial === undefined
  return publishAnswer({ source: 'hasAuthentication', rule: rule.text }, caller, () => denial!, () => denial === undefined) as boolean
}

function isFulfilled ({ check }: Rule, caller: Caller): boolean {
  const fulfilled = check(caller)
  if (typeof fulfilled === 'boolean') return fulfilled
  throw asynchronous(fulfilled, 'hasPermission', ': an asynchronous rule belongs into the config of the route, or into isAllowed')
}

function ask (source: 'hasPermission' | 'isAllowed', { text, denial }: Rule, caller: Caller, answer: () => MaybePromise<boolean>): MaybePromise<boolean> {
  return publishAnswer({ source, rule: text }, caller, () => () => denial(caller, text), answer)
}

function compile (rule: unknown, name: string, { request }: Caller): Rule {
  return compileRule(rule, { name, parameters: () => parametersIn(String(request.routeOptions.url)) })
}
