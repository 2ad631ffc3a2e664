import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Claims, User } from '../../types/user.js'
import { Caller } from '../access/caller.js'
import { issuerDenial, scopeDenial } from '../access/denial.js'
import { loginDenial } from '../access/login-denial.js'
import type { Guard } from '../access/route-guard.js'
import type { Routes } from '../access/route-registry.js'
import { writesDebug } from '../diagnostics/log-level.js'
import { type ChallengeParameters, KeycloakError, type ReasonSource, refusal } from '../errors.js'
import type { Closing } from '../keycloak/closing.js'
import type { Authority } from '../realm/authority.js'
import { type Realm, realmOf } from '../realm/realm.js'
import type { Credentials } from '../token/credentials.js'
import type { Identity } from '../token/identity.js'
import { monotonicMilliseconds, wallMilliseconds } from '../util/clock.js'
import { andThen, type MaybePromise } from '../util/maybe-promise.js'
import { authorizationOf, credentialsIn } from './credentials.js'
import { isGone, RequestPresentation } from './presentation.js'
import type { ProofOfPossession } from './proof-of-possession.js'
import type { SeveralIssuers } from './several-issuers.js'

/** The parts of the decision on a request, each made at start. */
export interface AuthenticationParts {
  routes: Routes
  /** `undefined`: the Authorization header has the credentials. */
  extractToken: ((request: FastifyRequest) => string | null) | undefined
  authority: Authority
  /** `undefined` if one realm decides on all tokens. */
  several: SeveralIssuers | undefined
  /** `undefined` if tokens that are bound to a key are refused. */
  possession: ProofOfPossession | undefined
  closing: Closing
}

/** Decides on each request: only this onRequest hook lets a request pass or refuses it. */
export class Authentication {
  readonly #routes: Routes
  readonly #extractToken: AuthenticationParts['extractToken']
  readonly #only: Realm | undefined
  readonly #fromCache: Authority['fromCache']
  readonly #several: SeveralIssuers | undefined
  readonly #possession: ProofOfPossession | undefined
  readonly #closing: Closing

  constructor ({ routes, extractToken, authority, several, possession, closing }: AuthenticationParts) {
    this.#routes = routes
    this.#extractToken = extractToken
    this.#only = authority.only
    this.#fromCache = authority.fromCache
    this.#several = several
    this.#possession = possession
    this.#closing = closing
  }

