import { channel, type Channel, type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'

/** The diagnostics channel on which Fastify announces each application before a route can be added to it. */
const CHANNEL = 'fastify.initialization'

/** The property of an application that holds its record; `Symbol.for` makes it the same in every copy of this package. */
const RECORD = Symbol.for('fastify-keycloak-bearer.added-routes')

/** A route, and the scope that it was added in. */
export interface AddedRoute {
  scope: FastifyInstance
  method: RouteOptions['method']
  /**
   * The URL with the prefixes of the route's scopes. Kept here because Fastify changes `options.url` later, if a route
   * answers its prefix both with and without a slash.
   */
  url: string
  /** The route's own options object, which later onRoute hooks may still change. */
  options: RouteOptions
}

/** All routes of an application in the order in which they were added, including routes that the plugin does not guard. */
export interface RouteRecord {
  routes: AddedRoute[]
  /** Are all routes recorded? `false` if the application is older than this module: a `require` after `Fastify()`. */
  isComplete: boolean
  /** Has one of several registrations of the plugin already warned of routes outside of all of them? */
  isReported: boolean
}

type Recorded = FastifyInstance & { [RECORD]?: RouteRecord }

/**
 * The record of an application. If there is none yet, a record begins here with the routes that will be added to this
 * scope and the scopes around it: Fastify cannot list earlier routes with their config, because printRoutes gives text alone.
 */
export function recordOf (fastify: FastifyInstance): RouteRecord {
  const existing = (fastify as Recorded)[RECORD]
  if (existing !== undefined) return existing
  const scopes = [...scopesFrom(fastify)]
  return begin(scopes.at(-1)!, scopes.slice(1), false)
}

/** The scope, its parent and so on up to the application: each scope inherits from its parent. */
function * scopesFrom (fastify: FastifyInstance): Iterable<FastifyInstance> {
  for (let scope: object = fastify; 'addHook' in scope; scope = Object.getPrototypeOf(scope)) yield scope as FastifyInstance
}

function begin (application: Recorded, scopes: readonly FastifyInstance[], isComplete: boolean): RouteRecord {
  const record: RouteRecord = { routes: [], isComplete, isReported: false }
  Object.defineProperty(application, RECORD, { value: record })
  for (const scope of scopes) {
    scope.addHook('onRoute', function recordRoute (this: FastifyInstance, options) {
      record.routes.push({ scope: this, method: options.method, url: options.url, options })
    })
  }
  return record
}

function recordAll (message: unknown): void {
  const { fastify } = message as { fastify: FastifyInstance }
  begin(fastify, [fastify], true)
}

// Only the latest copy of this module subscribes: jest loads a copy for each test file, and their subscriptions would pile up.
const announcements = channel(CHANNEL) as Channel & { [RECORD]?: ChannelListener }
unsubscribe(CHANNEL, announcements[RECORD]!)
announcements[RECORD] = recordAll
subscribe(CHANNEL, recordAll)

/** The most paths that a warning names. */
const MAX_NAMED = 5

/** The names of routes for a warning, with the methods of one path together: `GET, HEAD /a; POST /b; …`. */
export function namesOf (routes: ReadonlyArray<Pick<AddedRoute, 'method' | 'url'>>): string {
  const methods = new Map<string, Set<string>>()
  for (const { url, method } of routes) methods.set(url, new Set([...methods.get(url) ?? [], ...[method].flat()]))
  const names = [...methods].map(([url, methods]) => `${[...methods].join(', ')} ${url}`)
  return names.slice(0, MAX_NAMED).join('; ') + (names.length > MAX_NAMED ? '; …' : '')
}
