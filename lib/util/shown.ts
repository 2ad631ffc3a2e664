/** Characters of the longest claim that may be shown. */
const MAX = 100

/** Visible ASCII without quotes and backslash, as the names of claims, clients, realms and roles usually have. */
const PLAIN = /^[!#-[\]-~][ !#-[\]-~]*$/

/**
 * A text of a verified token as it may stand in a log, in quotes: short, and of plain characters, so that it can neither
 * forge nor flood lines. `undefined` for any other.
 */
export function shown (text: unknown): string | undefined {
  return typeof text === 'string' && text.length <= MAX && PLAIN.test(text) ? `"${text}"` : undefined
}

/** So many values of a list are shown. */
const MAX_LISTED = 5

/** Some of the values, in quotes. */
export function listed (values: readonly unknown[]): string {
  const some = values.slice(0, MAX_LISTED).map((value) => shown(value) ?? 'one that cannot be shown')
  return `[${some.join(', ')}${values.length > MAX_LISTED ? ', …' : ''}]`
}
