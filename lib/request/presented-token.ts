import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Presented } from '../realm/shared.js'
import { REPLY } from './auth-signals.js'
import { authorizationOf, credentialsIn } from './credentials.js'
import { whenGone } from './requests-gone.js'

/** The property of a request that holds the token of the option `extractToken`, which is called once. */
export const TOKEN = Symbol('fastify-keycloak-bearer.token')

/** The property of a request that holds the Authorization header it came with, if the header is read later. */
const HEADER = Symbol('fastify-keycloak-bearer.header')

type RequestWithToken = FastifyRequest & { [TOKEN]?: string | null, [HEADER]?: string, [REPLY]?: FastifyReply }

export function keepToken (request: FastifyRequest, token: string): void {
  (request as RequestWithToken)[TOKEN] = token
}

/**
 * Keeps the header that a request came with until Keycloak is asked about its token: the application may give its request another
 * header meanwhile, such as one for the next service. Most requests ask nothing, so the token in it is not read yet.
 */
export function keepHeader (request: FastifyRequest, header: string): void {
  (request as RequestWithToken)[HEADER] = header
}

/**
 * The token that a request came with; `undefined` without one.
 * @throws {KeycloakError} bad_authorization_header
 */
export function presentedToken (request: RequestWithToken): string | undefined {
  const extracted = request[TOKEN]
  if (typeof extracted === 'string') return extracted
  const header = request[HEADER] ?? authorizationOf(request)
  return header === undefined ? undefined : credentialsIn(header, true)?.token
}

/** The token of an accepted request, and its end. */
export function presentedBy (request: RequestWithToken): Presented | undefined {
  const token = presentedToken(request)
  const reply = request[REPLY]
  if (token === undefined || reply === undefined) return undefined
  let stop = (): void => {}
  return {
    token,
    onGone (listener) { stop = whenGone(reply, listener) },
    release () { stop() }
  }
}
