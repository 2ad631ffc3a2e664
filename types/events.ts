import type { KeycloakError, KeycloakErrorCode } from '../lib/errors.js'
import type { KeycloakReasonCode } from '../lib/reasons/reason.js'

/** The route of a decision. */
export interface EventRoute {
  /** The method of the request: `GET`. */
  readonly method: string
  /** The pattern of the route, never the path of the request: `/orders/:id`. */
  readonly url: string
}

/** The fields of every decision. None of them holds a token, or a text that nobody has verified. */
interface Decision {
  /** The code of the answer; `null` without a refusal, and for an error of the application. */
  readonly code: KeycloakErrorCode | null
  /** The code of the reason, by the table of docs/troubleshooting.md; `null` without a refusal. */
  readonly reason: KeycloakReasonCode | null
  /** The route; `null` if there is none. */
  readonly route: EventRoute | null
}

/** A decision on the identity of a caller: the channel `fastify-keycloak-bearer:authentication`. */
export interface AuthenticationEvent extends Decision {
  /**
   * - `accepted`: the token is valid, and `syncUser` knows the user
   * - `anonymous`: no token, on a route that needs none
   * - `refused`: the answer is 401
   * - `unavailable`: the answer is 503
   * - `failed`: a function of the application threw an error
   * - `aborted`: the client is gone, so nobody gets an answer
   */
  readonly outcome: 'accepted' | 'anonymous' | 'refused' | 'unavailable' | 'failed' | 'aborted'
  /** `request`: the token of a request; `verify`: a call of `fastify.keycloak.verify()`. */
  readonly source: 'request' | 'verify'
  /**
   * The name of the issuer whose realm decided; `null` without a token, and for one of no known issuer. Of a refused token
   * nobody has verified that it is of this issuer.
   */
  readonly issuer: string | null
  /** The scheme of the credentials; `null` without a token, and for a header that cannot be read. */
  readonly scheme: 'Bearer' | 'DPoP' | null
  /** Was the token in memory, so that neither its signature was checked nor Keycloak was asked? */
  readonly cached: boolean
}

/** The party that acts for the caller (RFC 8693 section 4.1). */
export interface EventActor {
  /** The subject of the actor: a user's id, or the name of a service. */
  readonly sub?: string
  /** The party that the actor acts for, in a chain of delegations. */
  readonly act?: EventActor
  readonly [claim: string]: unknown
}

/** A decision on a rule: the channel `fastify-keycloak-bearer:authorization`. */
export interface AuthorizationEvent extends Decision {
  /**
   * - `allowed`, `denied`: the rule is fulfilled, or not
   * - `unavailable`: Keycloak or a store that the rule asks gave no answer
   * - `failed`: a function of the application threw an error
   * - `aborted`: the client is gone, so nobody gets an answer
   */
  readonly outcome: 'allowed' | 'denied' | 'unavailable' | 'failed' | 'aborted'
  /**
   * `route`: the rules in the route's config, which decide on the answer. The others are questions of a handler, and a denial
   * is no answer yet, so its `code` is `null`. `thrown`: a `KeycloakError` that a handler or a hook threw, such as
   * `insufficientUserAuthentication()`.
   */
  readonly source: 'route' | 'hasPermission' | 'isAllowed' | 'hasAuthentication' | 'thrown'
  /** The rule in words, as `fastify.keycloak.routes()` shows it: `permission read-profile and scope write`. */
  readonly rule: string
  /** The name of the issuer of the verified token. */
  readonly issuer: string
  /** The claim `sub` of the verified token. */
  readonly sub: string | null
  /** The claim `azp` of the verified token: the client that the user logged in with. */
  readonly azp: string | null
  /** The claim `act` of the verified token. */
  readonly act: EventActor | null
}

/** A fetch of the key set: the tracing channel `fastify-keycloak-bearer:keys`. Node adds `error` if it failed. */
export interface KeysEvent {
  /** The name of the issuer. */
  readonly issuer: string
  /** The number of usable signing keys, at `asyncStart` and `asyncEnd` of a fetch that succeeded. */
  count?: number
  /** Its `reasonCode` is the cause, which a metric can count. */
  error?: KeycloakError
}

/** A call to Keycloak with its retries: the tracing channel `fastify-keycloak-bearer:upstream`. Node adds `error` if it failed. */
export interface UpstreamEvent {
  /** The name of the issuer. */
  readonly issuer: string
  /** `certs`, `token/introspect`, `openid-configuration`. */
  readonly endpoint: string
  /** The method of the call. */
  readonly method: 'GET' | 'POST'
  /** The URL of the call, without a query. */
  readonly url: string
  /** The status of the answer, at `asyncStart` and `asyncEnd` of a call that got one. */
  statusCode?: number
  /** Its `reasonCode` is the cause, which a metric can count. */
  error?: KeycloakError
}

/** The payload of each channel of node:diagnostics_channel, by the name of the channel. */
export interface KeycloakChannels {
  /** A decision on credentials. */
  'fastify-keycloak-bearer:authentication': AuthenticationEvent
  /** A decision on a rule. */
  'fastify-keycloak-bearer:authorization': AuthorizationEvent
}

/** The context of each tracing channel of node:diagnostics_channel, by the name of the channel. */
export interface KeycloakTracingChannels {
  /** A fetch of an issuer's key set. */
  'fastify-keycloak-bearer:keys': KeysEvent
  /** A call to Keycloak with its retries. */
  'fastify-keycloak-bearer:upstream': UpstreamEvent
}
