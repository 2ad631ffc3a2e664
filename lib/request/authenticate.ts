import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Claims, User } from '../../types/user.js'
import { Caller } from '../access/caller.js'
import { authorize } from '../access/route-authorization.js'
import type { Guard } from '../access/route-guard.js'
import type { Routes } from '../access/route-registry.js'
import { KeycloakError, refusal } from '../errors.js'
import type { Closing } from '../keycloak/closing.js'
import type { Authority } from '../realm/authority.js'
import { type Realm, realmOf } from '../realm/realm.js'
import type { Credentials } from '../token/credentials.js'
import type { Identity } from '../token/identity.js'
import { monotonicMilliseconds, wallMilliseconds } from '../util/clock.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import { type AcceptedRequest, IDENTITY, REPLY } from './auth-signals.js'
import { authorizationOf, bearerCredentials, credentialsIn } from './credentials.js'
import { type DecisionEvents, eventsOf } from './decision-events.js'
import { isGone, presentationTo } from './presentation.js'
import { keepHeader, keepToken } from './presented-token.js'
import type { ProofOfPossession } from './proof-of-possession.js'
import type { Refusals } from './refusals.js'
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
  refusals: Refusals
  closing: Closing
  /** May Keycloak be asked about tokens after they were accepted? */
  keepsTokens: boolean
}

/** Decides on each request: only this onRequest hook lets a request pass or refuses it. */
export class Authentication {
  readonly #routes: Routes
  readonly #extractToken: AuthenticationParts['extractToken']
  readonly #authority: Authority
  readonly #only: Realm | undefined
  readonly #fromCache: Authority['fromCache']
  readonly #several: SeveralIssuers | undefined
  readonly #possession: ProofOfPossession | undefined
  readonly #refusals: Refusals
  readonly #closing: Closing
  readonly #keepsTokens: boolean

  constructor ({ routes, extractToken, authority, several, possession, refusals, closing, keepsTokens }: AuthenticationParts) {
    this.#routes = routes
    this.#extractToken = extractToken
    this.#authority = authority
    this.#only = authority.only
    this.#fromCache = authority.fromCache
    this.#several = several
    this.#possession = possession
    this.#refusals = refusals
    this.#closing = closing
    this.#keepsTokens = keepsTokens
  }

  /** Fastify's onRequest hook. */
  readonly onRequest = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    const events = eventsOf(request, this.#authority)
    let passed: MaybePromise<void>
    try {
      passed = this.#authenticate(request, reply, events)
    } catch (error) {
      return this.#refuse(error, request, reply, done, events)
    }
    if (passed === undefined) return done()
    passed.then(() => {
      this.#closing.closeIfShuttingDown(request, reply)
      done()
    }, (error) => {
      this.#closing.closeIfShuttingDown(request, reply)
      this.#refuse(error, request, reply, done, events)
    })
  }

  #authenticate (request: FastifyRequest, reply: FastifyReply, events: DecisionEvents | undefined): MaybePromise<void> {
    // Routes of scopes that were loaded before the plugin inherit this hook, but not the decorators.
    if (request.user !== null && !Object.hasOwn(request, 'user')) request.user = request.auth = null
    const guard = this.#routes.of(request)
    if (guard.access === 'open' || (isPreflight(request) && !guard.ownRule)) return undefined
    const identity = this.#identityOf(request, reply, guard, events)
    if (identity === null) {
      requireToken(guard)
      return events?.onAnonymous()
    }
    ;(request as AcceptedRequest)[REPLY] = reply
    // Without andThen(), whose closure would be made for each request, although most requests need no promise.
    return identity instanceof Promise ? identity.then((late) => this.#withUser(request, late, guard, events)) : this.#withUser(request, identity, guard, events)
  }

