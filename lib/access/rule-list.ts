import { type Reason, reasonFor } from '../reasons/reason.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import type { Caller } from './caller.js'
import type { Check, Rule, RuleKind } from './rule.js'

/** A rule of several: all of them, or any of them. */
export function compileList (rules: readonly Rule[], kind: 'any' | 'all'): Rule {
  const checks = rules.map(({ check }) => check)
  const decisive = kind === 'any'
  return {
    check: (caller) => decide(checks, 0, decisive, caller),
    text: `${kind} of (${rules.map(({ text }) => text).join(', ')})`,
    dependsOnClaimsOnly: rules.every(({ dependsOnClaimsOnly }) => dependsOnClaimsOnly),
    kinds: new Set(rules.flatMap(({ kinds }) => [...kinds])),
    scopes: kind === 'any' ? rules.find(({ scopes }) => scopes.length > 0)?.scopes ?? [] : rules.flatMap(({ scopes }) => scopes),
    namedScopes: rules.flatMap(({ namedScopes }) => namedScopes),
    denial: kind === 'any' ? (caller, permission) => denialOfAny(rules, caller, permission) : (caller, permission) => denialOfAll(rules, caller, permission)
  }
}

/** The first decisive answer ends the list: `true` for any, `false` for all. Synchronous up to the first promise. */
function decide (checks: readonly Check[], from: number, decisive: boolean, caller: Caller): MaybePromise<boolean> {
  for (let at = from; at < checks.length; at++) {
    const answer = checks[at]!(caller)
    if (answer === decisive) return decisive
    if (answer instanceof Promise) {
      return answer.then((late) => late === decisive ? decisive : decide(checks, at + 1, decisive, caller))
    }
  }
  return !decisive
}

/** The reason of the first rule that the caller does not fulfil. Functions of the application are not asked again. */
function denialOfAll (rules: readonly Rule[], caller: Caller, permission: string): Reason {
  caller.isDecided = true
  const missing = rules.find(({ kinds, check }) => !kinds.has('function') && check(caller) !== true)
  return missing?.denial(caller, permission) ?? reasonFor('rule_not_fulfilled', { rule: permission })
}

/** The reason of the first rule if all of them look at the same claim, functions aside. */
function denialOfAny (rules: readonly Rule[], caller: Caller, permission: string): Reason {
  const kinds = new Set<RuleKind>(rules.flatMap((rule) => [...rule.kinds]))
  kinds.delete('function')
  if (kinds.size > 1) return reasonFor('alternatives_missing', { rule: permission })
  const first = rules.find((rule) => !rule.kinds.has('function')) ?? rules[0]!
  return first.denial(caller, permission)
}
