import type { FastifyInstance } from 'fastify'
import type { StartLog } from '../diagnostics/start-log.js'
import { hasMember } from '../util/members.js'
import { namesOf, type RouteRecord } from './added-routes.js'
import { hasRule } from './route-config.js'

/**
 * Warns of routes that have a rule but lie outside of every scope that has the plugin, so that nothing checks the rule. The
 * usual cause is a plugin of the application that registers this one without being wrapped by fastify-plugin. The warning
 * comes once for all registrations in an application.
 */
export function warnOfUnguardedRoutes (record: RouteRecord, log: StartLog): void {
  if (record.isReported) return
  record.isReported = true
  const outside = record.routes.filter(({ scope, options }) => !hasPlugin(scope) && hasRule(options.config))
  if (outside.length === 0) return
  log.warn({ code: 'routes_outside' }, `routes lie outside of every scope that fastify-keycloak-bearer is registered in, so it does not check their permission, scope, issuer, acr, maxAge or authenticated (${namesOf(outside)}): ANYBODY can call them, unless something else guards them. Register it at the root of the application, with await; or wrap the plugin that registers it with fastify-plugin, so that it has no scope of its own`)
}

function hasPlugin (scope: FastifyInstance): boolean {
  return hasMember(scope, 'keycloak')
}
