import type { ExchangeOptions, ServiceTokenOptions } from '../../types/outbound.js'
import { hasMember, memberOf } from '../util/members.js'
import { isScopeWord } from '../util/scope-word.js'
import { isObject } from '../util/strict-json.js'

/** Characters of the longest id of a client at Keycloak, and of the longest list of scopes that is sent. */
const MAX = { audience: 255, scope: 2000 }

/** Visible characters and blanks: nothing that ends a line. */
const TEXT = /^[^\p{Cc}]+$/u

/**
 * The options of `serviceToken()`.
 * @throws {TypeError}
 */
export function serviceTokenOptions (given: unknown, method: string): ServiceTokenOptions {
  if (given === undefined) return {}
  const [scope, issuer] = membersOf(given, ['scope', 'issuer'], method)
  if (issuer !== undefined && (typeof issuer !== 'string' || issuer === '')) throw new TypeError(`${method} needs issuer as the name of an issuer or its URL`)
  return { ...checkedScope(scope, method), ...issuer !== undefined && { issuer } }
}

/**
 * The options of `exchange()`.
 * @throws {TypeError}
 */
export function exchangeOptions (given: unknown, method: string): ExchangeOptions {
  const [audience, scope] = membersOf(given, ['audience', 'scope'], method)
  if (typeof audience !== 'string' || audience.length > MAX.audience || !TEXT.test(audience)) throw new TypeError(`${method} needs audience as the id of the client in Keycloak that the token is for, such as { audience: "orders" }`)
  return { audience, ...checkedScope(scope, method) }
}

/** Their values, if there are no others. */
function membersOf (given: unknown, names: readonly string[], method: string): unknown[] {
  if (!isObject(given)) throw new TypeError(`${method} takes an object with ${names.join(' and ')}`)
  const other = Object.keys(given).find((name) => !names.includes(name))
  if (other !== undefined) throw new TypeError(`${method} takes ${names.join(' and ')}, and nothing else`)
  return names.map((name) => hasMember(given, name) ? memberOf(given, name) : undefined)
}

function checkedScope (scope: unknown, method: string): { scope?: string } {
  if (scope === undefined) return {}
  const isList = typeof scope === 'string' && scope.length <= MAX.scope && scope.split(' ').every(isScopeWord)
  if (!isList) throw new TypeError(`${method} needs scope as scopes separated by single spaces, such as "orders profile"`)
  return { scope }
}
