/** A JSON object whose members nobody has looked at yet. */
export type JsonObject = Record<string, unknown>

/**
 * Read the text of a JSON object, deeply frozen; `undefined` for anything else. RFC 7515 section 4 and RFC 7519
 * section 4 let a recipient refuse duplicate member names: two readers of one text must never see two different tokens.
 * @param maxDepth how deep it may nest, since whoever walks it recurses
 */
export function parseObject (text: string, maxDepth: number): JsonObject | undefined {
  const value = readObject(text)
  if (value === undefined || !freezeWithin(maxDepth, value)) return undefined
  // What JSON.stringify writes never names a member twice, so the usual compact text needs no second look.
  if (JSON.stringify(value) !== text && hasDuplicateMember(text)) return undefined
  return value
}

/**
 * Freeze a value read from JSON and everything in it.
 * @returns whether it nests no deeper than that many levels; if it does, it is of no use
 */
export function freezeWithin (levels: number, value: object): boolean {
  if (levels === 0) return false
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null && !freezeWithin(levels - 1, inner)) return false
  }
  Object.freeze(value)
  return true
}

/** The same, however deep and with the last of duplicate members, for what is only picked from (a key set). */
export function readObject (text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Is it what JSON calls an object: neither null nor an array? */
export function isObject (value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An own member, so that `constructor` or `__proto__` find nothing that the sender did not send. */
export function member (object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

/** Walks a text that JSON.parse has accepted: there a string followed by a colon is a member's name. */
function hasDuplicateMember (text: string): boolean {
  const names: Array<Set<string>> = []
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '{' || character === '[') names.push(new Set())
    else if (character === '}' || character === ']') names.pop()
    else if (character === '"') {
      const end = endOfString(text, at)
      if (isFollowedByColon(text, end)) {
        const name: string = JSON.parse(text.slice(at, end))
        const seen = names[names.length - 1]!
        if (seen.has(name)) return true
        seen.add(name)
      }
      at = end - 1
    }
  }
  return false
}

function endOfString (text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

function isFollowedByColon (text: string, from: number): boolean {
  let at = from
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++
  return text[at] === ':'
}
