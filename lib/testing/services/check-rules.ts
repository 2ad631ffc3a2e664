import { kindOf } from '../../util/kind-of.js'
import { nearest } from '../../util/spelling.js'
import { isObject } from '../../util/strict-json.js'
import type { ServiceClient, ServiceRules, ServiceScope, UmaResource } from './rules.js'

type Check = [is: (value: unknown) => boolean, what: string]
type Members<T> = Readonly<Record<keyof T, Check>>

const text: Check = [(value) => typeof value === 'string' && value !== '', 'a string']
const flag: Check = [(value) => typeof value === 'boolean', 'true or false']
const callback: Check = [(value) => typeof value === 'function', 'a function']
const object: Check = [isObject, 'an object']
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(text[0])
const texts: Check = [isTexts, 'an array of strings']

const RULES: Members<ServiceRules> = {
  clients: object,
  scopes: object,
  resources: [Array.isArray, 'an array of resources'],
  claims: callback,
  refuse: callback
}

const CLIENT: Members<ServiceClient> = {
  secret: text,
  keys: [(value) => Array.isArray(value) && value.length > 0, 'an array of public keys'],
  serviceAccount: flag,
  exchange: flag,
  roles: texts,
  realmRoles: texts,
  clientRoles: [(value) => isObject(value) && Object.values(value).every(isTexts), "an object such as { billing: ['reader'] }"]
}

const SCOPE: Members<ServiceScope> = {
  audience: [(value) => text[0](value) || isTexts(value), 'a client id, or an array of them'],
  default: flag
}

const RESOURCE: Members<UmaResource> = { name: text, id: text, owner: text, scopes: texts, allow: callback }

/**
 * Check the rules of a test: a misspelled member would make a test that passes for the wrong reason.
 * @throws {TypeError} one sentence that names the problem, and shows no secret
 */
export function checkRules (rules: unknown): asserts rules is ServiceRules {
  checkMembers('', rules, RULES)
  const { clients = {}, scopes = {}, resources = [] } = rules as ServiceRules
  for (const [id, client] of Object.entries(clients)) checkMembers(`clients.${id}`, client, CLIENT)
  for (const [name, scope] of Object.entries(scopes)) checkMembers(`scopes.${name}`, scope, SCOPE)
  for (const [index, resource] of resources.entries()) {
    checkMembers(`resources[${index}]`, resource, RESOURCE)
    for (const needed of ['name', 'allow'] as const) if (resource[needed] === undefined) throw wrong(`resources[${index}].${needed} is missing`)
  }
}

function checkMembers (place: string, value: unknown, members: Members<object>): void {
  if (!isObject(value)) throw wrong(`${place || 'the argument'} must be an object, not ${kindOf(value)}`)
  for (const [name, member] of Object.entries(value)) {
    const path = place === '' ? name : `${place}.${name}`
    if (!Object.hasOwn(members, name)) throw wrong(`${path} is unknown; ${advice(name, Object.keys(members))}`)
    const [is, what] = (members as Record<string, Check>)[name]!
    if (member !== undefined && !is(member)) throw wrong(`${path} must be ${what}, not ${kindOf(member)}`)
  }
}

function advice (name: string, names: readonly string[]): string {
  const meant = nearest(name, names, Math.floor(name.length / 3))
  return `write ${meant === undefined ? `one of ${names.join(', ')}` : `"${meant}"`}`
}

/** The error for rules that cannot be used. */
export function wrong (problem: string): TypeError {
  return new TypeError(`TestRealm.services(): ${problem}.`)
}
