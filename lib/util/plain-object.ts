import { isObject } from './strict-json.js'

/** An object without a class. That of another context, such as a test's, has another Object.prototype. */
export function isPlain (value: unknown): value is object {
  if (!isObject(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Has an object symbols among its enumerable keys, as no object of JSON has? */
export function hasSymbols (value: object): boolean {
  return Object.getOwnPropertySymbols(value).some((key) => Object.getOwnPropertyDescriptor(value, key)!.enumerable)
}
