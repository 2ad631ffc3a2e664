import type { FastifyRequest } from 'fastify'
import { type KeycloakError, type ReasonSource, refusal } from '../errors.js'
import type { Credentials, Scheme } from '../token/credentials.js'
import { member } from '../util/strict-json.js'

/**
 * The token of the Authorization header; `null` without the header, or if it has another scheme (RFC 6750 section 2.1).
 * @throws {KeycloakError} bad_authorization_header
 */
export function bearerToken (request: FastifyRequest): string | null {
  const header = authorizationOf(request)
  return header === undefined ? null : credentialsIn(header, false)?.token ?? null
}

/**
 * The Authorization header, unchanged.
 * @throws {KeycloakError} bad_authorization_header when there is more than one
 */
export function authorizationOf (request: FastifyRequest): string | undefined {
  const header = member(request.headers, 'authorization')
  if (header === undefined) return undefined
  if (typeof header !== 'string' || hasSecondAuthorization(request.raw.rawHeaders)) throw bad('authorization_repeated')
  return header
}

/**
 * The credentials in an Authorization header; `null` if it has another scheme.
 * @param takesDpop is the scheme DPoP taken (RFC 9449 section 7.1)?
 * @throws {KeycloakError} bad_authorization_header
 */
export function credentialsIn (header: string, takesDpop: boolean): Credentials | null {
  if (header === '') return null
  const end = header.search(/[ \t]/)
  const scheme = schemeNamed(end === -1 ? header : header.slice(0, end))
  if (scheme === undefined || (scheme === 'DPoP' && !takesDpop)) return null
  if (end === -1) throw bad(EMPTY[scheme])
  // Only spaces may stand between scheme and token (RFC 9110 section 11.4).
  const token = withoutSpacesAround(header.slice(end))
  if (token === '') throw bad(EMPTY[scheme])
  // Not by a regular expression: it would take ten times as long, and every request runs this.
  if (token.includes(' ') || token.includes('\t')) throw bad(MALFORMED[scheme])
  return { scheme, token }
}

/** The credentials of a token that came another way than by the Authorization header; `null` without one. */
export function bearerCredentials (token: string | null): Credentials | null {
  return token === null ? null : { scheme: 'Bearer', token }
}

const EMPTY = { Bearer: 'authorization_empty', DPoP: 'dpop_authorization_empty' } as const
const MALFORMED = { Bearer: 'authorization_malformed', DPoP: 'dpop_authorization_malformed' } as const

/** Schemes are the same in upper and lower case (RFC 9110 section 11.1). */
function schemeNamed (name: string): Scheme | undefined {
  const plain = name.toLowerCase()
  if (plain === 'bearer') return 'Bearer'
  return plain === 'dpop' ? 'DPoP' : undefined
}

/** The scheme of the credentials of a request; the first header counts if there are several. */
export function schemeOf (request: FastifyRequest): Scheme {
  const header = member(request.headers, 'authorization')
  return typeof header === 'string' && /^dpop(?![^ \t])/i.test(header) ? 'DPoP' : 'Bearer'
}

/** Without a regular expression, because one for trailing spaces takes quadratic time on a long run of inner spaces. */
function withoutSpacesAround (text: string): string {
  let start = 0
  let end = text.length
  while (text[start] === ' ') start++
  while (end > start && text[end - 1] === ' ') end--
  return text.slice(start, end)
}

/**
 * Are there several Authorization headers? Node keeps the first and drops the others, so only the raw headers tell. A
 * request that is not Node's has no raw headers, such as one of injectWS of @fastify/websocket.
 */
function hasSecondAuthorization (rawHeaders: readonly string[] = []): boolean {
  let seen = false
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!
    if (name.length === 13 && name.toLowerCase() === 'authorization') {
      if (seen) return true
      seen = true
    }
  }
  return false
}

function bad (reason: ReasonSource): KeycloakError {
  return refusal('bad_authorization_header', reason)
}
