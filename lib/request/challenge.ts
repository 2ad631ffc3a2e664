import type { FastifyReply, FastifyRequest } from 'fastify'
import { challengeErrorOf, type ChallengeParameters, describe, isRefusal, type KeycloakError, type KeycloakErrorCode } from '../errors.js'

/** One challenge of a `WWW-Authenticate` header: a scheme and its parameters (RFC 9110 section 11.6.1). */
export interface Challenge {
  scheme: string
  parameters: Readonly<Record<string, string>>
}

/** The realm of a challenge if nobody knows which of several the client means. */
export const UNKNOWN_REALM = 'keycloak'

/** Seconds that a client is asked to wait after a 503. Keys and introspection are tried again within one second. */
const RETRY_AFTER = '1'

type OnErrorHook = (request: FastifyRequest, reply: FastifyReply, error: unknown, done: () => void) => void

/**
 * Fastify's onError hook: gives each refusal its status and headers, also a refusal that the application throws in a
 * handler. The hook runs before the application's error handler, so a handler that sends only a body still answers 401.
 * @param realm the realm of all challenges (RFC 6750 section 3), or a function that finds that of a request
 */
export function createOnError (realm: string | ((request: FastifyRequest) => string)): OnErrorHook {
  const headers = typeof realm === 'string' ? createChallengeHeaders(realm) : (error: KeycloakError, request: FastifyRequest) => headersOf(error, realm(request))
  return (request, reply, error, done) => {
    if (isRefusal(error)) reply.code(error.statusCode).headers(headers(error, request))
    done()
  }
}

/**
 * @returns a function that gives the headers of a refusal: a challenge for 401 and 403, Retry-After for 503. They are made once
 * for each code, but for challenges with parameters.
 */
export function createChallengeHeaders (realm: string): (error: KeycloakError) => Record<string, string> {
  const byCode = new Map<KeycloakErrorCode, Record<string, string>>()
  return (error) => {
    if (error.challengeParameters !== undefined) return headersOf(error, realm)
    let headers = byCode.get(error.code)
    if (headers === undefined) byCode.set(error.code, headers = headersOf(error, realm))
    return headers
  }
}

/** The headers of a refusal by a realm. */
export function headersOf (error: KeycloakError, realm: string): Record<string, string> {
  const challenges = challengesOf(error, realm)
  return challenges.length === 0 ? { 'retry-after': RETRY_AFTER } : { 'www-authenticate': challenges.map(textOf).join(', ') }
}

/**
 * The challenges, one for each scheme that the client may use; the scheme that it did use has the error. None for a 503. The
 * description is that of the code, because an application may write into the message of its error, and headers are shared.
 */
function challengesOf ({ code, challengeParameters }: KeycloakError, realm: string): Challenge[] {
  const error = challengeErrorOf(code)
  if (error === null) return []
  const described = error === '' ? undefined : { error, error_description: describe(code) }
  return [{ scheme: 'Bearer', parameters: { realm, ...described, ...written(challengeParameters) } }]
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
