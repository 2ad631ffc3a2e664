import type { UnavailableError } from '../errors.js'
import type { RetryDelays } from '../util/background-retry.js'

/**
 * Keycloak is asked in the background until it answers again: an instance that is taken out of the load balancer for a
 * failure gets no request that would find out. If it is unreachable, it may be back at any moment; a response that refuses
 * this client is rather changed by somebody's hand, and is asked for ever less often.
 */
export const RECOVERY: RetryDelays = {
  first: 2000,
  most: 30_000,
  jitter: 0.25,
  lengthens: (error) => (error as UnavailableError).failureKind === 'bad-response'
}
