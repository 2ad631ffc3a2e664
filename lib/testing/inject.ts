import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import type { TokenSpec } from './token-spec.js'

/** The part of a Fastify instance that the realm needs for requests. */
export interface InjectableApp {
  /** Fastify's `inject`. */
  inject (options: InjectOptions): Promise<LightMyRequestResponse>
}

/** A request as `app.inject` takes it, and its user. */
export type InjectAsOptions = InjectOptions & {
  /**
   * - the description of a token: `{ username: 'bob', roles: ['admin'] }`; `{}` is alice without roles
   * - a token of `TestRealm.token()`, to send the same token again, for example after it has expired or was revoked
   * - `null` or `undefined`: an anonymous request
   */
  as?: TokenSpec | string | null
}

/** The header that carries a token. A type alias, because an interface would not be assignable to a record of headers. */
export type AuthorizationHeader = { authorization: string }

const METHOD_AND_URL = /^([A-Z]+) +(\/.*)$/

/** @throws {TypeError} for a string that is no token, such as a username; the message does not show it */
export function bearer (token: string): AuthorizationHeader {
  if (token.split('.').length !== 3) {
    throw new TypeError("TestRealm: a string must be a token here, and this string is not a token; for a user write { username: 'bob' }.")
  }
  return { authorization: `Bearer ${token}` }
}

/** The request as `app.inject` takes it, with the header that `headersOf` gives for its `as`. */
export function authorized (request: string | InjectAsOptions, headersOf: (as: TokenSpec | string) => AuthorizationHeader): InjectOptions {
  if (typeof request === 'string') return parse(request)
  const { as, ...options } = request
  if (as === undefined || as === null) return options
  if (Object.keys(options.headers ?? {}).some(name => name.toLowerCase() === 'authorization')) {
    throw new TypeError('TestRealm.inject() has both as and an Authorization header: write one of them.')
  }
  return { ...options, headers: { ...options.headers, ...headersOf(as) } }
}

function parse (request: string): InjectOptions {
  const [, method, url] = METHOD_AND_URL.exec(request) ?? []
  return method === undefined ? { url: request } : { method: method as NonNullable<InjectOptions['method']>, url }
}
