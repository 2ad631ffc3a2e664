import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import type { TokenSpec } from './token-spec.js'

/** The part of a Fastify instance that the realm makes requests by. */
export interface InjectableApp {
  /** Fastify's. */
  inject (options: InjectOptions): Promise<LightMyRequestResponse>
}

/** A request as `app.inject` takes it, and who makes it. */
export type InjectAsOptions = InjectOptions & {
  /**
   * - what the token shall be: `{ username: 'bob', roles: ['admin'] }`; `{}` is alice without roles
   * - a token of `TestRealm.token()`, where the same is sent again: after it has expired, was revoked, …
   * - `null`, or nothing at all: anonymous
   */
  as?: TokenSpec | string | null
}

/** The header that carries a token. A type, no interface, so that it fits where any headers do. */
export type AuthorizationHeader = { authorization: string }

const METHOD_AND_URL = /^([A-Z]+) +(\/.*)$/

/** @throws {TypeError} for a string that is no token, such as a username; what it is, is not shown */
export function bearer (token: string): AuthorizationHeader {
  if (token.split('.').length !== 3) {
    throw new TypeError("TestRealm: a string stands for a token here, and this one is none; for a user write { username: 'bob' }.")
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
