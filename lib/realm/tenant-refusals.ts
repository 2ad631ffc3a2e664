import { notValid, unavailable } from '../errors.js'
import { BoundedMap } from '../util/bounded-map.js'
import { monotonicMilliseconds } from '../util/clock.js'

/** Milliseconds for which the function is not asked again. */
const UNKNOWN = 60_000
const FAILED = 1000

/** The refused issuers of each kind that are kept: strangers can make fewer in a minute (tenant-queue.ts). */
const MAX = 1000

/** The issuers that the function `issuers` does not know, and those for which it failed, for as long as it is not asked again. */
export class TenantRefusals {
  readonly #unknown = new BoundedMap<string, number>(MAX)
  readonly #failed = new BoundedMap<string, number>(MAX)

  /** The function returned null. */
  unknown (iss: string): void {
    this.#unknown.set(iss, monotonicMilliseconds() + UNKNOWN)
  }

  failed (iss: string): void {
    this.#failed.set(iss, monotonicMilliseconds() + FAILED)
  }

  forget (iss: string): void {
    this.#unknown.delete(iss)
    this.#failed.delete(iss)
  }

  /** @throws {KeycloakError} token_not_valid, keycloak_unavailable */
  check (iss: string): void {
    if (isKept(this.#unknown, iss)) throw notValid('issuer_unknown')
    if (isKept(this.#failed, iss)) throw unavailable('issuers_failed', 'local')
  }
}

function isKept (refusals: Map<string, number>, iss: string): boolean {
  const until = refusals.get(iss)
  if (until === undefined) return false
  if (monotonicMilliseconds() < until) return true
  refusals.delete(iss)
  return false
}
