/** Now, as NumericDates count (RFC 7519 section 2): seconds since 1970. */
export function seconds (): number {
  return Date.now() / 1000
}

/** Seconds of the monotonic clock, which nobody can set and which knows no dates. */
export function monotonicSeconds (): number {
  return performance.now() / 1000
}

/**
 * Has a moment passed by both clocks? The wall clock alone may jump: NTP corrects it, a machine resumes, somebody sets it.
 * A revocation that ended by such a jump would let a logged-out token in again.
 * @param date seconds since 1970
 * @param monotonic seconds of the monotonic clock
 */
export function hasPassed (date: number, monotonic: number): boolean {
  return date <= seconds() && monotonic <= monotonicSeconds()
}
