import { isUtf8 } from 'node:buffer'

/** A JSON object whose members nobody has looked at yet. */
export type JsonObject = Record<string, unknown>

const QUOTE = 0x22
const BACKSLASH = 0x5c
const ASCII = 0x7f

/**
 * Read the text of a JSON object, deeply frozen; `undefined` for anything else. RFC 7515 section 4 and RFC 7519
 * section 4 let a recipient refuse duplicate member names: two readers of one text must never see two different tokens.
 * @param maxDepth levels of nesting, which are bounded because functions that walk the value recurse
 */
export function parseObject (text: string, maxDepth: number): JsonObject | undefined {
  const value = readObject(text)
  return value !== undefined && freezeWithin(maxDepth, value) === stringsIn(Buffer.from(text)) ? value : undefined
}

/** The same of the text of a JSON array. */
export function parseArray (text: string, maxDepth: number): unknown[] | undefined {
  const value = readValue(text)
  return Array.isArray(value) && freezeWithin(maxDepth, value) === stringsIn(Buffer.from(text)) ? value : undefined
}

/** The same of bytes, which must be UTF-8 (RFC 8259 section 8.1): other bytes are read differently by different readers. */
export function parseBytes (bytes: Buffer, maxDepth: number): JsonObject | undefined {
  return isUtf8(bytes) ? parseObject(bytes.toString('utf8'), maxDepth) : undefined
}

/**
 * Freeze a value read from JSON and everything in it.
 * @returns how many strings it holds, names of members included, or `undefined` if it nests deeper than that many levels:
 *   then it is of no use
 * @param stringsOf the strings in a value that is frozen already and nests no deeper; `undefined` for any other
 */
export function freezeWithin (levels: number, value: object, stringsOf?: (inner: object) => number | undefined): number | undefined {
  if (levels === 0) return undefined
  const isArray = Array.isArray(value)
  const values: unknown[] = isArray ? value : Object.values(value)
  let strings = isArray ? 0 : values.length
  for (const inner of values) {
    if (typeof inner === 'string') strings++
    if (typeof inner !== 'object' || inner === null) continue
    const within = stringsOf?.(inner) ?? freezeWithin(levels - 1, inner)
    if (within === undefined) return undefined
    strings += within
  }
  Object.freeze(value)
  return strings
}

/**
 * The number of strings in the text of a JSON value, names of members included: each stands between two quotes. If a value
 * that was read from it holds as many, then no member is named twice, because JSON.parse drops the name of the first.
 * @param text that JSON.parse has accepted
 * @returns `NaN`, which no value holds, if it is not UTF-8: then there is no saying what it was read from
 */
export function stringsIn (text: Uint8Array, length = text.length): number {
  let quotes = 0
  let seen = 0
  for (let at = 0; at < length; at++) {
    const byte = text[at]!
    seen |= byte
    if (byte === QUOTE) quotes++
    // The character after it is ASCII, and no quote that ends the string.
    else if (byte === BACKSLASH) at++
  }
  return seen <= ASCII || isUtf8(text.subarray(0, length)) ? quotes / 2 : NaN
}

/** The same, however deep and with the last of duplicate members, for what is only picked from (a key set). */
export function readObject (text: string): JsonObject | undefined {
  const value = readValue(text)
  return isObject(value) ? value : undefined
}

/** @returns `undefined` if it is not JSON */
function readValue (text: string): unknown {
  try {
    return JSON.parse(text)
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
