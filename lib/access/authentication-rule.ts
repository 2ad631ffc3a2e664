import type { ChallengeParameters } from '../errors.js'
import { kindOf } from '../util/kind-of.js'
import { plainCopy } from '../util/members.js'
import type { JsonObject } from '../util/strict-json.js'
import { isScopeWord } from '../util/scope-word.js'

/** A demand for a stronger or more recent login (RFC 9470). */
export interface AuthenticationRule {
  /** The levels of which one is enough; `undefined`: any. */
  readonly acr: readonly string[] | undefined
  /** Seconds since the login; `undefined`: any time. */
  readonly maxAge: number | undefined
  /** The rule in words: `acr gold and maxAge 300 s`. */
  readonly text: string
  /** The parameters of the challenge (RFC 9470 section 3). */
  readonly challenge: ChallengeParameters
}

/** The members that are such a demand. */
export const AUTHENTICATION_KEYS = ['acr', 'maxAge'] as const

/** The name of a member in errors: `config.acr`. */
type NameOf = (key: string) => string

/**
 * @param members the own members of config or of an argument, others among them
 * @returns `undefined` if they have neither `acr` nor `maxAge`
 * @throws {TypeError} for a value that means nothing, without a prefix
 */
export function compileAuthentication (members: JsonObject, nameOf: NameOf): AuthenticationRule | undefined {
  const acr = Object.hasOwn(members, 'acr') ? readLevels(members.acr, nameOf('acr')) : undefined
  const maxAge = Object.hasOwn(members, 'maxAge') ? readAge(members.maxAge, nameOf('maxAge')) : undefined
  if (acr === undefined && maxAge === undefined) return undefined
  const words = [...acr === undefined ? [] : [`acr ${acr.join(' or ')}`], ...maxAge === undefined ? [] : [`maxAge ${maxAge} s`]]
  const challenge = { ...acr !== undefined && { acr_values: acr.join(' ') }, ...maxAge !== undefined && { max_age: String(maxAge) } }
  return { acr, maxAge, text: words.join(' and '), challenge }
}

/**
 * The demand of a handler: an object of `acr`, `maxAge` or both, and nothing else, because a misspelled one would demand less.
 * @param name the function, for errors
 * @throws {TypeError}
 */
export function readDemand (demand: unknown, name: string): AuthenticationRule {
  const what = `${name} takes an object with acr, maxAge or both, such as { acr: 'gold', maxAge: 300 }`
  if (typeof demand !== 'object' || demand === null || Array.isArray(demand)) throw new TypeError(`${what}, not ${kindOf(demand)}`)
  const members = plainCopy(demand, AUTHENTICATION_KEYS)
  const stranger = Object.keys(members).find((key) => !(AUTHENTICATION_KEYS as readonly string[]).includes(key))
  if (stranger !== undefined) throw new TypeError(`${what}; ${JSON.stringify(stranger)} is not known`)
  const rule = compileAuthentication(members, (key) => `${key} of ${name}`)
  if (rule === undefined) throw new TypeError(`${what}, not an empty object`)
  return rule
}

/** Levels stand in a list with spaces between them, in a challenge and at login, so they are words as scopes are. */
function readLevels (acr: unknown, name: string): readonly string[] {
  const levels: unknown[] = Array.isArray(acr) ? Array.from(acr) : [acr]
  if (levels.length === 0 || !levels.every(isScopeWord)) {
    throw new TypeError(`${name} must be a level of authentication such as "gold", or an array of such levels; a level has no spaces, quotes and backslashes`)
  }
  return [...new Set(levels)]
}

function readAge (maxAge: unknown, name: string): number {
  if (Number.isSafeInteger(maxAge) && (maxAge as number) > 0) return maxAge as number
  const advice = maxAge === 0 ? ': no token comes within the second of its login; a few minutes demand a fresh one' : ''
  throw new TypeError(`${name} must be a whole number of seconds from 1, not ${typeof maxAge === 'number' ? maxAge : kindOf(maxAge)}${advice}`)
}
