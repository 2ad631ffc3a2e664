import type { RouteOptions } from 'fastify'
import { type AddedRoute, namesOf } from './added-routes.js'
import { failure, hasRule, plainConfig } from './route-guard.js'
import { isObject, type JsonObject } from '../util/strict-json.js'
import { memberOf } from '../util/members.js'
import { isLookalike, meantBy } from './rule-words.js'
import type { StartLog } from '../diagnostics/start-log.js'

/** The scheme that `openapi()` declares by default. */
const SCHEME = 'KeycloakAuth'

type Route = Omit<AddedRoute, 'scope'>

/**
 * Keys that look as if they closed a route, but which the plugin does not know: `config: { roles: ['admin'] }`. They may
 * belong to another package, so they are named at start and refused by nobody.
 * @param routes those in the plugin's scope
 */
export function warnOfLookalikes (routes: readonly Route[], requireAuthentication: boolean, log: StartLog): void {
  const found = new Map<string, Route[]>()
  for (const route of routes) {
    for (const key of lookalikesOf(route.options, requireAuthentication)) found.set(key, [...found.get(key) ?? [], route])
  }
  if (found.size === 0) return
  const named = [...found].map(([key, routes]) => `${key} of ${namesOf(routes)}`).join('; ')
  log.warn({ code: 'unknown_rules' }, `routes have keys that look like rules, which fastify-keycloak-bearer does not know, and none of its rules beside them (${named}): nothing here checks them. Write config: { permission: … } for roles, { scope: … } for scopes, { authenticated: true } for any valid token; where something else checks these keys, { authenticated: true } beside them or { keycloak: false } says that all is well`)
}

/** The keys of one route; none where a rule of ours closes it, or the plugin is switched off. */
function lookalikesOf (options: RouteOptions, requireAuthentication: boolean): string[] {
  const config = plainConfig(options.config, failure(options.url))
  if (hasRule(config) || config.keycloak === false) return []
  const isOpen = !requireAuthentication || config.public === true
  const isRule = (members: JsonObject) => (key: string): boolean => asksForSomething(members[key]) && isLookalike(key, isOpen)
  const beside = options as unknown as JsonObject
  return [
    ...Object.keys(config).filter(isRule(config)).map((key) => `config.${key}`),
    ...Object.keys(beside).filter((key) => isRule(beside)(key) || meantBy(key) !== undefined),
    ...isOpen && needsOurScheme(options.schema) ? ['schema.security'] : []
  ]
}

/** `auth: false` and `roles: []` close nothing, and do not look so. */
function asksForSomething (value: unknown): boolean {
  return Boolean(value) && !(Array.isArray(value) && value.length === 0)
}

/** Does the OpenAPI document say that a token is needed, whichever of the alternatives is taken? */
function needsOurScheme (schema: unknown): boolean {
  const security = isObject(schema) ? memberOf(schema, 'security') : undefined
  return Array.isArray(security) && security.length > 0 && security.every((each) => isObject(each) && Object.hasOwn(each, SCHEME))
}
