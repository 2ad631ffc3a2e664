import { isObject, type JsonObject, member } from './strict-json.js'

/** The path of a claim: a dotted string, or an array of segments for names that contain a dot. */
export type ClaimPath = string | readonly string[]

/** The names on the way to a claim, from outside to inside. */
export function segmentsOf (path: ClaimPath): readonly string[] {
  return typeof path === 'string' ? path.split('.') : path
}

/** A function that finds a claim by its path; own members alone, `undefined` if there is none. */
export function claimAt (path: ClaimPath): (claims: JsonObject) => unknown {
  const segments = segmentsOf(path)
  const [first] = segments
  if (segments.length === 1) return (claims) => member(claims, first!)
  return (claims) => {
    let value: unknown = claims
    for (const segment of segments) {
      if (!isObject(value)) return undefined
      value = member(value, segment)
    }
    return value
  }
}

/** A path as an operator would write it. */
export function nameOf (path: ClaimPath): string {
  const segments = segmentsOf(path)
  return segments.some((segment) => segment.includes('.')) ? JSON.stringify(segments) : segments.join('.')
}
