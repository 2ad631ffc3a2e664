import type { FastifyRequest } from 'fastify'
import type { UmaHealth } from '../../types/instance.js'
import type { UmaDecider } from '../access/uma/decider.js'
import type { UmaDecisions, UmaSubject } from '../access/uma/decisions.js'
import { EndpointHealth } from '../diagnostics/endpoint-health.js'
import { refusal } from '../errors.js'
import { CallLimiter } from '../keycloak/call-limiter.js'
import { MAX_UNDER_WAY } from '../keycloak/call-queue.js'
import { KeycloakClient } from '../keycloak/client.js'
import type { ClientAuthentication } from '../keycloak/client-authentication.js'
import { TokenEndpoint } from '../keycloak/token-endpoint.js'
import type { RealmSettings } from '../options/options.js'
import type { Identity } from '../token/identity.js'
import { isLightweight } from '../token/token-kind.js'
import { wallSeconds } from '../util/clock.js'
import type { JsonObject } from '../util/strict-json.js'
import type { Presented, SharedByRealms } from './shared.js'
import type { EndOf } from './token-end.js'

/** The Authorization Services of one realm. */
export class Uma {
  readonly #decisions: UmaDecisions
  readonly #client: KeycloakClient
  readonly #presentedBy: SharedByRealms['presentedBy']

  /** @param client its connections are those of the decisions alone */
  constructor (decisions: UmaDecisions, client: KeycloakClient, presentedBy: SharedByRealms['presentedBy']) {
    this.#decisions = decisions
    this.#client = client
    this.#presentedBy = presentedBy
  }

  /** @param endOf has an accepted token ended? It may do so while Keycloak decides, and before, in a handler that runs for long. */
  deciderBy (endOf: EndOf): UmaDecider {
    const ask = async <Result> (request: FastifyRequest, identity: Identity, question: (subject: UmaSubject) => Promise<Result>): Promise<Result> => {
      const presented = this.#presentedBy?.(request)
      if (presented === undefined) throw refusal('not_authenticated', 'token_missing')
      try {
        mustBeGood(identity, endOf)
        return await question(subjectOf(presented, identity))
      } finally {
        presented.release()
        mustBeGood(identity, endOf)
      }
    }
    return {
      decide: (request, identity, permission) => ask(request, identity, (subject) => this.#decisions.decide(subject, permission)),
      list: (request, identity, permissions) => ask(request, identity, (subject) => this.#decisions.list(subject, permissions))
    }
  }

  health (): UmaHealth {
    return this.#decisions.health()
  }

  async close (): Promise<void> {
    this.#decisions.close()
    await this.#client.close()
  }
}

function mustBeGood (identity: Identity, endOf: EndOf): void {
  const ended = endOf(identity, wallSeconds())
  if (ended !== undefined) throw ended
}

function subjectOf (presented: Presented, { claims, binding }: Identity): UmaSubject {
  return {
    token: presented.token,
    key: claims.sub ?? claims.sid ?? presented.token,
    isDpopBound: binding?.jkt !== undefined,
    isLightweight: isLightweight(claims as JsonObject),
    waiting: presented
  }
}

export async function loadUma (settings: RealmSettings, authentication: ClientAuthentication, { closing, limits, log, presentedBy }: SharedByRealms): Promise<Uma> {
  const { UmaDecisions } = await import('../access/uma/decisions.js')
  const { resourceServer = settings.clientId, timeout, maxPending, cacheTtl } = settings.uma!
  const client = new KeycloakClient(settings, closing, authentication.certificate)
  const limiter = () => new CallLimiter({
    maxPending,
    timeout,
    log,
    closing,
    fullLine: `uma: ${maxPending} calls are pending already, and further requests are 503: raise uma.maxPending, or share decisions by uma.cacheTtl`,
    waitLine: `uma: requests that waited ${timeout} ms (uma.timeout) for one of ${MAX_UNDER_WAY} connections are 503: Keycloak answers slower than requests come; share decisions by uma.cacheTtl`
  })
  const maxBytes = limits.introspectionBytes
  const endpoint = new TokenEndpoint({ client, authentication, limiter: limiter(), health: new EndpointHealth('token', log), timeout, maxBytes })
  const lookUp = { client, limiter: limiter(), health: new EndpointHealth('authz/protection/resource_set', log), timeout, maxBytes }
  return new Uma(new UmaDecisions({ endpoint, lookUp: resourceServer === settings.clientId ? lookUp : undefined, resourceServer, timeout, cacheTtl, log }), client, presentedBy)
}
