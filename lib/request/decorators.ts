import type { FastifyInstance } from 'fastify'
import { hasMember } from '../util/members.js'

/**
 * What else decorates the same request is found at start, and said in one sentence.
 * @throws {Error}
 */
export function refuseNeighbours (fastify: FastifyInstance): void {
  if (hasMember(fastify, 'keycloak')) {
    throw new Error('fastify-keycloak-bearer is registered in this scope already; for a second realm register it in a sibling scope')
  }
  const isDecorated = (name: string): boolean => fastify.hasRequestDecorator(name) && !(name in Object.prototype)
  if (isDecorated('user')) {
    throw new Error('fastify-keycloak-bearer: request.user is decorated by another plugin already; when it is @fastify/jwt, give that one the option decoratorName, such as "jwtUser"; when it is @fastify/passport, give its Authenticator the option userProperty, such as "sessionUser"')
  }
  if (isDecorated('auth') || isDecorated('hasPermission')) {
    throw new Error('fastify-keycloak-bearer: request.auth or request.hasPermission is decorated by another plugin already; register the two in sibling scopes')
  }
}
