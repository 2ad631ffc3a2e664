import { createHash } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import type { OutboundHealth } from '../../types/instance.js'
import { EndpointHealth } from '../diagnostics/endpoint-health.js'
import { KeycloakError, refusal, UnavailableError } from '../errors.js'
import { CallLimiter } from '../keycloak/call-limiter.js'
import { MAX_UNDER_WAY } from '../keycloak/call-queue.js'
import type { Waiting } from '../keycloak/cancellation.js'
import { KeycloakClient } from '../keycloak/client.js'
import type { ClientAuthentication } from '../keycloak/client-authentication.js'
import type { Closing } from '../keycloak/closing.js'
import { TokenEndpoint, type TokenReply } from '../keycloak/token-endpoint.js'
import type { PluginSettings, RealmSettings } from '../options/options.js'
import { reasonFor } from '../reasons/reason.js'
import type { Identity } from '../token/identity.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import { shown } from '../util/shown.js'
import { SetUpLog } from './set-up-log.js'
import { exchangedToken, isFor, issuedToken, type IssuedToken } from './token-answer.js'
import { refusalOf, type WantedToken } from './token-refusals.js'
import { type TokenQuestion, TokenSource } from './token-source.js'

export interface OutboundOptions {
  settings: RealmSettings
  limits: PluginSettings['limits']
  authentication: ClientAuthentication
  closing: Closing
  log: FastifyBaseLogger
}

/** The caller of a request, whose token is exchanged. */
export interface ExchangeCaller {
  readonly token: string
  readonly identity: Identity
}

/** The caller of all calls for tokens of the API itself. */
const ITSELF = Symbol('fastify-keycloak-bearer.service')

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

/** The tokens of one realm for other services: those of the API itself, and those that are exchanged for a caller's. */
export class Outbound {
  readonly #limits: PluginSettings['limits']
  readonly #client: KeycloakClient
  readonly #endpoint: TokenEndpoint
  readonly #source: TokenSource
  readonly #setUpLog: SetUpLog

  constructor ({ settings, limits, authentication, closing, log }: OutboundOptions) {
    const { timeout, maxPending } = settings.outbound
    const limiter = new CallLimiter({
      maxPending,
      timeout,
      log,
      closing,
      fullLine: `outbound: ${maxPending} calls for tokens are pending already, and further ones are 503: raise outbound.maxPending`,
      waitLine: `outbound: calls for tokens that waited ${timeout} ms (outbound.timeout) for one of ${MAX_UNDER_WAY} connections are 503: Keycloak answers slower than they come`
    })
    this.#limits = limits
    this.#client = new KeycloakClient(settings, closing, authentication.certificate)
    this.#endpoint = new TokenEndpoint({ client: this.#client, authentication, limiter, health: new EndpointHealth('token', log), timeout, maxBytes: limits.introspectionBytes })
    this.#source = new TokenSource({ ...settings.outbound, endpoint: this.#endpoint })
    this.#setUpLog = new SetUpLog(log)
  }

  /** The question for a token of the API itself (RFC 6749 section 4.4). */
  service (scope: string | undefined): TokenQuestion {
    const wanted = { audience: undefined, scope }
    return {
      key: JSON.stringify(['service', scope]),
      caller: ITSELF,
      form: () => formOf({ grant_type: 'client_credentials', scope }),
      read: (reply) => this.#read(reply, wanted, issuedToken)
    }
  }

  /**
   * The question for a token that is exchanged for a caller's (RFC 8693). It is kept by the hash of that token, because the token
   * would stay in memory longer than its request.
   * @throws {KeycloakError} exchange_refused for a caller whose token is bound to a key, which Keycloak exchanges in no case
   */
  exchange ({ token, identity: { claims, binding } }: ExchangeCaller, audience: string, scope: string | undefined): TokenQuestion {
    if (binding !== undefined) throw this.#warned(refusal('exchange_refused', 'exchange_bound'))
    const wanted = { audience, scope }
    return {
      key: JSON.stringify(['exchange', createHash('sha256').update(token).digest('base64url'), audience, scope]),
      caller: claims.sub ?? claims.sid ?? token,
      form: () => formOf({ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: token, subject_token_type: ACCESS_TOKEN, requested_token_type: ACCESS_TOKEN, audience, scope }),
      read: (reply) => this.#narrow(this.#read(reply, wanted, exchangedToken), audience)
    }
  }

  /** @throws {KeycloakError} keycloak_unavailable, exchange_refused, token_not_valid, permission_denied */
  get (question: TokenQuestion, waiting: Waiting | undefined): MaybePromise<string> {
    return this.#source.get(question, waiting)
  }

  /** Another token in place of one that a service refuses; `undefined` if there is none. */
  other (refused: string, question: TokenQuestion, waiting: Waiting | undefined): MaybePromise<string> | undefined {
    return this.#source.other(refused, question, waiting)
  }

  health (): OutboundHealth {
    return this.#endpoint.health()
  }

  /** Ends all calls, and forgets the tokens. */
  async close (): Promise<void> {
    this.#source.close()
    await this.#client.close()
  }

  #read (reply: TokenReply, wanted: WantedToken, tokenOf: typeof issuedToken): IssuedToken {
    if (reply.status === 200) return tokenOf(reply, this.#limits)
    throw this.#warned(refusalOf(reply, wanted))
  }

  /** A token that does not name the audience is as wide as the API's own, and would be handed to a service that may not have it. */
  #narrow (issued: IssuedToken, audience: string): IssuedToken {
    if (isFor(issued.token, audience, this.#limits)) return issued
    throw this.#warned(refusal('exchange_refused', () => reasonFor('exchange_audience_missing', { audience: shown(audience) })))
  }

  #warned (error: KeycloakError): KeycloakError {
    if (!(error instanceof UnavailableError) && error.code !== 'token_not_valid') this.#setUpLog.warn(error)
    return error
  }
}

function formOf (members: Readonly<Record<string, string | undefined>>): string {
  return new URLSearchParams(Object.entries(members).filter((entry): entry is [string, string] => entry[1] !== undefined)).toString()
}
