import type { FastifyRequest } from 'fastify'
import { type KeycloakError, type ReasonSource, refusal } from '../errors.js'
import type { Credentials } from '../token/credentials.js'
import { member } from '../util/strict-json.js'

/**
 * The token of the Authorization header; `null` where there is none or another scheme (RFC 6750 section 2.1).
 * @throws {KeycloakError} bad_authorization_header
 */
export function bearerToken (request: FastifyRequest): string | null {
  const header = authorizationOf(request)
  return header === undefined ? null : credentialsIn(header)?.token ?? null
}

/**
 * The Authorization header as it came.
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
 * @throws {KeycloakError} bad_authorization_header
 */
export function credentialsIn (header: string): Credentials | null {
  if (header === '') return null
  const end = header.search(/[ \t]/)
  const scheme = end === -1 ? header : header.slice(0, end)
  if (scheme.toLowerCase() !== 'bearer') return null
  if (end === -1) throw bad('authorization_empty')
  // Spaces alone may stand between the two (RFC 9110 section 11.4).
  const token = withoutSpacesAround(header.slice(end))
  if (token === '') throw bad('authorization_empty')
  // Not by a pattern, which would take ten times as long for what every token has to pass.
  if (token.includes(' ') || token.includes('\t')) throw bad('authorization_malformed')
  return { scheme: 'Bearer', token }
}

/** By hand, since a pattern for trailing spaces takes quadratic time on a long run of inner ones. */
function withoutSpacesAround (text: string): string {
  let start = 0
  let end = text.length
  while (text[start] === ' ') start++
  while (end > start && text[end - 1] === ' ') end--
  return text.slice(start, end)
}

/**
 * Node keeps the first of several Authorization headers and drops the others: only the raw ones tell. A request that is
 * not Node's, such as those of injectWS in @fastify/websocket's tests, has none.
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
