import type { FastifyRequest } from 'fastify'
import { guardIn } from './route-registry.js'

/** The property of a request that holds the scopes it needs beyond those of its route; the same in every copy of this package. */
const ASKED = Symbol.for('fastify-keycloak-bearer.asked-scopes')

type AskingRequest = FastifyRequest & { [ASKED]?: readonly string[] }

/**
 * All scopes that a request needs: of its route, and of the tools that it calls.
 * @param guard of the route; `undefined`: the one that onRoute has left in its config
 */
export function askedScopesOf (request: AskingRequest, guard = guardIn(request.routeOptions.config)): readonly string[] {
  return request[ASKED] ?? guard?.askedScopes ?? []
}

/** Add scopes that a request needs, so that all its challenges name them; returns all of them. */
export function addAskedScopes (request: AskingRequest, scopes: readonly string[]): readonly string[] {
  return (request[ASKED] = [...new Set([...askedScopesOf(request), ...scopes])])
}
