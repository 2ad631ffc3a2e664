import type { RouteOptions } from 'fastify'
import { memberOf, plainCopy } from '../util/members.js'
import type { JsonObject } from '../util/strict-json.js'
import { CONFIG_KEYS, correctionOf, looksLikeRule, placeBesideMcp, REFUSED_BESIDE_CONFIG, RULE_KEYS } from './config-keys.js'

/** Does the config of a route that the plugin does not guard have a rule, which only the plugin could check? */
export function hasRule (config: unknown): boolean {
  return Object(config) === config && RULE_KEYS.some((key) => Boolean(memberOf(config as object, key)))
}

/**
 * Refuse a rule beside config, because nothing would check it there.
 * @throws {TypeError} if there is one
 */
export function refuseRuleBesideConfig (route: RouteOptions): void {
  const fail = failFor(nameOf(route.method, route.url))
  const key = REFUSED_BESIDE_CONFIG.find((name) => Object.hasOwn(route, name))
  if (key !== undefined) fail(`${key} stands beside config, where nothing looks at it; write config: { ${key}: … }`)
  const tools = Object.keys(route).find((name) => placeBesideMcp(name) !== undefined)
  if (tools !== undefined && Object.hasOwn(plainConfig(route.config, fail), 'mcp')) fail(`${tools} stands beside config, where nothing looks at it; write config: { ${placeBesideMcp(tools)} }`)
}

/**
 * Refuse a lost rule of a route that was added before the plugin had loaded: Fastify has copied only the own enumerable
 * members of its config, so that a rule in a getter of a class is gone.
 * @throws {TypeError} if a rule was lost
 */
export function refuseLostRules ({ method, url, config }: RouteOptions): void {
  const fail = failFor(nameOf(method, url))
  const copied = { ...config as object }
  const written = plainConfig(config, fail)
  const lost = CONFIG_KEYS.find((key) => Object.hasOwn(written, key) && !Object.hasOwn(copied, key))
  if (Object.hasOwn(written, 'mcp')) refuseLateMcp(nameOf(method, url))
  if (lost !== undefined) fail(`config.${lost} is lost, because it is not an own enumerable member and the route was added before fastify-keycloak-bearer had loaded; write \`await fastify.register(keycloak, …)\` before the route`)
}

/**
 * Refuse `config.mcp` of a route that has not the hooks for it, so that its tools would be open.
 * @throws {TypeError}
 */
export function refuseLateMcp (route: string): never {
  return failFor(route)('config.mcp must be there when fastify-keycloak-bearer sees the route; write it into the route itself, and `await fastify.register(keycloak, …)` before the route')
}

/** The name of a route in errors: `GET /profile`. */
export function nameOf (methods: RouteOptions['method'], url: string): string {
  return `${[methods].flat().join(',')} ${url}`
}

/** Throws an error that names the route and its problem. */
export type ThrowRouteError = (problem: string, cause?: unknown) => never

/** @param route the name of the route, such as `GET /profile` */
export function failFor (route: string): ThrowRouteError {
  return (problem, cause) => { throw new TypeError(`fastify-keycloak-bearer: ${route}: ${problem}`, cause === undefined ? undefined : { cause }) }
}

/**
 * A plain copy of a route's config, with each member read once, own or inherited. Fastify itself copies only own enumerable
 * members, so a rule that a class has as a getter would be lost.
 */
export function plainConfig (config: unknown, fail: ThrowRouteError): JsonObject {
  if (Object(config) !== config) return {}
  try {
    return { ...plainCopy(config as object, CONFIG_KEYS, (name) => correctionOf(name) !== undefined || looksLikeRule(name, true)) }
  } catch (error) {
    return fail('config cannot be read', error)
  }
}

/** @throws {TypeError} for a misspelled key that would leave the route open */
export function rejectMisspelled (config: JsonObject, fail: ThrowRouteError): void {
  for (const key of Object.keys(config)) {
    const meant = correctionOf(key, config[key]) ?? (Object.hasOwn(config, 'mcp') ? placeBesideMcp(key) : undefined)
    if (meant !== undefined) fail(`config.${key} is not known; write ${meant}`)
  }
}

/** Compile a rule whose errors do not name the route. */
export function orFail<Compiled> (fail: ThrowRouteError, compile: () => Compiled): Compiled {
  try {
    return compile()
  } catch (error) {
    return fail((error as Error).message)
  }
}
