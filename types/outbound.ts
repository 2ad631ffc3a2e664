import type { FastifyRequest } from 'fastify'
import type { IssuerName } from './declared.js'
import type { UndiciDispatcher } from './options.js'

/** A token of the API itself, for {@link ServiceCalls.serviceToken}. */
export interface ServiceTokenOptions {
  /**
   * Scopes to ask for, separated by spaces.
   * @default the default scopes of the client
   */
  scope?: string
  /** The name of the issuer, or its URL as in `iss`; needed with several. With a function `issuers`, a URL opens the realm, and a name finds one that is open. */
  issuer?: IssuerName
}

/** A token that is exchanged for the caller's, for {@link ServiceCalls.exchange}. */
export interface ExchangeOptions {
  /** The id of the client in Keycloak that the token is for: the other service. */
  audience: string
  /** Scopes to ask for beside the default ones of this API's client, separated by spaces. */
  scope?: string
}

/** The members of all dispatchers of {@link ServiceCalls.dispatcher}. */
export interface CommonDispatcherOptions {
  /** The origins whose requests get the token, such as `['https://orders.example.com']`. Requests to others go without. */
  to: readonly string[]
  /**
   * Accept `http` origins of other machines, whose tokens everybody on the way can read, unless a service mesh encrypts them.
   * @default false
   */
  allowHttp?: boolean
  /**
   * The dispatcher of undici 7 or 8 that makes the requests, such as a `ProxyAgent`.
   * @default connections that close with the API
   */
  dispatcher?: UndiciDispatcher
}

/** A dispatcher that adds tokens of the API itself. */
export interface ServiceDispatcherOptions extends CommonDispatcherOptions, ServiceTokenOptions {
  /** As the service account of the API. */
  as: 'service'
}

/** A dispatcher that adds tokens that are exchanged for the caller's. */
export interface ExchangeDispatcherOptions extends CommonDispatcherOptions, ExchangeOptions {
  /** As the caller, by an exchanged token. */
  as: 'exchange'
  /** The request whose caller it is. */
  request: FastifyRequest
}

/** A dispatcher that forwards the token of the caller, which the other service could use for whatever the token is for. */
export interface CallerDispatcherOptions extends CommonDispatcherOptions {
  /** As the caller, by the caller's own token. */
  as: 'caller'
  /** The request whose caller it is. */
  request: FastifyRequest
}

/** The options of {@link ServiceCalls.dispatcher}. */
export type DispatcherOptions = ServiceDispatcherOptions | ExchangeDispatcherOptions | CallerDispatcherOptions

/**
 * A dispatcher for `fetch` and undici. Its members are those of undici's `Dispatcher`; they have no types of their own, because those of one
 * version of undici do not fit those of another. `pipeline` throws.
 */
export type ServiceDispatcher = Record<DispatcherMember, any>

type DispatcherMember =
  | 'dispatch' | 'request' | 'stream' | 'connect' | 'upgrade' | 'pipeline' | 'compose' | 'close' | 'destroy'
  | 'on' | 'once' | 'off' | 'emit' | 'addListener' | 'removeListener' | 'removeAllListeners' | 'prependListener' | 'prependOnceListener'
  | 'listeners' | 'rawListeners' | 'listenerCount' | 'eventNames' | 'setMaxListeners' | 'getMaxListeners'

/** Tokens for calls to other services. */
export interface ServiceCalls {
  /**
   * A token of this API itself (client credentials, RFC 6749 section 4.4). It is kept, and renewed before its end. Callers who want
   * the same token share one call to Keycloak.
   * @throws {KeycloakError} `keycloak_unavailable` (503), also for wrong credentials; `exchange_refused` (502) for a client without
   * service account and for an unknown scope
   * @throws {TypeError} without credentials of this API's client
   * @example
   * const token = await app.keycloak.serviceToken({ scope: 'orders' })
   */
  serviceToken (options?: ServiceTokenOptions): Promise<string>
  /**
   * A token of the caller of a request for another service (RFC 8693): the same user, and that service alone as audience. It is
   * kept for the token of the caller, and falls with it.
   * @param request whose token was accepted
   * @throws {KeycloakError} `not_authenticated` (401) for an anonymous request; `token_not_valid`, `token_expired` (401);
   * `permission_denied` (403); `exchange_refused` (502) for a set-up that cannot work, and for a token that is bound to a key;
   * `keycloak_unavailable` (503)
   * @throws {TypeError} without credentials of this API's client
   * @example
   * const token = await app.keycloak.exchange(request, { audience: 'orders' })
   */
  exchange (request: FastifyRequest, options: ExchangeOptions): Promise<string>
  /**
   * A dispatcher for `fetch` and undici that adds an `Authorization` header to requests of some origins, and to no others. A request to
   * one of them that has such a header is an error. After a 401 the request is made once more with a new token, if its body can be sent
   * again: a text, a buffer, and with `fetch` up to 64 KiB. A redirect from another origin to one of the list is an error.
   *
   * `fetch` puts a KeycloakError into the `cause` of its own error.
   * @throws {KeycloakError} `not_authenticated` (401) for an anonymous request
   * @throws {TypeError} for wrong parameters
   * @example
   * const orders = app.keycloak.dispatcher({ to: ['https://orders.example.com'], as: 'service', scope: 'orders' })
   * await fetch('https://orders.example.com/stock', { dispatcher: orders })
   */
  dispatcher (options: DispatcherOptions): ServiceDispatcher
}
