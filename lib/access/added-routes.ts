import { channel, subscribe, unsubscribe, type Channel, type ChannelListener } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'

/** Where Fastify announces each application, before anybody can add a route to it. */
const CHANNEL = 'fastify.initialization'

/** Where an application carries its record; the same in every copy of this package. */
const RECORD = Symbol.for('fastify-keycloak-bearer.added-routes')

/** A route, and the scope that it was added in. */
export interface AddedRoute {
  scope: FastifyInstance
  method: RouteOptions['method']
  /** With the prefixes of its scopes. In its options it changes, where a route has the URLs of its prefix with a slash and without. */
  url: string
  /** As all hooks leave them. */
  options: RouteOptions
}

/** The routes of an application in the order in which they were added, those that no guard of ours sees too. */
export interface RouteRecord {
  routes: AddedRoute[]
  /** Are they all there? Not where the application is older than this module, as with a `require` after `Fastify()`. */
  whole: boolean
  /** Has one of several registrations told of the routes outside of all of them? */
  reported: boolean
}

type Recorded = FastifyInstance & { [RECORD]?: RouteRecord }

/**
 * The record of an application. Where there is none yet it begins here, with what will be added to the scopes around
 * this one: Fastify lists routes in print alone, without their config.
 */
export function recordOf (fastify: FastifyInstance): RouteRecord {
  const existing = (fastify as Recorded)[RECORD]
  if (existing !== undefined) return existing
  const scopes = [...scopesFrom(fastify)]
  return begin(scopes.at(-1)!, scopes.slice(1), false)
}

/** A scope inherits from the one it is in. */
function * scopesFrom (fastify: FastifyInstance): Iterable<FastifyInstance> {
  for (let scope: object = fastify; 'addHook' in scope; scope = Object.getPrototypeOf(scope)) yield scope as FastifyInstance
}

function begin (application: Recorded, scopes: readonly FastifyInstance[], whole: boolean): RouteRecord {
  const record: RouteRecord = { routes: [], whole, reported: false }
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

// The latest copy of this module alone: jest loads one for each file of tests, and they must not pile up here.
const announcements = channel(CHANNEL) as Channel & { [RECORD]?: ChannelListener }
unsubscribe(CHANNEL, announcements[RECORD]!)
announcements[RECORD] = recordAll
subscribe(CHANNEL, recordAll)

/** How many routes a warning names. */
const NAMED = 5

/** Some routes by name, those of one path together: `GET, HEAD /a; POST /b; …`. */
export function namesOf (routes: ReadonlyArray<Pick<AddedRoute, 'method' | 'url'>>): string {
  const methods = new Map<string, Set<string>>()
  for (const { url, method } of routes) methods.set(url, new Set([...methods.get(url) ?? [], ...[method].flat()]))
  const names = [...methods].map(([url, methods]) => `${[...methods].join(', ')} ${url}`)
  return names.slice(0, NAMED).join('; ') + (names.length > NAMED ? '; …' : '')
}
