/** A key of an element in lower case, and its value without quotes. */
export type Pair = readonly [key: string, value: string]

/** A value in quotes, in which a backslash escapes a character, or one without them, up to the next separator. */
const PAIR = /([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;=]*))([,;]?)/y

/** The elements of Envoy's header `X-Forwarded-Client-Cert`, one for each proxy; `undefined` for another form. */
export function elementsOf (value: string): Pair[][] | undefined {
  const elements: Pair[][] = [[]]
  const pattern = new RegExp(PAIR)
  let separator = ';'
  while (pattern.lastIndex < value.length) {
    const found = pattern.exec(value)
    if (found === null || separator === '') return undefined
    const [, key, quoted, plain, next] = found
    elements.at(-1)!.push([key!.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain!])
    separator = next!
    if (separator === ',') elements.push([])
  }
  // A separator at the end, or nothing at all, is no form that Envoy writes.
  return separator === '' ? elements : undefined
}
