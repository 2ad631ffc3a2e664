import type { RouteOptions } from 'fastify'
import type { RouteAccess } from '../../types/instance.js'
import type { JsonObject } from '../util/strict-json.js'
import { memberOf, plainCopy } from '../util/members.js'
import { type Check, compileRule } from './permission-rule.js'
import { kindOf } from '../util/kind-of.js'
import { CLOSING, isLookalike, meantBy, MISPLACED, OURS } from './rule-words.js'

/** What the plugin does on a route, read from its config once. */
export interface Guard {
  /** What `routes()` and the OpenAPI document say of it. */
  access: RouteAccess['access']
  /** Does the route's own config demand a token? Then a CORS preflight does not pass it either. */
  ownRule: boolean
  /** `undefined` where any valid token will do. */
  check: Check | undefined
  /** Is the verdict of `check` on some claims always the same? */
  dependsOnClaimsOnly: boolean
  /** Words that the scope claim must hold. */
  scopes: readonly string[]
  /** The rule in words. */
  text: string | undefined
  /** What `permission` is, for the reason of a refusal; `undefined` without one. */
  permission: { text: string, readsRoles: boolean, isRole: boolean } | undefined
}

/** RFC 6749 section 3.3: a scope-token. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/**
 * Compile a route's config.
 * @param route how errors name the route: `GET /profile`
 * @throws {TypeError} for a rule that means nothing, and for a misspelled key that would leave the route open
 */
export function compileGuard (config: unknown, route: string, requireAuthentication: boolean): Guard {
  const fail = failure(route)
  const own = plainConfig(config, fail)
  rejectMisspelled(own, fail)
  const flags = readFlags(own, fail)
  const { check, dependsOnClaimsOnly, text, scopes, permission } = readRule(own, fail)
  const restricted = check !== undefined || scopes.length > 0
  if (flags.keycloak && (flags.public || flags.authenticated || restricted)) {
    fail('config.keycloak: false goes with none of public, authenticated, permission and scope, which it switches off')
  }
  if (flags.public && (flags.authenticated || restricted)) {
    fail('config.public goes with none of authenticated, permission and scope; keep the one you mean')
  }
  const ownRule = restricted || flags.authenticated
  return { access: access(), ownRule, check, dependsOnClaimsOnly, scopes, text, permission }

  function access (): RouteAccess['access'] {
    if (flags.keycloak) return 'open'
    if (restricted) return 'restricted'
    if (flags.public) return 'optional'
    return flags.authenticated || requireAuthentication ? 'authenticated' : 'optional'
  }
}

/** Does a config ask for something that only the plugin checks? Of a route that it does not see. */
export function hasRule (config: unknown): boolean {
  return Object(config) === config && CLOSING.some((key) => Boolean(memberOf(config as object, key)))
}

/**
 * A rule beside config closes nothing.
 * @throws {TypeError} if there is one
 */
export function refuseMisplaced (route: RouteOptions): void {
  const key = MISPLACED.find((name) => Object.hasOwn(route, name))
  if (key !== undefined) failure(nameOf(route.method, route.url))(`${key} stands beside config, where nothing looks at it; write config: { ${key}: … }`)
}

/**
 * Of a route that was added before the plugin had loaded: Fastify has taken over what of its config is own and enumerable.
 * @throws {TypeError} if a rule was left behind
 */
export function refuseLostRules ({ method, url, config }: RouteOptions): void {
  const fail = failure(nameOf(method, url))
  const left = { ...config as object }
  const lost = OURS.find((key) => Object.hasOwn(plainConfig(config, fail), key) && !Object.hasOwn(left, key))
  if (lost !== undefined) fail(`config.${lost} is lost, because it is not an own enumerable member and the route was added before fastify-keycloak-bearer had loaded; write \`await fastify.register(keycloak, …)\` before the route`)
}

/** What errors call a route: `GET /profile`. */
export function nameOf (methods: RouteOptions['method'], url: string): string {
  return `${[methods].flat().join(',')} ${url}`
}

/** Throws what is wrong with a route. */
type Fail = (problem: string, cause?: unknown) => never

export function failure (route: string): Fail {
  return (problem, cause) => { throw new TypeError(`fastify-keycloak-bearer: ${route}: ${problem}`, cause === undefined ? undefined : { cause }) }
}

/**
 * A route's config with each member read once, in whatever way it is there. Fastify itself takes over what is own and
 * enumerable alone, so a rule that a class has as a getter would be lost on its way.
 */
export function plainConfig (config: unknown, fail: Fail): JsonObject {
  if (Object(config) !== config) return {}
  try {
    return { ...plainCopy(config as object, OURS, (name) => meantBy(name) !== undefined || isLookalike(name, true)) }
  } catch (error) {
    return fail('config cannot be read', error)
  }
}

function rejectMisspelled (config: JsonObject, fail: Fail): void {
  for (const key of Object.keys(config)) {
    const meant = meantBy(key)
    if (meant !== undefined) fail(`config.${key} is not known; write ${meant}`)
  }
}

/** The flags have one value each, so that a variable that is undefined by mistake opens nothing. */
function readFlags (config: JsonObject, fail: Fail): { public: boolean, authenticated: boolean, keycloak: boolean } {
  const isSet = (name: string, value: boolean): boolean => {
    if (!Object.hasOwn(config, name)) return false
    if (config[name] !== value) fail(`config.${name} must be ${value} or left out, not ${kindOf(config[name])}`)
    return true
  }
  return { public: isSet('public', true), authenticated: isSet('authenticated', true), keycloak: isSet('keycloak', false) }
}

function readRule (config: JsonObject, fail: Fail): Pick<Guard, 'check' | 'dependsOnClaimsOnly' | 'text' | 'scopes' | 'permission'> {
  const words: string[] = []
  let check: Check | undefined
  let dependsOnClaimsOnly = true
  let permission: Guard['permission']
  if (Object.hasOwn(config, 'permission')) {
    try {
      const rule = compileRule(config.permission, 'config.permission')
      check = rule.check
      dependsOnClaimsOnly = rule.dependsOnClaimsOnly
      permission = { text: rule.text, readsRoles: rule.readsRoles, isRole: typeof config.permission === 'string' }
      words.push(`permission ${rule.text}`)
    } catch (error) {
      fail((error as Error).message)
    }
  }
  const scopes = Object.hasOwn(config, 'scope') ? readScopes(config.scope, fail) : []
  if (scopes.length > 0) words.push(`scope ${scopes.join(' ')}`)
  return { check, dependsOnClaimsOnly, scopes, text: words.length > 0 ? words.join(' and ') : undefined, permission }
}

function readScopes (scope: unknown, fail: Fail): string[] {
  const scopes: unknown[] = Array.isArray(scope) ? Array.from(scope) : [scope]
  const good = (each: unknown): each is string => typeof each === 'string' && SCOPE.test(each)
  if (scopes.length === 0 || !scopes.every(good)) {
    fail('config.scope must be a word of the scope claim such as "write", or an array of such words')
  }
  return scopes as string[]
}
