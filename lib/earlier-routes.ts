import type { FastifyInstance } from 'fastify'
import { type AddedRoute, namesOf, recordOf } from './added-routes.js'
import { refuseLostRules, refuseMisplaced } from './guard.js'
import type { StartLog } from './start-log.js'

const HARM = 'a mistake in their config shows only at their first request, and keycloak.routes() lists them only from then on: write `await fastify.register(keycloak, …)` before the first route'

/** Routes of this scope that onRoute did not show to the plugin. */
interface EarlierRoutes {
  /** As far as they were recorded. */
  earlier: AddedRoute[]
  /** To be called at the first request of each. */
  onLate: (methods: string, url: string) => void
}

/**
 * Routes of this scope that were added before the plugin had loaded are guarded, but onRoute did not show them to it: say
 * so at start, or where nobody has recorded them at their first request. The `OPTIONS *` of @fastify/cors belongs there.
 * @throws {TypeError} if a rule of theirs got lost, since Fastify takes over what is own and enumerable alone; or if it
 *   stands beside config
 */
export function warnOfEarlierRoutes (fastify: FastifyInstance, log: StartLog): EarlierRoutes {
  const { routes, whole } = recordOf(fastify)
  const earlier = routes.filter(({ scope, method, url }) => isWithin(fastify, scope) && !isForPreflights(String(method), url))
  for (const { options } of earlier) {
    refuseMisplaced(options)
    refuseLostRules(options)
  }
  if (earlier.length > 0) {
    log.warn({ code: 'early_routes' }, `routes were added before fastify-keycloak-bearer had loaded (${namesOf(earlier)}). In its scope they are guarded, but ${HARM}`)
  }
  return {
    earlier,
    onLate (methods, url) {
      if (whole || isForPreflights(methods, url)) return
      log.warn({ code: 'early_routes' }, `a route was added before fastify-keycloak-bearer had loaded (${methods} ${url}). Such routes are guarded, but ${HARM}`)
    }
  }
}

function isWithin (fastify: FastifyInstance, scope: FastifyInstance): boolean {
  return scope === fastify || Object.prototype.isPrototypeOf.call(fastify, scope)
}

function isForPreflights (methods: string, url: string): boolean {
  return url === '*' && methods === 'OPTIONS'
}
