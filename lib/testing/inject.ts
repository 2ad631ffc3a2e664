import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import type { DpopClient } from './dpop-client.js'
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
   * - with `dpop`: the scheme DPoP and a fresh proof for this request, unless the request has a DPoP header of its own
   * - a token of `TestRealm.token()`, to send the same token again, for example after it has expired or was revoked
   * - `null` or `undefined`: an anonymous request
   */
  as?: TokenSpec | string | null
}

/** The header that carries a token. A type alias, because an interface would not be assignable to a record of headers. */
export type AuthorizationHeader = { authorization: string }

const METHOD_AND_URL = /^([A-Z]+) +(\/.*)$/

/** @throws {TypeError} for a string that is no token, such as a username; the message does not show it */
export function authorization (scheme: 'Bearer' | 'DPoP', token: string): AuthorizationHeader {
  if (token.split('.').length !== 3) {
    throw new TypeError("TestRealm: a string must be a token here, and this string is not a token; for a user write { username: 'bob' }.")
  }
  return { authorization: `${scheme} ${token}` }
}

/**
 * Makes the request, with a proof if its `as` has a client.
 * @param headersOf gives the headers of `as`
 * @param clientOf gives the client of `dpop`
 */
export async function injectAs (
  app: InjectableApp,
  request: string | InjectAsOptions,
  headersOf: (as: TokenSpec | string) => AuthorizationHeader,
  clientOf: (dpop: DpopClient | true) => DpopClient
): Promise<LightMyRequestResponse> {
  const options = authorized(request, headersOf)
  const dpop = typeof request === 'string' || typeof request.as === 'string' ? undefined : request.as?.dpop
  if (dpop === undefined || hasHeader(options, 'dpop')) return app.inject(options)
  const response = await app.inject(await proven(options, clientOf(dpop)))
  const nonce = response.headers['dpop-nonce']
  const isAsked = response.statusCode === 401 && /error="use_dpop_nonce"/.test(String(response.headers['www-authenticate']))
  return isAsked && nonce !== undefined ? app.inject(await proven(options, clientOf(dpop), String(nonce))) : response
}

/** The request as `app.inject` takes it, with the header that `headersOf` gives for its `as`. */
function authorized (request: string | InjectAsOptions, headersOf: (as: TokenSpec | string) => AuthorizationHeader): InjectOptions {
  if (typeof request === 'string') return parse(request)
  const { as, ...options } = request
  if (as === undefined || as === null) return options
  if (hasHeader(options, 'authorization')) {
    throw new TypeError('TestRealm.inject() has both as and an Authorization header: write one of them.')
  }
  return { ...options, headers: { ...options.headers, ...headersOf(as) } }
}

/** The request with a fresh proof of the client for it. */
async function proven (options: InjectOptions, client: DpopClient, nonce?: string): Promise<InjectOptions> {
  const token = String(options.headers!.authorization).slice('DPoP '.length)
  const proof = await client.proof({ method: (options.method ?? 'GET').toUpperCase(), url: urlOf(options), token, nonce })
  return { ...options, headers: { ...options.headers, dpop: proof } }
}

/** The URL that the API sees under `app.inject`: of the host `localhost` if the request names no other. */
function urlOf ({ url, path, authority, headers }: InjectOptions): string {
  const target = url ?? path!
  const { protocol, host, pathname } = typeof target === 'string'
    ? new URL(target.startsWith('//') ? `http://localhost${target}` : target, 'http://localhost')
    : Object.assign(new URL('http://localhost'), target)
  const [, sent] = Object.entries(headers!).find(([name]) => name.toLowerCase() === 'host') ?? []
  return `${protocol}//${sent ?? authority ?? host}${pathname}`
}

function hasHeader ({ headers = {} }: InjectOptions, wanted: string): boolean {
  return Object.keys(headers).some(name => name.toLowerCase() === wanted)
}

function parse (request: string): InjectOptions {
  const [, method, url] = METHOD_AND_URL.exec(request) ?? []
  return method === undefined ? { url: request } : { method: method as NonNullable<InjectOptions['method']>, url }
}
