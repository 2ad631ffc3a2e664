import type { FastifyRequest } from 'fastify'
import type { Claims } from '../../types/user.js'
import { reasonFor } from '../reasons/reason.js'
import { kindOf } from '../util/kind-of.js'
import { isThenable } from '../util/maybe-promise.js'
import { isObject } from '../util/strict-json.js'
import { roleDenial } from './denial.js'
import { compileObject, membersOf } from './object-rule.js'
import { type Rule, type RulePlace, rulesOfClaims } from './rule.js'
import { compileList } from './rule-list.js'

const roleRule = rulesOfClaims('role')

const FUNCTION: Rule['kinds'] = new Set(['function'])

/** The deepest nesting of rules: a list that contains itself would have no end. */
const MAX_DEPTH = 16

const WHAT = 'a role name, an array of rules, { any: [...] }, { all: [...] }, an object such as { realmRole: "admin" } or a function'

/**
 * Compile a rule once, so that a request only runs it.
 * @throws {TypeError} if it is not a rule
 */
export function compileRule (rule: unknown, place: RulePlace, depth = 0): Rule {
  const { name } = place
  if (depth > MAX_DEPTH) throw new TypeError(`${name} nests rules more than ${MAX_DEPTH} deep; write a function instead`)
  if (typeof rule === 'string') return role(rule, name)
  if (typeof rule === 'function') return ownRule(rule as (claims: Claims, request: FastifyRequest) => unknown)
  if (Array.isArray(rule)) return list(rule, 'all', place, depth)
  if (!isObject(rule)) throw new TypeError(`${name} must be ${WHAT}, not ${kindOf(rule)}`)
  const object = membersOf(rule, name, WHAT)
  const { key, members } = object
  if (key !== 'any' && key !== 'all') return compileObject(object, place)
  const rules = members[key]
  if (!Array.isArray(rules)) throw new TypeError(`${name} must be { ${key}: [...] } with an array of rules, not an object whose ${key} is ${kindOf(rules)}`)
  return list(rules, key, { ...place, name: `${name}.${key}` }, depth)
}

function list (given: readonly unknown[], kind: 'any' | 'all', { name, parameters }: RulePlace, depth: number): Rule {
  // A copy, because an array of another class need not give the members that its length promises.
  const rules: unknown[] = Array.from(given)
  if (rules.length === 0) throw new TypeError(`${name} must hold a rule at least, not an empty array`)
  return compileList(rules.map((each, at) => compileRule(each, { name: `${name}[${at}]`, parameters }, depth + 1)), kind)
}

function role (name: string, where: string): Rule {
  if (name === '') throw new TypeError(`${where} must name a role, not an empty string`)
  return roleRule({
    text: name,
    check: ({ roles }) => roles.includes(name),
    denial: (caller, rule) => roleDenial(caller, rule, rule === name)
  })
}

/** Only `true` allows, so a forgotten return, a count or an object does not. */
function ownRule (allows: (claims: Claims, request: FastifyRequest) => unknown): Rule {
  return {
    // JavaScript names a function that is written in place after its member: `permission: () => …` is called "permission".
    text: allows.name === '' || allows.name === 'permission' ? 'a function' : `${allows.name}()`,
    dependsOnClaimsOnly: false,
    kinds: FUNCTION,
    scopes: [],
    namedScopes: [],
    denial: (_caller, rule) => reasonFor('rule_not_fulfilled', { rule }),
    check ({ claims, request }) {
      const answer = allows(claims, request)
      return isThenable(answer) ? Promise.resolve(answer).then((late) => late === true) : answer === true
    }
  }
}
