import type { FastifyReply, FastifyRequest } from 'fastify'
import { challengeErrorOf, type ChallengeParameters, describe, isRefusal, type KeycloakError } from '../errors.js'
import type { Scheme } from '../token/credentials.js'
import { BoundedMap } from '../util/bounded-map.js'

/** One challenge of a `WWW-Authenticate` header: a scheme and its parameters (RFC 9110 section 11.6.1). */
export interface Challenge {
  scheme: string
  parameters: Readonly<Record<string, string>>
}

/** What a client may do to be admitted, and what it did. */
export interface ChallengeContext {
  /** The realm of all challenges (RFC 6750 section 3). */
  readonly realm: string
  /** The scheme that the client used. */
  readonly used: Scheme
  /** The schemes that it may use. */
  readonly taken: readonly Scheme[]
  /** The algorithms of proofs, separated by spaces (RFC 9449 section 7.1). */
  readonly dpopAlgorithms: string | undefined
  /** The URL of the protected resource metadata (RFC 9728 section 5.1); `undefined` without the option `resource`. */
  readonly resourceMetadata?: string
  /** The scopes of the route, separated by spaces, which go with the option `resource`. */
  readonly scope?: string | undefined
}

/** The realm of a challenge if nobody knows which of several the client means. */
export const UNKNOWN_REALM = 'keycloak'

/** Seconds that a client is asked to wait after a 503. Keys and introspection are tried again within one second. */
const RETRY_AFTER = '1'

const BEARER: readonly Scheme[] = ['Bearer']

type OnErrorHook = (request: FastifyRequest, reply: FastifyReply, error: unknown, done: () => void) => void

/**
 * Fastify's onError hook: gives each refusal its status and headers, also a refusal that the application throws in a
 * handler. The hook runs before the application's error handler, so a handler that sends only a body still answers 401.
 * @param contextOf gives the challenges of a request, or the same for all
 * @param onRefusal is told of each refusal
 */
export function createOnError (contextOf: ChallengeContext | ((request: FastifyRequest) => ChallengeContext), onRefusal: (error: KeycloakError, request: FastifyRequest) => void): OnErrorHook {
  const headers = createChallengeHeaders()
  return (request, reply, error, done) => {
    if (isRefusal(error)) {
      onRefusal(error, request)
      reply.code(error.statusCode).headers(headers(error, typeof contextOf === 'function' ? contextOf(request) : contextOf))
    }
    done()
  }
}

/** Challenges of a realm that takes Bearer tokens alone. */
export function bearerContext (realm: string): ChallengeContext {
  return { realm, used: 'Bearer', taken: BEARER, dpopAlgorithms: undefined }
}

/** The most headers of challenges that are kept: some for each realm. */
const MAX_KEPT = 1000

/**
 * @returns a function that gives the headers of a refusal: challenges for 401 and 403, Retry-After for 503. They are made once
 * for each code and context, but for challenges with parameters.
 */
function createChallengeHeaders (): (error: KeycloakError, context: ChallengeContext) => Record<string, string> {
  const kept = new BoundedMap<string, Record<string, string>>(MAX_KEPT)
  return (error, context) => {
    if (error.challengeParameters !== undefined || error.dpopNonce !== undefined) return headersOf(error, context)
    const key = `${error.code} ${context.used} ${context.taken} ${context.scope} ${context.realm}`
    let headers = kept.get(key)
    if (headers === undefined) kept.set(key, headers = headersOf(error, context))
    return headers
  }
}

/** The headers of a refusal. */
export function headersOf (error: KeycloakError, context: ChallengeContext): Record<string, string> {
  const challenges = challengesOf(error, context)
  if (challenges.length === 0) return error.statusCode === 503 ? { 'retry-after': RETRY_AFTER } : {}
  const headers = { 'www-authenticate': challenges.map(textOf).join(', ') }
  return error.dpopNonce === undefined ? headers : { ...headers, ...nonceHeaders(error.dpopNonce) }
}

/** The headers that give a client its next nonce, which no cache may give to another one (RFC 9449 section 8.2). */
export function nonceHeaders (nonce: string): Record<string, string> {
  return { 'dpop-nonce': nonce, 'cache-control': 'no-store' }
}

/**
 * The challenges, one for each scheme that the client may use; the scheme that it did use has the error (RFC 9449 section
 * 7.2). None for a 502 and a 503. The description is that of the code, because an application may write into the message of its error,
 * and headers are shared.
 */
function challengesOf ({ code, challengeParameters }: KeycloakError, { realm, used, taken, dpopAlgorithms, resourceMetadata, scope }: ChallengeContext): Challenge[] {
  const error = challengeErrorOf(code)
  if (error === null) return []
  const faulty = code === 'dpop_proof_not_valid' || code === 'dpop_nonce_required' ? 'DPoP' : used
  const details = { ...error !== '' && { error, error_description: describe(code) }, ...scope && { scope }, ...written(challengeParameters) }
  const schemes = error === '' || taken.includes(faulty) ? taken : [faulty, ...taken]
  return schemes.map((scheme) => ({
    scheme,
    parameters: {
      realm,
      ...(error === '' || scheme === faulty) && details,
      ...scheme === 'DPoP' && dpopAlgorithms !== undefined && { algs: dpopAlgorithms },
      ...resourceMetadata !== undefined && { resource_metadata: resourceMetadata }
    }
  }))
}

/** The parameters that can be written: an application in JavaScript may give other values, and the rest of the challenge stays. */
function written (parameters: ChallengeParameters = {}): Record<string, string> {
  const texts = Object.entries(parameters).filter(([, value]: [string, unknown]) => typeof value === 'string' || typeof value === 'number')
  return Object.fromEntries(texts.map(([name, value]) => [name, String(value)]))
}

function textOf ({ scheme, parameters }: Challenge): string {
  return `${scheme} ${Object.entries(parameters).map(([name, value]) => `${name}="${quotable(value)}"`).join(', ')}`
}

/** RFC 6750 section 3 allows neither quotes nor backslashes in the values of its parameters, and no character beyond ASCII. */
function quotable (value: string): string {
  return value.replaceAll('"', "'").replace(/[^\x20-\x5b\x5d-\x7e]/g, '')
}
