import type { PermissionRule, SyncPermissionRule } from '../../types/rules.js'
import { asynchronous } from '../util/kind-of.js'
import type { AuthenticationRule } from './authentication-rule.js'
import type { Caller } from './caller.js'
import { loginDenial } from './login-denial.js'
import { compileRule } from './permission-rule.js'
import { parametersIn } from './route-parameters.js'

/** `request.hasPermission`. A role is looked up at once; any other rule is compiled at each call, because it may change. */
export function hasPermission (rule: SyncPermissionRule, caller: Caller): boolean {
  if (typeof rule === 'string' && rule !== '') return caller.roles.includes(rule)
  const fulfilled = compile(rule, 'The rule of hasPermission', caller).check(caller)
  if (typeof fulfilled === 'boolean') return fulfilled
  throw asynchronous(fulfilled, 'hasPermission', ': an asynchronous rule belongs into the config of the route, or into isAllowed')
}

/** `request.isAllowed`. */
export async function isAllowed (rule: PermissionRule, caller: Caller): Promise<boolean> {
  return compile(rule, 'The rule of isAllowed', caller).check(caller)
}

/**
 * `request.hasAuthentication`.
 * @throws {TypeError} for a level that the caller's realm does not have
 */
export function hasAuthentication (rule: AuthenticationRule, caller: Caller): boolean {
  const { acrLevels } = caller.realm.options
  const stranger = acrLevels && rule.acr?.find((level) => !acrLevels.includes(level))
  if (stranger !== undefined) throw new TypeError(`acr of hasAuthentication names ${JSON.stringify(stranger)}, which acrLevels does not have`)
  return loginDenial(caller, rule) === undefined
}

function compile (rule: unknown, name: string, { request }: Caller) {
  return compileRule(rule, { name, parameters: () => parametersIn(String(request.routeOptions.url)) })
}
