import type { FastifyInstance } from 'fastify'
import type { StartLog } from '../diagnostics/start-log.js'
import { hasMember } from '../util/members.js'

/** Does a scope have @fastify/middie or @fastify/express? Both decorate it with `use`. */
export function takesMiddleware (scope: object): boolean {
  return hasMember(scope, 'use')
}

/**
 * Warns under `requireAuthentication` of middleware that runs without a token. Middleware also answers requests that match
 * no route, and Fastify runs the hooks of plugins in the order of their registration. So middleware must be registered
 * after this plugin, and in its scope.
 * @param fastify the instance at the time when the plugin is registered
 * @returns a function to call when all plugins are registered
 */
export function warnOfMiddleware (fastify: FastifyInstance, log: StartLog): () => void {
  if (takesMiddleware(fastify)) {
    log.warn({ code: 'middleware_first' }, 'middleware (use of @fastify/middie or @fastify/express) was registered before fastify-keycloak-bearer and runs before it, so what middleware answers is open to ANYBODY in spite of requireAuthentication. Register fastify-keycloak-bearer before it, at the root of the application; or give it a later hook, by hook: "preHandler" of @fastify/middie or expressHook of @fastify/express')
    return () => {}
  }
  return () => {
    if (!takesMiddleware(Object.getPrototypeOf(fastify))) return
    log.warn({ code: 'middleware_outside' }, 'middleware (use of @fastify/middie or @fastify/express) is registered around the scope of fastify-keycloak-bearer, so what matches no route reaches it without a token in spite of requireAuthentication. Register fastify-keycloak-bearer at the root of the application, before the middleware')
  }
}
