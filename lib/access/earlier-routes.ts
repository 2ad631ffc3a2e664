import type { FastifyInstance } from 'fastify'
import { type AddedRoute, namesOf, recordOf } from './added-routes.js'
import { refuseLostRules, refuseMisplaced } from './route-guard.js'
import { guardIn } from './route-registry.js'
import type { StartLog } from '../diagnostics/start-log.js'

const HARM = 'a mistake in their config shows only at their first request, and keycloak.routes() lists them only from then on: write `await fastify.register(keycloak, …)` before the first route'

/** Routes of this scope that onRoute did not show to the plugin. */
interface EarlierRoutes {
  /** To be called when all routes are there: those of them that were recorded. */
  all: () => readonly AddedRoute[]
  /** To be called at the first request of each. */
  onLate: (methods: string, url: string) => void
}

/**
 * Routes of this scope that were added before the plugin had loaded, or in a scope that had been there before, are guarded,
 * but onRoute did not show them to it: say so at start, or where nobody has recorded them at their first request. The
 * `OPTIONS *` of @fastify/cors belongs there.
 * @throws {TypeError} if a rule of theirs got lost, since Fastify takes over what is own and enumerable alone; or if it
 *   stands beside config
 */
export function warnOfEarlierRoutes (fastify: FastifyInstance, log: StartLog): EarlierRoutes {
  const { routes, whole } = recordOf(fastify)
  const earlier = new Set<AddedRoute>()
  look('before fastify-keycloak-bearer had loaded')
  return {
    all () {
      look('in a scope that was there before fastify-keycloak-bearer had loaded')
      return [...earlier]
    },
    onLate (methods, url) {
      if (whole || isForPreflights(methods, url)) return
      log.warn({ code: 'early_routes' }, `a route was added before fastify-keycloak-bearer had loaded (${methods} ${url}). Such routes are guarded, but ${HARM}`)
    }
  }

  function look (when: string): void {
    const found = routes.filter((route) => !earlier.has(route) && isUnseen(route))
    if (found.length === 0) return
    for (const route of found) {
      refuseMisplaced(route.options)
      refuseLostRules(route.options)
      earlier.add(route)
    }
    log.warn({ code: 'early_routes' }, `routes were added ${when} (${namesOf(found)}). In its scope they are guarded, but ${HARM}`)
  }

  function isUnseen ({ scope, method, url, options }: AddedRoute): boolean {
    return isWithin(fastify, scope) && guardIn(options.config) === undefined && !isForPreflights(String(method), url)
  }
}

function isWithin (fastify: FastifyInstance, scope: FastifyInstance): boolean {
  return scope === fastify || Object.prototype.isPrototypeOf.call(fastify, scope)
}

function isForPreflights (methods: string, url: string): boolean {
  return url === '*' && methods === 'OPTIONS'
}
