/** RFC 6749 section 3.3: a scope-token. Levels of authentication are such words too (OpenID Connect Core section 3.1.2.1). */
export const SCOPE_WORD = /^[\x21\x23-\x5b\x5d-\x7e]+$/

export function isScopeWord (value: unknown): value is string {
  return typeof value === 'string' && SCOPE_WORD.test(value)
}
