import type { FastifyRequest } from 'fastify'
import type { AuthenticationEvent, AuthorizationEvent, EventRoute } from '../../types/events.js'
import { publishAuthorization } from '../access/authorization-events.js'
import { Caller } from '../access/caller.js'
import type { Guard } from '../access/route-guard.js'
import { authentication, authorization } from '../diagnostics/channels.js'
import { type Outcome, outcomeOf, plainOutcome, routeOf } from '../diagnostics/event-fields.js'
import type { Authority } from '../realm/authority.js'
import { realmOf } from '../realm/realm.js'
import type { Credentials, Scheme } from '../token/credentials.js'
import type { Identity } from '../token/identity.js'
import { monotonicMilliseconds, wallMilliseconds } from '../util/clock.js'
import { pickedRealm } from './several-issuers.js'

/** The realms, as far as an event tells of them. */
type Realms = Pick<Authority, 'only' | 'fromCache'>

/** The refusals of a request that has no token which can be read. */
const WITHOUT_TOKEN: ReadonlySet<string | null> = new Set(['not_authenticated', 'bad_authorization_header'])

/** @returns the events of a request; `undefined` while nobody listens */
export function eventsOf (request: FastifyRequest, realms: Realms): DecisionEvents | undefined {
  return authentication.hasSubscribers || authorization.hasSubscribers ? new DecisionEvents(request, realms) : undefined
}

/** The events of the decision on a request: one about its token, and one about the rule of its route. */
export class DecisionEvents {
  readonly #request: FastifyRequest
  readonly #realms: Realms
  #scheme: Scheme | null = null
  /** `undefined` until it is known. A kept token that is logged out is refused before. */
  #cached: boolean | undefined
  #identity: Identity | undefined
  #guard: Guard | undefined
  #route: EventRoute | null | undefined

  constructor (request: FastifyRequest, realms: Realms) {
    this.#request = request
    this.#realms = realms
  }

  /** A kept token is found by the scheme Bearer alone. */
  onHeader (): void {
    this.#scheme = 'Bearer'
  }

  onKept (): void {
    this.#cached = true
  }

  /** A token that was not found by its header. */
  onCredentials ({ scheme, token }: Credentials): void {
    this.#scheme = scheme
    this.#cached = isKept(token, this.#realms.fromCache)
  }

  onAnonymous (): void {
    this.#scheme = null
    this.#publishAuthentication(plainOutcome('anonymous'))
  }

  onIdentity (identity: Identity, guard: Guard): void {
    this.#identity = identity
    this.#guard = guard
    this.#publishAuthentication(plainOutcome('accepted'))
  }

  onAllowed (): void {
    this.#publishAuthorization(this.#identity!, plainOutcome('allowed'))
  }

  /** @param isGone is nobody there any more who would get an answer? */
  onError (error: unknown, isGone: boolean): void {
    if (this.#identity !== undefined) return this.#publishAuthorization(this.#identity, isGone ? plainOutcome('aborted') : outcomeOf(error, 'denied'))
    const outcome = isGone ? plainOutcome('aborted') : outcomeOf(error, 'refused')
    if (WITHOUT_TOKEN.has(outcome.code)) this.#scheme = null
    this.#publishAuthentication(outcome)
  }

  #publishAuthentication ({ outcome, code, reason }: Outcome<AuthenticationEvent['outcome']>): void {
    if (!authentication.hasSubscribers) return
    authentication.publish({
      outcome,
      code,
      reason,
      source: 'request',
      issuer: this.#scheme === null ? null : this.#issuer(),
      scheme: this.#scheme,
      cached: this.#cached ?? this.#scheme !== null,
      route: this.#routeOfRequest()
    })
  }

  /** There is none for a route without a rule. */
  #publishAuthorization (identity: Identity, outcome: Outcome<AuthorizationEvent['outcome']>): void {
    const rule = this.#guard?.text
    if (rule === undefined || !authorization.hasSubscribers) return
    publishAuthorization({ source: 'route', rule }, new Caller(realmOf(identity).access, identity, this.#request), outcome, this.#routeOfRequest())
  }

  /** Read once for both events, because Fastify makes an object of all options of the route for whoever asks. */
  #routeOfRequest (): EventRoute | null {
    return (this.#route ??= routeOf(this.#request))
  }

  #issuer (): string | null {
    return this.#identity?.owner.name ?? (this.#realms.only ?? pickedRealm(this.#request))?.name ?? null
  }
}

/** Was the token in memory? A kept token that is logged out is there, too. */
export function isKept (token: string, fromCache: Realms['fromCache']): boolean {
  try {
    return fromCache?.(`Bearer ${token}`, wallMilliseconds(), monotonicMilliseconds()) !== undefined
  } catch {
    return true
  }
}
