import type { PermissionRule, SyncPermissionRule } from '../../types/rules.js'
import { asynchronous } from '../util/kind-of.js'
import type { Caller } from './caller.js'
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

function compile (rule: unknown, name: string, { request }: Caller) {
  return compileRule(rule, { name, parameters: () => parametersIn(String(request.routeOptions.url)) })
}
