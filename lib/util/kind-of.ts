/** The kind of a value, in words, without showing it. */
export function kindOf (value: unknown): string {
  if (value === undefined || value === null || typeof value === 'boolean') return String(value)
  if (value === '') return 'an empty string'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** The error for a promise that a synchronous function returned. A later rejection of the promise is ignored. */
export function asynchronous (promise: PromiseLike<unknown>, name: string, hint = ''): TypeError {
  promise.then(undefined, () => {})
  return new TypeError(`${name} is synchronous, it must not return a promise${hint}`)
}
