import type { FastifyRequest, RouteOptions } from 'fastify'
import type { RouteAccess } from '../types/instance.js'
import { compileGuard, type Guard } from './guard.js'

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

/** The guards of the routes in one plugin instance's reach, compiled as the routes are added. */
export class Routes {
  readonly #requireAuthentication: boolean
  readonly #access: RouteAccess[] = []
  readonly #late = new WeakMap<object, Guard>()

  constructor (requireAuthentication: boolean) {
    this.#requireAuthentication = requireAuthentication
  }

  /**
   * Fastify's onRoute hook. A new config object, since several routes may share the user's one.
   * @throws {TypeError} for a rule that means nothing
   */
  add (route: RouteOptions): void {
    const guard = this.#compile(route.config, route.method, route.url)
    const mark: Mark = { owner: this, guard }
    route.config = { ...route.config, [GUARD]: mark } as RouteOptions['config']
  }

  /** The guard of a request's route. One that onRoute did not see is compiled here, at its first request. */
  of (request: FastifyRequest): Guard {
    const config = request.routeOptions.config as unknown as MarkedConfig
    const mark = config[GUARD]
    if (mark !== undefined && mark.owner === this) return mark.guard
    let guard = this.#late.get(config)
    if (guard === undefined) {
      guard = this.#compile(config, config.method as RouteOptions['method'], String(config.url))
      this.#late.set(config, guard)
    }
    return guard
  }

  list (): RouteAccess[] {
    return this.#access.map((each) => ({ ...each }))
  }

  #compile (config: unknown, methods: RouteOptions['method'], url: string): Guard {
    const method = [methods].flat().join(',')
    const guard = compileGuard(config, `${method} ${url}`, this.#requireAuthentication)
    const { access, text } = guard
    this.#access.push(text === undefined ? { method, url, access } : { method, url, access, rule: text })
    return guard
  }
}
