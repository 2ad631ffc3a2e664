import { CallLimiter, type CallLimiterOptions } from '../keycloak/call-limiter.js'
import { MAX_UNDER_WAY } from '../keycloak/call-queue.js'

/** The turns of introspections. */
export class IntrospectionLimiter extends CallLimiter {
  constructor (options: Omit<CallLimiterOptions, 'fullLine' | 'waitLine'>) {
    super({
      ...options,
      fullLine: `introspection: ${options.maxPending} calls are pending already, and further requests are 503: raise introspection.maxPending, or share answers by introspection.cacheTtl`,
      waitLine: `introspection: requests that waited ${options.timeout} ms (introspection.timeout) for one of ${MAX_UNDER_WAY} connections are 503: Keycloak answers slower than requests come; share answers by introspection.cacheTtl`
    })
  }
}
