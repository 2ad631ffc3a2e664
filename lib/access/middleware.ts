import type { FastifyInstance } from 'fastify'
import { hasMember } from '../util/members.js'
import type { StartLog } from '../diagnostics/start-log.js'

/** Is there middleware in a scope, of @fastify/middie or @fastify/express? Both decorate it with `use`. */
export function takesMiddleware (scope: object): boolean {
  return hasMember(scope, 'use')
}

/**
 * Under `requireAuthentication`: middleware also answers what matches no route, and the hook of whoever was registered first
 * runs first. Where that is not ours, or not there at all, the start says so.
 * @param fastify as it is when the plugin is registered
 * @returns what to do when all is registered
 */
export function watchMiddleware (fastify: FastifyInstance, log: StartLog): () => void {
  if (takesMiddleware(fastify)) {
    log.warn({ code: 'middleware_first' }, 'middleware (use of @fastify/middie or @fastify/express) was registered before fastify-keycloak-bearer and runs before it, so what middleware answers is open to ANYBODY in spite of requireAuthentication. Register fastify-keycloak-bearer before it, at the root of the application; or give it a later hook, by hook: "preHandler" of @fastify/middie or expressHook of @fastify/express')
    return () => {}
  }
  return () => {
    if (!takesMiddleware(Object.getPrototypeOf(fastify))) return
    log.warn({ code: 'middleware_outside' }, 'middleware (use of @fastify/middie or @fastify/express) is registered around the scope of fastify-keycloak-bearer, so what matches no route reaches it without a token in spite of requireAuthentication. Register fastify-keycloak-bearer at the root of the application, before the middleware')
  }
}
