import type { FastifyRequest, RouteOptions } from 'fastify'
import type { RouteAccess } from '../../types/instance.js'
import type { ConfirmationRules } from '../options/confirmation-rules.js'
import type { AddedRoute } from './added-routes.js'
import type { KnownRealms } from './known-realms.js'
import { takesMiddleware } from './middleware.js'
import { failFor, nameOf, plainConfig, refuseLateMcp, refuseRuleBesideConfig } from './route-config.js'
import { compileGuard, type Guard } from './route-guard.js'
import type { McpGuard } from './tool-guards.js'

/** The property of a route's config that holds its guard; `Symbol.for` makes it the same in every copy of this package. */
const GUARD = Symbol.for('fastify-keycloak-bearer.guard')

/** A guard, and the plugin instance that made it. An instance ignores the guards of another one, whose realm is another. */
interface OwnedGuard {
  owner: Routes
  guard: Guard
}

type GuardedConfig = Record<PropertyKey, unknown> & { [GUARD]?: OwnedGuard }

/** The guard of a route, found in its config. */
export function guardIn (config: unknown): Guard | undefined {
  return (config as GuardedConfig | undefined)?.[GUARD]?.guard
}

/** A route that onRoute showed to the plugin, or whose guard was compiled at its first request. */
interface RegisteredRoute {
  method: RouteOptions['method']
  url: string
  guard: Guard
  /** The route's options, which later onRoute hooks may still change; `undefined` if onRoute did not show the route. */
  options?: RouteOptions
}

/** The guard for a request that matches no route: 404 whatever its token. */
const UNKNOWN_ROUTE: Guard = {
  access: 'open', ownRule: false, check: undefined, dependsOnClaimsOnly: true, readsRoles: false, issuers: undefined, scopes: [], askedScopes: [], namedScopes: [], senderConstrained: false, authentication: undefined, confirmation: undefined, grants: undefined, text: undefined, permission: undefined, mcp: undefined
}

/** The guard for a request that matches no route, but may be answered by middleware under `requireAuthentication`. */
const MIDDLEWARE_ROUTE: Guard = { ...UNKNOWN_ROUTE, access: 'authenticated' }

type OnLate = (methods: string, url: string) => void

/** Does one `config.mcp` need a hook that another does not need? */
function needsMore (mcp: McpGuard | undefined, other: McpGuard | undefined): boolean {
  return mcp !== undefined && (other === undefined || (mcp.tools !== undefined && other.tools === undefined))
}

/** All scopes that a route names, for its tools too. */
function scopesOf ({ namedScopes, mcp }: Guard): readonly string[] {
  return [...namedScopes, ...Array.from(mcp?.tools?.all() ?? [], ({ guard }) => guard.namedScopes).flat()]
}

/** The guards of all routes in the scope of one plugin instance, compiled when the routes are added. */
export class Routes {
  readonly #requireAuthentication: boolean
  readonly #onLate: OnLate
  readonly #realms: KnownRealms | undefined
  readonly #confirmation: ConfirmationRules
  readonly #registered: RegisteredRoute[] = []
  readonly #late = new WeakMap<object, Guard>()

  /**
   * @param onLate called at the first request of a route that onRoute did not see
   * @param realms all issuers, if they are known at start
   * @param confirmation how the keys of tokens are proven
   */
  constructor (requireAuthentication: boolean, onLate: OnLate, realms: KnownRealms | undefined, confirmation: ConfirmationRules) {
    this.#realms = realms
    this.#confirmation = confirmation
    this.#requireAuthentication = requireAuthentication
    this.#onLate = onLate
  }

