/**
 * All values of a header, by Node's raw headers, because Node joins or drops those that are repeated.
 * @param name in lower case
 */
export function valuesOf (rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const each = rawHeaders[at]!
    if (each.length === name.length && each.toLowerCase() === name) values.push(rawHeaders[at + 1]!)
  }
  return values
}
