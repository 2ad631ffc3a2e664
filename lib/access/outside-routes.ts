import type { FastifyInstance } from 'fastify'
import { namesOf, type RouteRecord } from './added-routes.js'
import { hasRule } from './route-guard.js'
import { hasMember } from '../util/members.js'
import type { StartLog } from '../diagnostics/start-log.js'

/**
 * A rule on a route outside of every scope that has the plugin closes nothing: most often the plugin was registered in a
 * plugin of the application that is not wrapped by fastify-plugin. Said once for all registrations in an application.
 */
export function warnOfOutsideRoutes (record: RouteRecord, log: StartLog): void {
  if (record.reported) return
  record.reported = true
  const outside = record.routes.filter(({ scope, options }) => !hasPlugin(scope) && hasRule(options.config))
  if (outside.length === 0) return
  log.warn({ code: 'routes_outside' }, `routes lie outside of every scope that fastify-keycloak-bearer is registered in, so it does not check their permission, scope or authenticated (${namesOf(outside)}): ANYBODY can call them, unless something else guards them. Register it at the root of the application, with await; or wrap the plugin that registers it with fastify-plugin, so that it has no scope of its own`)
}

function hasPlugin (scope: FastifyInstance): boolean {
  return hasMember(scope, 'keycloak')
}