  /** The identity that a token of the request proves; `null` if it has none. */
  #identityOf (request: FastifyRequest, reply: FastifyReply, guard: Guard, events: DecisionEvents | undefined): MaybePromise<Identity> | null {
    const possession = this.#possession
    let credentials: Credentials | null
    if (this.#extractToken === undefined) {
      const header = authorizationOf(request)
      if (header === undefined) return null
      events?.onHeader()
      const cached = this.#keptBy(header, request)
      if (cached !== undefined) {
        events?.onKept()
        if (this.#keepsTokens) keepHeader(request, header)
        const identity = this.#several === undefined ? cached : this.#several.accept(request, cached)
        return possession === undefined ? identity : possession.checkKept(request, reply, header, identity, guard)
      }
      credentials = credentialsIn(header, possession?.takesDpop === true)
    } else {
      credentials = possession?.dpopCredentials(request) ?? bearerCredentials(this.#extractToken(request))
    }
    if (credentials === null) return null
    if (this.#keepsTokens) keepToken(request, credentials.token)
    events?.onCredentials(credentials)
    return this.#identify(request, reply, credentials, guard)
  }

  #keptBy (header: string, request: FastifyRequest): Identity | undefined {
    try {
      return this.#fromCache?.(header, wallMilliseconds(), monotonicMilliseconds())
    } catch (error) {
      // The token was logged out. Its challenge, its line in the log and its event name the realm all the same.
      this.#several?.pickKept(request, header)
      throw error
    }
  }

  #identify (request: FastifyRequest, reply: FastifyReply, credentials: Credentials, guard: Guard): MaybePromise<Identity> {
    const only = this.#only
    const possession = this.#possession
    const prove = possession && ((identity: Identity) => possession.check(request, reply, credentials, identity, guard))
    if (only === undefined) return this.#several!.identify(request, reply, credentials, prove)
    return only.identify(credentials, presentationTo(only, reply, prove))
  }

  #withUser (request: FastifyRequest, identity: Identity, guard: Guard, events: DecisionEvents | undefined): MaybePromise<void> {
    // The identity keeps its user unless `syncUser` has to be asked.
    if (identity.lastAllowedBy === guard && identity.user !== undefined) {
      setIdentity(request, identity)
      request.user = identity.user
      events?.onIdentity(identity, guard)
      return events?.onAllowed()
    }
    const user = realmOf(identity).toUser(identity, request)
    return user instanceof Promise ? user.then((late) => this.#authorize(request, identity, late, guard, events)) : this.#authorize(request, identity, user, guard, events)
  }

  #authorize (request: FastifyRequest, identity: Identity, user: User, guard: Guard, events: DecisionEvents | undefined): MaybePromise<void> {
    setIdentity(request, identity)
    request.user = user
    events?.onIdentity(identity, guard)
    if (identity.lastAllowedBy === guard) return events?.onAllowed()
    const { access } = realmOf(identity)
    const allowed = authorize(new Caller(access, identity, request), guard)
    if (allowed instanceof Promise) return events === undefined ? allowed : allowed.then(() => events.onAllowed())
    if (guard.dependsOnClaimsOnly && (!guard.readsRoles || access.keepsRoles)) identity.lastAllowedBy = guard
    events?.onAllowed()
  }

  #refuse (error: unknown, request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void, events: DecisionEvents | undefined): void {
    const gone = isGone(reply)
    events?.onError(error, gone)
    // The client is gone, so there is nobody to answer, and Fastify should not log an error.
    if (gone) {
      reply.hijack()
      return
    }
    if (error instanceof KeycloakError) {
      this.#refusals.ofRequest(error, request)
      done(error)
    } else {
      // An error of the application. Fastify takes a falsy error for none, and would let the request pass.
      done(error ? error as Error : new Error('a function of the application threw nothing that is an error', { cause: error }))
    }
  }
}

function setIdentity (request: AcceptedRequest, identity: Identity): void {
  request[IDENTITY] = identity
  request.auth = identity.claims as Claims
}

function requireToken ({ access }: Guard): void {
  if (access !== 'optional') throw refusal('not_authenticated', 'token_missing')
}

/** Browsers never send credentials with a preflight (Fetch standard, CORS protocol). */
function isPreflight ({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && Object.hasOwn(headers, 'origin') && Object.hasOwn(headers, 'access-control-request-method')
}
