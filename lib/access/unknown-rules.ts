import type { RouteOptions } from 'fastify'
import type { StartLog } from '../diagnostics/start-log.js'
import { memberOf } from '../util/members.js'
import { isObject, type JsonObject } from '../util/strict-json.js'
import { type AddedRoute, namesOf } from './added-routes.js'
import { correctionOf, looksLikeRule } from './config-keys.js'
import { failFor, hasRule, plainConfig } from './route-config.js'

/** The security scheme that `openapi()` declares by default. */
const SCHEME = 'KeycloakAuth'

type Route = Omit<AddedRoute, 'scope'>

/**
 * Warns at start of keys that look like rules but are unknown to the plugin: `config: { roles: ['admin'] }`. They are not
 * refused, because they may belong to another package.
 * @param routes the routes in the plugin's scope
 */
export function warnOfUnknownRules (routes: readonly Route[], requireAuthentication: boolean, log: StartLog): void {
  const found = new Map<string, Route[]>()
  for (const route of routes) {
    for (const key of unknownRulesOf(route.options, requireAuthentication)) found.set(key, [...found.get(key) ?? [], route])
  }
  if (found.size === 0) return
  const named = [...found].map(([key, routes]) => `${key} of ${namesOf(routes)}`).join('; ')
  log.warn({ code: 'unknown_rules' }, `routes have keys that look like rules, which fastify-keycloak-bearer does not know, and none of its rules beside them (${named}): nothing here checks them. Write config: { permission: … } for roles, { scope: … } for scopes, { issuer: … } for realms, { acr: … } or { maxAge: … } for logins, { authenticated: true } for any valid token; where something else checks these keys, { authenticated: true } beside them or { keycloak: false } says that all is well`)
}

/** The unknown keys of one route; none if the plugin has a rule for the route, or is switched off there. */
function unknownRulesOf (options: RouteOptions, requireAuthentication: boolean): string[] {
  const config = plainConfig(options.config, failFor(options.url))
  if (hasRule(config) || config.keycloak === false) return []
  const isOpen = !requireAuthentication || config.public === true
  const isRule = (members: JsonObject) => (key: string): boolean => demandsSomething(members[key]) && looksLikeRule(key, isOpen)
  const beside = options as unknown as JsonObject
  return [
    ...Object.keys(config).filter(isRule(config)).map((key) => `config.${key}`),
    ...Object.keys(beside).filter((key) => isRule(beside)(key) || correctionOf(key) !== undefined),
    ...isOpen && needsOurScheme(options.schema) ? ['schema.security'] : []
  ]
}

/** `auth: false` and `roles: []` demand nothing. */
function demandsSomething (value: unknown): boolean {
  return Boolean(value) && !(Array.isArray(value) && value.length === 0)
}

/** Does each alternative in the OpenAPI `security` of a route need a token of Keycloak? */
function needsOurScheme (schema: unknown): boolean {
  const security = isObject(schema) ? memberOf(schema, 'security') : undefined
  return Array.isArray(security) && security.length > 0 && security.every((each) => isObject(each) && Object.hasOwn(each, SCHEME))
}
