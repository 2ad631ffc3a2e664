import type { FastifyRequest, RouteOptions } from 'fastify'
import type { RouteAccess } from '../../types/instance.js'
import { compileGuard, failure, type Guard, nameOf, plainConfig, refuseMisplaced } from './route-guard.js'
import { takesMiddleware } from './middleware.js'

/** Where a route's config carries what was made of it; the same in every copy of this package. */
const GUARD = Symbol.for('fastify-keycloak-bearer.guard')

/** A guard, and the plugin instance that made it: a route of another realm's scope is not ours to judge. */
interface Mark {
  owner: Routes
  guard: Guard
}

type MarkedConfig = Record<PropertyKey, unknown> & { [GUARD]?: Mark }

/** What the plugin made of a route's config, for the OpenAPI document. */
export function guardIn (config: unknown): Guard | undefined {
  return (config as MarkedConfig | undefined)?.[GUARD]?.guard
}

/** A route that onRoute saw, or that was compiled at its first request. */
interface Seen {
  method: RouteOptions['method']
  url: string
  guard: Guard
  /** Its options, as they are when all hooks have run; `undefined` for a late one. */
  options?: RouteOptions
}

/** An unknown route is 404 whatever the token, and tells nothing. */
const UNKNOWN: Guard = { access: 'open', ownRule: false, check: undefined, dependsOnClaimsOnly: true, scopes: [], text: undefined, permission: undefined }

/** One that middleware may answer under `requireAuthentication`. */
const LEFT_TO_MIDDLEWARE: Guard = { ...UNKNOWN, access: 'authenticated' }

type OnLate = (methods: string, url: string) => void

/** The guards of the routes in one plugin instance's reach, compiled as the routes are added. */
export class Routes {
  readonly #requireAuthentication: boolean
  readonly #onLate: OnLate
  readonly #seen: Seen[] = []
  readonly #late = new WeakMap<object, Guard>()

  /** @param onLate called at the first request of a route that onRoute did not see */
  constructor (requireAuthentication: boolean, onLate: OnLate) {
    this.#requireAuthentication = requireAuthentication
    this.#onLate = onLate
  }

  /**
   * Fastify's onRoute hook. Whatever the config of the route is or becomes is given to Fastify as a plain object with the
   * guard in it: a new one, since several routes may share the user's, and since Fastify leaves behind what a class has.
   * @throws {TypeError} for a rule that means nothing, or that stands beside config
   */
  add (route: RouteOptions): void {
    refuseMisplaced(route)
    const name = nameOf(route.method, route.url)
    let config: MarkedConfig = plainConfig(route.config, failure(name))
    const guard = this.#see({ method: route.method, url: route.url, options: route }, config)
    // Until it is settled: a request that comes before may meet another rule than those after it.
    guard.dependsOnClaimsOnly = false
    const mark: Mark = { owner: this, guard }
    config[GUARD] = mark
    Object.defineProperty(route, 'config', {
      configurable: true,
      enumerable: true,
      get: () => config,
      set (later: unknown) {
        config = plainConfig(later, failure(name))
        config[GUARD] = mark
      }
    })
  }

  /**
   * When all routes are there: an onRoute hook of the application, which runs after ours, may have given a route
   * another rule. The guard is the same object in every copy of the config.
   * @throws {TypeError} for a rule that means nothing
   */
  settle (): void {
    for (const { method, url, guard, options } of this.added()) {
      Object.assign(guard, this.#compile(options.config, method, url))
      // Fastify has taken over a config without our guard, in which rules may have got lost.
      if (guardIn(options.config) !== guard) failure(nameOf(method, url))('config was replaced by other means than an assignment; write route.config = { ...route.config, … } in an onRoute hook')
    }
  }

  /** The guard of a request's route. One that onRoute did not see is compiled here, at its first request. */
  of (request: FastifyRequest): Guard {
    if (request.is404) return this.#requireAuthentication && takesMiddleware(request.server) ? LEFT_TO_MIDDLEWARE : UNKNOWN
    const config = request.routeOptions.config as unknown as MarkedConfig
    const mark = config[GUARD]
    if (mark !== undefined && mark.owner === this) return mark.guard
    let guard = this.#late.get(config)
    if (guard === undefined) {
      const method = config.method as RouteOptions['method']
      const url = String(config.url)
      guard = this.#see({ method, url }, config)
      this.#late.set(config, guard)
      this.#onLate(String(method), url)
    }
    return guard
  }

  /** Those that onRoute saw, with their options. */
  added (): Array<Required<Seen>> {
    return this.#seen.filter((route): route is Required<Seen> => route.options !== undefined)
  }

  list (): RouteAccess[] {
    return this.#seen.map(({ method: methods, url, guard: { access, text } }) => {
      const method = [methods].flat().join(',')
      return text === undefined ? { method, url, access } : { method, url, access, rule: text }
    })
  }

  #see (route: Omit<Seen, 'guard'>, config: unknown): Guard {
    const guard = this.#compile(config, route.method, route.url)
    this.#seen.push({ ...route, guard })
    return guard
  }

  #compile (config: unknown, methods: RouteOptions['method'], url: string): Guard {
    return compileGuard(config, nameOf(methods, url), this.#requireAuthentication)
  }
}
