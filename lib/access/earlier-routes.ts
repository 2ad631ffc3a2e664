import type { FastifyInstance } from 'fastify'
import type { StartLog } from '../diagnostics/start-log.js'
import { type AddedRoute, namesOf, recordOf } from './added-routes.js'
import { refuseLostRules, refuseRuleBesideConfig } from './route-config.js'
import { guardIn } from './route-registry.js'

const CONSEQUENCE = 'a mistake in their config shows only at their first request, and keycloak.routes() lists them only from then on: write `await fastify.register(keycloak, …)` before the first route'

/** Routes of this scope that onRoute did not show to the plugin. */
interface EarlierRoutes {
  /** Returns the recorded ones. To be called when all routes have been added. */
  all: () => readonly AddedRoute[]
  /** To be called at the first request of each such route. */
  onLate: (methods: string, url: string) => void
}

/**
 * Warns of routes that are guarded although onRoute did not show them to the plugin: they were added before the plugin had
 * loaded, or in a child scope that existed before. The warning comes at start, or at the first request of a route that was
 * not recorded. The `OPTIONS *` route of @fastify/cors has to be added early, so it causes no warning.
 * @throws {TypeError} if a rule of such a route was lost, because Fastify copies only own enumerable members of config; or
 *   if a rule stands beside config
 */
export function warnOfEarlierRoutes (fastify: FastifyInstance, log: StartLog): EarlierRoutes {
  const { routes, isComplete } = recordOf(fastify)
  const earlier = new Set<AddedRoute>()
  warnOfNew('before fastify-keycloak-bearer had loaded')
  return {
    all () {
      warnOfNew('in a scope that was there before fastify-keycloak-bearer had loaded')
      return [...earlier]
    },
    onLate (methods, url) {
      if (isComplete || isForPreflights(methods, url)) return
      log.warn({ code: 'early_routes' }, `a route was added before fastify-keycloak-bearer had loaded (${methods} ${url}). Such routes are guarded, but ${CONSEQUENCE}`)
    }
  }

  /** Warns of the routes that were recorded since the last call. */
  function warnOfNew (when: string): void {
    const found = routes.filter((route) => !earlier.has(route) && isUnseen(route))
    if (found.length === 0) return
    for (const route of found) {
      refuseRuleBesideConfig(route.options)
      refuseLostRules(route.options)
      earlier.add(route)
    }
    log.warn({ code: 'early_routes' }, `routes were added ${when} (${namesOf(found)}). In its scope they are guarded, but ${CONSEQUENCE}`)
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
