import type { FastifyRequest } from 'fastify'
import type { SyncPermissionRule } from '../../types/rules.js'
import type { Claims } from '../../types/user.js'
import type { Roles } from '../token/identity.js'
import { asynchronous, kindOf } from '../util/kind-of.js'
import { isThenable, type MaybePromise } from '../util/maybe-promise.js'
import { isObject } from '../util/strict-json.js'

/** The caller as a rule sees it. */
export interface Caller {
  roles: Roles
  claims: Claims
  request: FastifyRequest
}

/** A compiled rule: does the caller fulfil it? */
export type Check = (caller: Caller) => MaybePromise<boolean>

/** A compiled rule, and its text. */
export interface Rule {
  check: Check
  text: string
  /** Do the same claims always get the same answer? Not if a function of the application decides. */
  dependsOnClaimsOnly: boolean
  /** Does the rule, or a part of it, name a role? */
  readsRoles: boolean
}

/** The deepest nesting of rules: a list that contains itself would have no end. */
const MAX_DEPTH = 16

/**
 * Compile a rule once, so that a request only runs it.
 * @param name the name of the rule in error messages, such as `config.permission`
 * @throws {TypeError} if it is not a rule
 */
export function compileRule (rule: unknown, name: string, depth = 0): Rule {
  if (depth > MAX_DEPTH) throw new TypeError(`${name} nests rules more than ${MAX_DEPTH} deep; write a function instead`)
  if (typeof rule === 'string') return role(rule, name)
  if (typeof rule === 'function') return ownRule(rule as (claims: Claims, request: FastifyRequest) => unknown)
  if (Array.isArray(rule)) return list(rule, 'all', name, depth)
  if (isObject(rule)) {
    const [key, ...others] = Object.keys(rule)
    if ((key === 'any' || key === 'all') && others.length === 0 && Array.isArray(rule[key])) {
      return list(rule[key], key, `${name}.${key}`, depth)
    }
  }
  throw new TypeError(`${name} must be a role name, an array of rules, { any: [...] }, { all: [...] } or a function, not ${kindOf(rule)}`)
}

/** `request.hasPermission`. A role is looked up at once; any other rule is compiled at each call. */
export function holds (rule: SyncPermissionRule, caller: Caller): boolean {
  if (typeof rule === 'string' && rule !== '') return caller.roles.includes(rule)
  const fulfilled = compileRule(rule, 'The rule of hasPermission').check(caller)
  if (typeof fulfilled === 'boolean') return fulfilled
  throw asynchronous(fulfilled, 'hasPermission', ': an asynchronous rule belongs into the config of the route')
}

function role (name: string, where: string): Rule {
  if (name === '') throw new TypeError(`${where} must name a role, not an empty string`)
  return { check: ({ roles }) => roles.includes(name), text: name, dependsOnClaimsOnly: true, readsRoles: true }
}

/** Only `true` allows, so a forgotten return, a count or an object does not. */
function ownRule (allows: (claims: Claims, request: FastifyRequest) => unknown): Rule {
  return {
    // JavaScript names a function that is written in place after its member: `permission: () => …` is called "permission".
    text: allows.name === '' || allows.name === 'permission' ? 'a function' : `${allows.name}()`,
    dependsOnClaimsOnly: false,
    readsRoles: false,
    check ({ claims, request }) {
      const answer = allows(claims, request)
      return isThenable(answer) ? Promise.resolve(answer).then((late) => late === true) : answer === true
    }
  }
}

function list (rules: readonly unknown[], kind: 'any' | 'all', name: string, depth: number): Rule {
  if (rules.length === 0) throw new TypeError(`${name} must hold a rule at least, not an empty array`)
  const compiled = Array.from(rules, (rule, at) => compileRule(rule, `${name}[${at}]`, depth + 1))
  const checks = compiled.map(({ check }) => check)
  const decisive = kind === 'any'
  return {
    check: (caller) => decide(checks, 0, decisive, caller),
    text: `${kind} of (${compiled.map(({ text }) => text).join(', ')})`,
    dependsOnClaimsOnly: compiled.every(({ dependsOnClaimsOnly }) => dependsOnClaimsOnly),
    readsRoles: compiled.some(({ readsRoles }) => readsRoles)
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
