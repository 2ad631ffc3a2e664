import type { JsonObject } from './strict-json.js'

/**
 * A member of an object that the application made: its own, or one of its class, enumerable or not. A member that it has
 * from Object.prototype alone is not its: anybody who can write there ("prototype pollution") would write it into all
 * objects of the process.
 */
export function memberOf (object: object, name: PropertyKey): unknown {
  const value = (object as Record<PropertyKey, unknown>)[name]
  return isPolluted(object, name, value) ? undefined : value
}

/** The same for a member that may be there and `undefined`. */
export function hasMember (object: object, name: PropertyKey): boolean {
  return name in object && !isPolluted(object, name, (object as Record<PropertyKey, unknown>)[name])
}

/**
 * The members of an object in one without a prototype, each of them read once: the enumerable ones, inherited ones too,
 * and those that are wanted by name, however they are there (by the getter of a class, not enumerable).
 * @param names looked for in any case, because a proxy need not name what it answers
 * @param isWanted asked about the names of members that are not enumerable
 */
export function plainCopy (object: object, names: Iterable<string>, isWanted: (name: string) => boolean = () => false): JsonObject {
  const copy: JsonObject = Object.create(null)
  for (const key of new Set([...keysOf(object, isWanted), ...names])) {
    const value = (object as JsonObject)[key]
    if ((value !== undefined || key in object) && !isPolluted(object, key, value)) copy[key] = value
  }
  return copy
}

/** The same own members in an object without a prototype: one that was left out is not found there. */
export function withoutPrototype<T extends object> (members: T): T {
  return Object.assign(Object.create(null), members)
}

/** Symbols are keys as well, though JSON has none. */
function * keysOf (object: object, isWanted: (name: string) => boolean): Iterable<string> {
  for (let holder = object; holder !== null && holder !== Object.prototype; holder = Object.getPrototypeOf(holder)) {
    for (const key of Reflect.ownKeys(holder)) {
      const isEnumerable = Object.getOwnPropertyDescriptor(holder, key)?.enumerable === true
      if (isEnumerable || isWanted(String(key))) yield key as string
    }
  }
}

/** Does an object have a member by Object.prototype alone? A proxy may answer with a value of its own all the same. */
function isPolluted (object: object, name: PropertyKey, value: unknown): boolean {
  if (!Object.hasOwn(Object.prototype, name)) return false
  let holder: object | null = object
  while (holder !== null && !Object.hasOwn(holder, name)) holder = Object.getPrototypeOf(holder)
  return holder === Object.prototype && Object.is(value, (Object.prototype as unknown as Record<PropertyKey, unknown>)[name])
}
