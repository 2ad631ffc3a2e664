import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Claims, User } from '../../types/user.js'
import { authorizationOf, tokenIn } from './credentials.js'
import type { Closing } from '../keycloak/closing.js'
import type { Denials } from '../access/denial.js'
import { KeycloakError, type ReasonSource, refusal } from '../errors.js'
import type { Guard } from '../access/route-guard.js'
import type { Identification } from '../realm/identify.js'
import type { Identity } from '../token/identity.js'
import { hasScopes } from '../access/scopes.js'
import type { JsonObject } from '../util/strict-json.js'
import { writesDebug } from '../diagnostics/log-level.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import type { RolesOf } from '../access/roles.js'
import type { Routes } from '../access/route-registry.js'
import type { ToUser } from './user.js'
import { monotonicMilliseconds, wallMilliseconds } from '../util/clock.js'

/** The steps of a request, each made at start. */
export interface Steps {
  routes: Routes
  /** `undefined`: the Authorization header. */
  extractToken: ((request: FastifyRequest) => string | null) | undefined
  identification: Identification
  toUser: ToUser
  rolesOf: RolesOf
  denials: Denials
  closing: Closing
}

/** The onRequest hook: the only place where a request is let on or refused. */
export function createAuthenticate ({ routes, extractToken, identification: { identify, recall }, toUser, rolesOf, denials, closing }: Steps) {
  return function keycloak (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
    let passed: MaybePromise<void>
    try {
      passed = authenticate(request, reply)
    } catch (error) {
      return refuse(error, request, reply, done)
    }
    if (passed === undefined) return done()
    passed.then(() => {
      closing.closeIfShuttingDown(request, reply)
      done()
    }, (error) => {
      closing.closeIfShuttingDown(request, reply)
      refuse(error, request, reply, done)
    })
  }

  function authenticate (request: FastifyRequest, reply: FastifyReply): MaybePromise<void> {
    // Fastify hands this hook down to the routes of scopes that were loaded before, but not the decorators.
    if (request.user !== null && !Object.hasOwn(request, 'user')) request.user = request.auth = null
    const guard = routes.of(request)
    if (guard.access === 'open' || (isPreflight(request) && !guard.ownRule)) return undefined
    const identity = identityFor(request, reply)
    if (identity === null) return anonymous(guard)
    // Written out, not by closures: most requests need no promise, and what they need is known already.
    return identity instanceof Promise ? identity.then((identity) => enter(request, identity, guard)) : enter(request, identity, guard)
  }

  /** Who presents a token; `null` where there is none. */
  function identityFor (request: FastifyRequest, reply: FastifyReply): MaybePromise<Identity> | null {
    if (extractToken !== undefined) return identified(extractToken(request), reply)
    const header = authorizationOf(request)
    if (header === undefined) return null
    return recall?.(header, wallMilliseconds(), monotonicMilliseconds()) ?? identified(tokenIn(header), reply)
  }

  function identified (token: string | null, reply: FastifyReply): MaybePromise<Identity> | null {
    return token === null ? null : identify(token, reply)
  }

  function enter (request: FastifyRequest, identity: Identity, guard: Guard): MaybePromise<void> {
    // Its user is kept where no function has to be asked for it.
    if (identity.lastAllowedBy === guard && identity.user !== undefined) {
      request.auth = identity.claims as Claims
      request.user = identity.user
      return undefined
    }
    const user = toUser(identity, request)
    return user instanceof Promise ? user.then((user) => admit(request, identity, user, guard)) : admit(request, identity, user, guard)
  }

  function admit (request: FastifyRequest, identity: Identity, user: User, guard: Guard): MaybePromise<void> {
    const claims = identity.claims as Claims
    request.auth = claims
    request.user = user
    if (identity.lastAllowedBy === guard) return undefined
    if (guard.scopes.length > 0 && !hasScopes(claims, guard.scopes)) throw denied(() => denials.scope(guard, claims as JsonObject), guard.scopes)
    const allowed = guard.check === undefined || guard.check({ roles: rolesOf(identity), claims, request })
    if (allowed instanceof Promise) return allowed.then((late) => mustBeAllowed(late, guard, claims))
    mustBeAllowed(allowed, guard, claims)
    // Where the roles are not known, a function is asked for them each time.
    if (guard.dependsOnClaimsOnly && (guard.check === undefined || identity.roles !== undefined)) identity.lastAllowedBy = guard
  }

  function mustBeAllowed (allowed: boolean, guard: Guard, claims: Claims): void {
    if (!allowed) throw denied(() => denials.permission(guard, claims as JsonObject))
  }

  function refuse (error: unknown, request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
    // The client is gone: there is nobody to answer, and nothing for Fastify to log as an error of ours.
    if (isGone(reply)) {
      reply.hijack()
      return
    }
    if (error instanceof KeycloakError) {
      if (writesDebug(request.log)) logRefusal(request, error)
      done(error)
    } else {
      // The application's own. Fastify takes a falsy error for none at all, and would let the request pass.
      done(error ? error as Error : new Error('a function of the application threw nothing that is an error', { cause: error }))
    }
  }
}

function logRefusal ({ log }: FastifyRequest, { code, reason, reasonCode }: KeycloakError): void {
  log.debug({ code, reason, reasonCode }, `request refused: ${reason}`)
}

/** Is the client gone? A response of HTTP/2 does not tell, but its stream does. */
function isGone ({ raw }: FastifyReply): boolean {
  return raw.destroyed || (raw as { stream?: { destroyed: boolean } }).stream?.destroyed === true
}

function anonymous ({ access }: Guard): void {
  if (access !== 'optional') throw refusal('not_authenticated', 'token_missing')
}

/** Browsers never send credentials with a preflight (Fetch standard, CORS protocol). */
function isPreflight ({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && Object.hasOwn(headers, 'origin') && Object.hasOwn(headers, 'access-control-request-method')
}

function denied (reason: ReasonSource, scopes?: readonly string[]): KeycloakError {
  return refusal('permission_denied', reason, scopes && { scope: scopes.join(' ') })
}