  /**
   * Fastify's onRoute hook. Fastify gets a plain copy of the route's config with the guard in it, and so for each later
   * config that is assigned. A copy, because several routes may share one config, and because Fastify does not copy the
   * getters of a class.
   * @throws {TypeError} for a value that is not a rule, or a rule beside config
   */
  add (route: RouteOptions): Guard {
    refuseRuleBesideConfig(route)
    const name = nameOf(route.method, route.url)
    let config: GuardedConfig = plainConfig(route.config, failFor(name))
    const guard = this.#compile(config, route.method, route.url)
    this.#registered.push({ method: route.method, url: route.url, guard, options: route })
    // Until settle() has run, the rule may still change, so no identity may remember that this guard allowed it.
    guard.dependsOnClaimsOnly = false
    const owned: OwnedGuard = { owner: this, guard }
    config[GUARD] = owned
    Object.defineProperty(route, 'config', {
      configurable: true,
      enumerable: true,
      get: () => config,
      set (later: unknown) {
        config = plainConfig(later, failFor(name))
        config[GUARD] = owned
      }
    })
    return guard
  }

  /**
   * Compile all guards anew when all routes have been added: an onRoute hook of the application, which runs after this
   * one, may have given a route another rule. Each guard stays the same object, which every copy of the config holds.
   * @throws {TypeError} for a value that is not a rule, and for a `config.mcp` that came later, or was taken away
   */
  settle (): void {
    for (const { method, url, guard, options } of this.added()) {
      const seen = guard.mcp
      Object.assign(guard, this.#compile(options.config, method, url))
      // The route has the hooks that its first config needed.
      if (needsMore(guard.mcp, seen)) refuseLateMcp(nameOf(method, url))
      if (needsMore(seen, guard.mcp)) failFor(nameOf(method, url))('config.mcp or its tools were taken away after fastify-keycloak-bearer had seen the route, which would open it; write route.config = { ...route.config, … } in an onRoute hook')
      // Fastify has copied a config that has no guard, and rules may have been lost in the copy.
      if (guardIn(options.config) !== guard) failFor(nameOf(method, url))('config was replaced by other means than an assignment; write route.config = { ...route.config, … } in an onRoute hook')
    }
  }

  /** The guard of a request's route. If onRoute did not show the route, its guard is compiled here, at its first request. */
  of (request: FastifyRequest): Guard {
    if (request.is404) return this.#requireAuthentication && takesMiddleware(request.server) ? MIDDLEWARE_ROUTE : UNKNOWN_ROUTE
    const config = request.routeOptions.config as unknown as GuardedConfig
    const owned = config[GUARD]
    if (owned !== undefined && owned.owner === this) return owned.guard
    let guard = this.#late.get(config)
    if (guard === undefined) {
      const method = config.method as RouteOptions['method']
      const url = String(config.url)
      guard = this.#compile(config, method, url)
      if (guard.mcp !== undefined) refuseLateMcp(nameOf(method, url))
      this.#registered.push({ method, url, guard })
      this.#late.set(config, guard)
      this.#onLate(String(method), url)
    }
    return guard
  }

  /** The routes that onRoute showed, with their options. */
  added (): Array<Required<RegisteredRoute>> {
    return this.#registered.filter((route): route is Required<RegisteredRoute> => route.options !== undefined)
  }

  list (): RouteAccess[] {
    return this.#registered.map(({ method: methods, url, guard: { access, text, mcp } }) => ({
      method: [methods].flat().join(','),
      url,
      access,
      ...text !== undefined && { rule: text },
      ...mcp?.tools !== undefined && { tools: mcp.tools.list() }
    }))
  }

  /** All scopes that the routes name, in the order of the routes. */
  namedScopes (): string[] {
    return this.#registered.flatMap(({ guard }) => scopesOf(guard))
  }

  /** The scopes that a route names which onRoute did not show; none if its config has a mistake, which its first request shows. */
  scopesOf ({ method, url, options }: AddedRoute): readonly string[] {
    try {
      return scopesOf(this.#compile(options.config, method, url))
    } catch {
      return []
    }
  }

  #compile (config: unknown, methods: RouteOptions['method'], url: string): Guard {
    return compileGuard(config, { name: nameOf(methods, url), url }, this.#requireAuthentication, this.#realms, this.#confirmation)
  }
}
