import type { FastifyBaseLogger } from 'fastify'
import type { UpstreamHealth } from '../../types/instance.js'
import type { UnavailableError } from '../errors.js'
import { wallMilliseconds } from '../util/clock.js'
import { RateLimit } from './rate-limit.js'

/** Keeps and logs how one endpoint is doing: a warning when it fails, now and then while it does, a word when it is over. */
export class EndpointHealth {
  readonly #endpoint: string
  readonly #log: FastifyBaseLogger
  #lastSuccess: number | null = null
  #lastFailure: number | null = null
  #failingSince: number | null = null
  #reason: string | null = null
  readonly #warning = new RateLimit()
  /** Was the failure of now logged? Only then its end is. */
  #logged = false

  constructor (endpoint: string, log: FastifyBaseLogger) {
    this.#endpoint = endpoint
    this.#log = log
  }

  /** Watch a call: it resolves or throws as it would have. */
  async watch<T> (call: Promise<T>): Promise<T> {
    try {
      const answer = await call
      this.succeeded()
      return answer
    } catch (error) {
      this.failed(error as UnavailableError)
      throw error
    }
  }

  report (): UpstreamHealth {
    return {
      ok: this.#failingSince === null,
      lastSuccess: iso(this.#lastSuccess),
      lastFailure: iso(this.#lastFailure),
      reason: this.#reason
    }
  }

  succeeded (): void {
    this.#lastSuccess = wallMilliseconds()
    if (this.#failingSince === null) return
    if (this.#logged) {
      const seconds = Math.round((this.#lastSuccess - this.#failingSince) / 1000)
      this.#log.info(`Keycloak answers again at ${this.#endpoint}, after ${seconds} s`)
      this.#logged = false
    }
    this.#failingSince = null
    this.#reason = null
  }

  /** A local failure tells nothing about Keycloak. */
  failed (error: UnavailableError): void {
    // Its reason is not made: during an outage each request is such a failure.
    if (error.failureKind === 'local') return
    const { reason, reasonCode } = error
    this.#lastFailure = wallMilliseconds()
    this.#failingSince ??= this.#lastFailure
    this.#reason = reason
    if (!this.#warning.allows(reason)) return
    this.#log.warn({ reason, reasonCode }, `Keycloak cannot be used at ${this.#endpoint}: ${reason}`)
    this.#logged = true
  }
}

function iso (time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString()
}
