import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Presented } from '../realm/shared.js'
import { REPLY } from './auth-signals.js'
import { authorizationOf, credentialsIn } from './credentials.js'
import { whenGone } from './requests-gone.js'

/** The property of a request that holds the token of the option `extractToken`, which is called once. */
export const TOKEN = Symbol('fastify-keycloak-bearer.token')

type RequestWithToken = FastifyRequest & { [TOKEN]?: string | null, [REPLY]?: FastifyReply | null }

export function keepToken (request: FastifyRequest, token: string): void {
  (request as RequestWithToken)[TOKEN] = token
}

/**
 * The token that a request came with; `undefined` without one.
 * @throws {KeycloakError} bad_authorization_header
 */
export function presentedToken (request: FastifyRequest): string | undefined {
  const extracted = (request as RequestWithToken)[TOKEN]
  if (typeof extracted === 'string') return extracted
  const header = authorizationOf(request)
  return header === undefined ? undefined : credentialsIn(header, true)?.token
}

/**
 * Keeps the token that a request came with until Keycloak is asked about it: the application may give its request another header
 * meanwhile, such as one for the next service.
 */
export function keepPresented (request: FastifyRequest): void {
  const token = presentedToken(request)
  if (token !== undefined) keepToken(request, token)
}

/** The token of an accepted request, and its end. */
export function presentedBy (request: RequestWithToken): Presented | undefined {
  const token = presentedToken(request)
  const reply = request[REPLY]
  if (token === undefined || reply == null) return undefined
  let stop = (): void => {}
  return {
    token,
    onGone (listener) { stop = whenGone(reply, listener) },
    release () { stop() }
  }
}
