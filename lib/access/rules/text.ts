import { kindOf } from '../../util/kind-of.js'
import type { JsonObject } from '../../util/strict-json.js'
import type { RulePlace } from '../rule.js'

/**
 * The text that a member of a rule must be.
 * @param what the words that complete "… must be"
 * @throws {TypeError} if it is another value, or empty
 */
export function textOf (members: JsonObject, member: string, what: string, { name }: RulePlace): string {
  const value = members[member]
  if (typeof value !== 'string' || value === '') throw new TypeError(`${name}.${member} must be ${what}, not ${kindOf(value)}`)
  return value
}