  /** Fastify's onRequest hook. */
  readonly onRequest = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    let passed: MaybePromise<void>
    try {
      passed = this.#authenticate(request, reply)
    } catch (error) {
      return this.#refuse(error, request, reply, done)
    }
    if (passed === undefined) return done()
    passed.then(() => {
      this.#closing.closeIfShuttingDown(request, reply)
      done()
    }, (error) => {
      this.#closing.closeIfShuttingDown(request, reply)
      this.#refuse(error, request, reply, done)
    })
  }

  #authenticate (request: FastifyRequest, reply: FastifyReply): MaybePromise<void> {
    // Routes of scopes that were loaded before the plugin inherit this hook, but not the decorators.
    if (request.user !== null && !Object.hasOwn(request, 'user')) request.user = request.auth = null
    const guard = this.#routes.of(request)
    if (guard.access === 'open' || (isPreflight(request) && !guard.ownRule)) return undefined
    const identity = this.#identityOf(request, reply, guard)
    if (identity === null) return requireToken(guard)
    // Without andThen(), whose closure would be made for each request, although most requests need no promise.
    return identity instanceof Promise ? identity.then((late) => this.#withUser(request, late, guard)) : this.#withUser(request, identity, guard)
  }

  /** The identity that a token of the request proves; `null` if it has none. */
  #identityOf (request: FastifyRequest, reply: FastifyReply, guard: Guard): MaybePromise<Identity> | null {
    const possession = this.#possession
    let credentials: Credentials | null
    if (this.#extractToken === undefined) {
      const header = authorizationOf(request)
      if (header === undefined) return null
      const cached = this.#fromCache?.(header, wallMilliseconds(), monotonicMilliseconds())
      if (cached !== undefined) {
        const identity = this.#several === undefined ? cached : this.#several.accept(request, cached)
        return possession === undefined ? identity : possession.checkKept(request, reply, header, identity, guard)
      }
      credentials = credentialsIn(header, possession?.takesDpop === true)
    } else {
      credentials = possession?.dpopCredentials(request) ?? extracted(this.#extractToken(request))
    }
    if (credentials === null) return null
    const identity = this.#identify(request, reply, credentials)
    if (possession === undefined) return identity
    const presented = credentials
    return andThen(identity, (proven) => possession.check(request, reply, presented, proven, guard))
  }

  #identify (request: FastifyRequest, reply: FastifyReply, credentials: Credentials): MaybePromise<Identity> {
    const only = this.#only
    if (only === undefined) return this.#several!.identify(request, reply, credentials)
    return only.identify(credentials, only.needsPresentation ? new RequestPresentation(reply) : undefined)
  }

  #withUser (request: FastifyRequest, identity: Identity, guard: Guard): MaybePromise<void> {
    // The identity keeps its user unless `syncUser` has to be asked.
    if (identity.lastAllowedBy === guard && identity.user !== undefined) {
      request.auth = identity.claims as Claims
      request.user = identity.user
      return undefined
    }
    const user = realmOf(identity).toUser(identity, request)
    return user instanceof Promise ? user.then((late) => this.#authorize(request, identity, late, guard)) : this.#authorize(request, identity, user, guard)
  }

  #authorize (request: FastifyRequest, identity: Identity, user: User, guard: Guard): MaybePromise<void> {
    const claims = identity.claims as Claims
    request.auth = claims
    request.user = user
    if (identity.lastAllowedBy === guard) return undefined
    const { access, name } = realmOf(identity)
    if (guard.issuers?.has(name) === false) throw denied(() => issuerDenial(guard.issuers!, name))
    const caller = new Caller(access, identity, request)
    if (guard.scopes.length > 0 && !caller.hasScopes(guard.scopes)) {
      throw denied(() => scopeDenial(caller, guard.scopes), { scope: guard.scopes.join(' ') })
    }
    const allowed = guard.check === undefined || guard.check(caller)
    if (allowed instanceof Promise) return allowed.then((late) => requireRights(late, guard, caller))
    requireRights(allowed, guard, caller)
    if (guard.dependsOnClaimsOnly && (!guard.readsRoles || access.keepsRoles)) identity.lastAllowedBy = guard
  }

  #refuse (error: unknown, request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
    // The client is gone, so there is nobody to answer, and Fastify should not log an error.
    if (isGone(reply)) {
      reply.hijack()
      return
    }
    if (error instanceof KeycloakError) {
      if (writesDebug(request.log)) logRefusal(request, error)
      done(error)
    } else {
      // An error of the application. Fastify takes a falsy error for none, and would let the request pass.
      done(error ? error as Error : new Error('a function of the application threw nothing that is an error', { cause: error }))
    }
  }
}

function extracted (token: string | null): Credentials | null {
  return token === null ? null : { scheme: 'Bearer', token }
}

function logRefusal ({ log }: FastifyRequest, { code, reason, reasonCode }: KeycloakError): void {
  log.debug({ code, reason, reasonCode }, `request refused: ${reason}`)
}

/** The permission first, and then the login: who may not in any case need not log in again. */
function requireRights (allowed: boolean, { permission, authentication }: Guard, caller: Caller): void {
  if (!allowed) throw denied(() => permission!.denial(caller, permission!.text))
  if (authentication === undefined) return
  const reason = loginDenial(caller, authentication)
  if (reason !== undefined) throw refusal('insufficient_user_authentication', reason, authentication.challenge)
}

function requireToken ({ access }: Guard): void {
  if (access !== 'optional') throw refusal('not_authenticated', 'token_missing')
}

/** Browsers never send credentials with a preflight (Fetch standard, CORS protocol). */
function isPreflight ({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && Object.hasOwn(headers, 'origin') && Object.hasOwn(headers, 'access-control-request-method')
}

function denied (reason: ReasonSource, challenge?: ChallengeParameters): KeycloakError {
  return refusal('permission_denied', reason, challenge)
}
