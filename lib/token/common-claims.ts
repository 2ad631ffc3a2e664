import { freezeWithin, isObject, type JsonObject } from '../util/strict-json.js'

/** A value that tokens had in common lately. */
interface CommonValue {
  readonly value: unknown
  /** The strings in it, names of members included. */
  readonly strings: number
  /** Is its memory counted, as that of the first token that was kept with it? */
  isCounted: boolean
}

/** The claims that users with the same roles have in common. No claim that tells who the user is may be among them. */
const NAMES = ['iss', 'aud', 'scope', 'allowed-origins', 'realm_access', 'resource_access', 'groups', 'organization'] as const

/** The most values of a claim that are remembered: a realm has few sets of roles that many users have. */
const MAX_VALUES = 16

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
      if (Object.hasOwn(claims, name)) claims[name] = this.#find(name, claims[name], levels - 1)
    }
    return freezeWithin(levels, claims, this.#stringsOf)
  }

  /** The memory of the claims of a token that is kept now; values that an earlier one has as well are not counted again. */
  bytesOf (claims: JsonObject): number {
    let bytes = OBJECT_BYTES
    for (const value of Object.values(claims)) {
      const common = this.#objects.get(value)
      bytes += SLOT_BYTES
      if (common?.isCounted !== true) bytes += bytesIn(value)
      if (common !== undefined) common.isCounted = true
    }
    return bytes
  }

  readonly #stringsOf = (value: object): number | undefined => this.#objects.get(value)?.strings

  #find (name: string, value: unknown, levels: number): unknown {
    let values = this.#values.get(name)
    if (values === undefined) this.#values.set(name, values = [])
    for (const common of values) {
      if (isEqual(common.value, value)) return common.value
    }
    this.#add(values, value, levels)
    return value
  }

  #add (values: CommonValue[], value: unknown, levels: number): void {
    const isPlain = typeof value !== 'object' || value === null
    const strings = isPlain ? 0 : freezeWithin(levels, value)
    // It nests too deep: the token will be refused.
    if (strings === undefined) return
    const added = { value, strings, isCounted: false }
    values.push(added)
    if (!isPlain) this.#objects.set(value, added)
    if (values.length > MAX_VALUES) this.#objects.delete(values.shift()!.value)
  }
}

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
