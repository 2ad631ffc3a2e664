import type { FastifyRequest } from 'fastify'
import { authorizationOf, credentialsIn } from './credentials.js'

/** The property of a request that holds the token of the option `extractToken`, which is called once. */
export const TOKEN = Symbol('fastify-keycloak-bearer.token')

type RequestWithToken = FastifyRequest & { [TOKEN]?: string | null }

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
