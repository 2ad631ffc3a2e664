import { unavailable, type UnavailableError } from '../errors.js'
import { monotonicMilliseconds } from '../util/clock.js'

/** Failures in a row after which Keycloak counts as away. */
const THRESHOLD = 5

/** Milliseconds, between which chance decides, after which one call is let through to find out whether Keycloak is back. */
const TRIAL_EVERY = { least: 500, most: 1000 }

/**
 * Fails fast while Keycloak is known to be away, so that requests do not pile up behind a deadline.
 *
 * A few lines instead of opossum: that one judges by the share of failures in a sliding window, waits for its one trial
 * to end before the next, and keeps timers. Here the one question is "is anybody there?": an answer of any kind says yes,
 * a trial that hangs does not hold up the next, and recovery is found within a second.
 */
export class CircuitBreaker {
  #failures = 0
  #nextTrialAt = -Infinity

  get open (): boolean {
    return this.#failures >= THRESHOLD
  }

  /**
   * Before each call, whose outcome then has to be reported.
   * @throws {KeycloakError} keycloak_unavailable, at once while Keycloak is known to be away
   */
  admit (): void {
    if (!this.open) return
    if (monotonicMilliseconds() < this.#nextTrialAt) this.mustBeClosed()
    this.#await()
  }

  /**
   * Before a call that could not be the trial.
   * @throws {KeycloakError} keycloak_unavailable, at once while Keycloak is known to be away
   */
  mustBeClosed (): void {
    if (this.open) throw unavailable('breaker_open', 'local')
  }

  succeeded (): void {
    this.#failures = 0
  }

  /** A bad answer is an answer: a token that Keycloak cannot take must not keep others from being asked for. */
  failed ({ failureKind }: UnavailableError): void {
    if (failureKind === 'bad-response') this.#failures = 0
    if (failureKind !== 'unreachable') return
    this.#failures++
    if (this.#failures === THRESHOLD) this.#await()
  }

  #await (): void {
    this.#nextTrialAt = monotonicMilliseconds() + TRIAL_EVERY.least + (TRIAL_EVERY.most - TRIAL_EVERY.least) * Math.random()
  }
}
