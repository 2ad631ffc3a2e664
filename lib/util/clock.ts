// The clocks of the process. lib/ asks them here alone, and each time anew by the globals, so that a test which fakes
// `Date` (as the documentation promises) or `performance.now` moves the plugin with it.

/** Milliseconds since 1970, by the wall clock. */
export function wallMilliseconds (): number {
  return Date.now()
}

/** Seconds since 1970, as a NumericDate counts them (RFC 7519 section 2), by the wall clock. */
export function wallSeconds (): number {
  return Date.now() / 1000
}

/** Milliseconds of the monotonic clock, which nobody can set and which knows no dates. */
export function monotonicMilliseconds (): number {
  return performance.now()
}

/** Seconds of the monotonic clock. */
export function monotonicSeconds (): number {
  return performance.now() / 1000
}

/**
 * Has a moment passed by both clocks? The wall clock alone may jump: NTP corrects it, a machine resumes, somebody sets it.
 * A revocation that ended by such a jump would let a logged-out token in again.
 * @param date seconds of the wall clock
 * @param monotonic seconds of the monotonic clock
 */
export function hasPassed (date: number, monotonic: number): boolean {
  return date <= wallSeconds() && monotonic <= monotonicSeconds()
}
