import type { FastifyRequest } from 'fastify'
import type { IssuerName } from './declared.js'

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
}
