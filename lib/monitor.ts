import type { FastifyBaseLogger } from 'fastify'
import type { UpstreamHealth } from '../types/instance.js'
import type { KeycloakError } from './errors.js'

/** Least time between two warnings of one outage, in milliseconds. */
const WARN_AGAIN = 10_000

/** Keeps and logs how one endpoint is doing: a warning when it fails, now and then while it does, a word when it is over. */
export class Monitor {
  readonly #endpoint: string
  readonly #log: FastifyBaseLogger
  #lastSuccess: number | null = null
  #lastFailure: number | null = null
  #failingSince: number | null = null
  #reason: string | null = null
  #warnedAt = -Infinity

  constructor (endpoint: string, log: FastifyBaseLogger) {
    this.#endpoint = endpoint
    this.#log = log
  }

  /** Watch a call: it resolves or throws as it would have. */
  async watch<T> (call: Promise<T>): Promise<T> {
    try {
      const answer = await call
      this.#succeeded()
      return answer
    } catch (error) {
      this.#failed((error as KeycloakError).reason)
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

  #succeeded (): void {
    this.#lastSuccess = Date.now()
    if (this.#failingSince === null) return
    const seconds = Math.round((this.#lastSuccess - this.#failingSince) / 1000)
    this.#log.info(`Keycloak answers again at ${this.#endpoint}, after ${seconds} s`)
    this.#failingSince = null
    this.#reason = null
    this.#warnedAt = -Infinity
  }

  #failed (reason: string): void {
    this.#lastFailure = Date.now()
    this.#failingSince ??= this.#lastFailure
    if (reason !== this.#reason || this.#lastFailure - this.#warnedAt >= WARN_AGAIN) {
      this.#log.warn({ reason }, `Keycloak cannot be used at ${this.#endpoint}: ${reason}`)
      this.#warnedAt = this.#lastFailure
    }
    this.#reason = reason
  }
}

function iso (time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString()
}
