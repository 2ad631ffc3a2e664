/** Now, as NumericDates count (RFC 7519 section 2): seconds since 1970. */
export function seconds (): number {
  return Date.now() / 1000
}
