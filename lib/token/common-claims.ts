import { freezeWithin, isObject, type JsonObject } from '../util/strict-json.js'

/** A value that tokens had in common lately. */
interface CommonValue {
  readonly value: unknown
  /** The strings in it, names of members included. */
  readonly strings: number
}

/** The claims that users with the same roles have in common. No claim that tells who the user is may be among them. */
const NAMES = ['iss', 'aud', 'scope', 'allowed-origins', 'realm_access', 'resource_access', 'groups', 'organization'] as const

/** The most values of a claim that are remembered: a realm has few sets of roles that many users have. */
const MAX_VALUES = 16

/** The most strings in a value that is remembered, so that a realm takes a megabyte at most for values that no token has any more. */
const MAX_STRINGS = 128

/**
 * The values that tokens of a realm have in common, so that kept tokens hold each of them once, which saves a quarter of the
 * memory of a usual token. A token may get the value of another one, because both are equal and frozen.
 */
export class CommonClaims {
  readonly #values = new Map<string, CommonValue[]>()
  readonly #objects = new Map<unknown, CommonValue>()

  /** {@link freezeWithin}, after the values of these claims were replaced by equal ones of earlier tokens. */
  readonly freeze = (levels: number, claims: JsonObject): number | undefined => {
    for (const name of NAMES) {
      const common = Object.hasOwn(claims, name) ? this.#find(name, claims[name]) : undefined
      if (common !== undefined) claims[name] = common.value
    }
    return freezeWithin(levels, claims, this.#stringsOf)
  }

  /**
   * Remember the values of a token that is kept. Those of refused tokens are not, because nobody counts their memory.
   * @param claims frozen
   */
  remember (claims: JsonObject): void {
    for (const name of NAMES) {
      if (Object.hasOwn(claims, name) && this.#find(name, claims[name]) === undefined) this.#add(name, claims[name])
    }
  }

  readonly #stringsOf = (value: object): number | undefined => this.#objects.get(value)?.strings

  #find (name: string, value: unknown): CommonValue | undefined {
    return this.#values.get(name)?.find((common) => isEqual(common.value, value))
  }

  #add (name: string, value: unknown): void {
    const isPlain = typeof value !== 'object' || value === null
    const strings = isPlain ? 0 : freezeWithin(Infinity, value)!
    if (strings > MAX_STRINGS) return
    const added = { value, strings }
    const values = this.#values.get(name) ?? []
    this.#values.set(name, values)
    values.push(added)
    if (!isPlain) this.#objects.set(value, added)
    if (values.length > MAX_VALUES) this.#objects.delete(values.shift()!.value)
  }
}

/**
 * The memory of the claims of a kept token, and of what is made of them for rules (the Set of many roles, memberships), in bytes.
 * Values that tokens have in common count for each of them: what is made of them is each token's own, and any of them may be
 * the last one that holds them.
 */
export function bytesOf (claims: JsonObject): number {
  let bytes = OBJECT_BYTES
  for (const [name, value] of Object.entries(claims)) bytes += SLOT_BYTES + bytesIn(value) * (name === 'organization' ? MEMBERSHIPS : 1)
  return bytes
}

/** A membership in an organization becomes an entry of two Maps and of `request.organizations`, some 450 bytes. */
const MEMBERSHIPS = 4

/** The memory of an object or array without its members, and of a member, in bytes. */
const OBJECT_BYTES = 48
const SLOT_BYTES = 8

/** The memory of a string without its characters. */
const STRING_BYTES = 24

/** The name of a member that no other token has takes a shape of its own. */
const NAME_BYTES = 64

/** The roles of a long list are found by a Set, which takes as much again. */
const ELEMENT_BYTES = 40

/** The memory of a value read from JSON, an estimate rounded up. */
function bytesIn (value: unknown): number {
  if (typeof value === 'string') return STRING_BYTES + value.length
  if (typeof value !== 'object' || value === null) return SLOT_BYTES
  let bytes = OBJECT_BYTES
  if (Array.isArray(value)) for (const each of value) bytes += ELEMENT_BYTES + bytesIn(each)
  else for (const [name, each] of Object.entries(value)) bytes += NAME_BYTES + name.length + bytesIn(each)
  return bytes
}

/** Are these values, which were read from JSON, the same in the same order? */
function isEqual (one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (Array.isArray(one)) return Array.isArray(other) && one.length === other.length && one.every((each, at) => isEqual(each, other[at]))
  if (!isObject(one) || !isObject(other)) return false
  const names = Object.keys(one)
  const others = Object.keys(other)
  return names.length === others.length && names.every((name, at) => name === others[at] && isEqual(one[name], other[name]))
}
