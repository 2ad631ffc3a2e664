import type { z } from 'zod'
import { kindOf } from '../util/kind-of.js'
import { isThenable } from '../util/maybe-promise.js'
import { nearest } from '../util/spelling.js'
import { isObject } from '../util/strict-json.js'
import { type KnownOptions, unknownOption } from './unknown-option.js'

type Issue = z.core.$ZodIssue

/**
 * Zod's issues in one sentence with the option, its valid values, and its value: `option "leeway" must be a number of
 * seconds, 0 or more, not -1`. The messages of a schema complete "… must be"; an issue with `params.found` has the words for
 * the value itself.
 *
 * The only values that are shown are numbers, names of algorithms, and strings that cannot be a secret: any other value could
 * be a secret in the wrong place.
 * @param needed the words that complete "the options must be an object", such as " with issuer at least"
 */
export function explainIssues (issues: readonly Issue[], options: unknown, known: KnownOptions, needed = ''): string {
  if (!isObject(options)) return `the options must be an object${needed}, not ${kindOf(options)}`
  if (isThenable(options)) return `the options must be an object${needed}, not a promise: write await before it`
  // A misspelled key is named first, because it explains a missing one.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? mostSpecific(issues[0]!, options)
  if (issue.code === 'unrecognized_keys') return unknownOption(issue.keys[0]!, issue.path, known)
  return `option "${issue.path.join('.')}" must be ${issue.message}, not ${foundIn(issue) ?? found(issue, options)}`
}

/** The most specific issue of a union: one within the value that was given, or one that has words for that value. */
function mostSpecific (issue: Issue, options: object): Issue {
  const leaves = leavesOf(issue)
  const value = valueAt(issue.path, options)
  const misspelled = value instanceof URL ? undefined : leaves.find(({ code }) => code === 'unrecognized_keys')
  if (misspelled !== undefined) return misspelled
  const within = typeof value === 'object' && !(value instanceof URL) ? deepest(leaves.filter(({ path }) => path.length > issue.path.length)) : undefined
  if (within !== undefined) return within
  const saying = leaves.find((leaf) => foundIn(leaf) !== undefined)
  return saying === undefined ? issue : { ...saying, message: issue.message }
}

/** The issue that lies deepest, and of several the one that has words for the value. */
function deepest (issues: readonly Issue[]): Issue | undefined {
  const depth = Math.max(...issues.map(({ path }) => path.length))
  const candidates = issues.filter(({ path }) => path.length === depth)
  return candidates.find((issue) => foundIn(issue) !== undefined) ?? candidates[0]
}

/** The issues of a union, and of unions within it, with their whole paths; for another issue, the issue itself. */
function leavesOf (issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  return issue.errors.flat().flatMap((inner) => leavesOf({ ...inner, path: [...issue.path, ...inner.path] }))
}

function foundIn (issue: Issue): string | undefined {
  return issue.code === 'custom' ? issue.params?.found as string | undefined : undefined
}

/** The options and members that are secrets. */
const SECRET: ReadonlySet<PropertyKey> = new Set(['clientSecret', 'clientAssertion', 'clientCertificate'])

function found (issue: Issue, options: object): string {
  const { path } = issue
  const value = valueAt(path, options)
  if (typeof value === 'string' && value !== '') return foundString(issue, value)
  if (typeof value === 'number' && !path.some((name) => SECRET.has(name))) return String(value)
  if (value === undefined && isGiven(path, options)) return 'undefined: is an environment variable unset?'
  if (value === null && path[0] !== 'issuer') return 'null: leave it out instead'
  if (isThenable(value)) return 'a promise: write await before it'
  if (value instanceof URL) return 'a URL object: write its href'
  return Buffer.isBuffer(value) ? 'a Buffer: write .toString()' : kindOf(value)
}

/** The words for a string. If the option wants another type, the string often comes from an environment variable. */
function foundString (issue: Issue, value: string): string {
  const wanted = leavesOf(issue).flatMap(wantedBy)
  if (wanted.includes('boolean') && /^(true|false)$/.test(value)) {
    return `the string "${value}": leave the quotes out, or write process.env.NAME === "true" for an environment variable`
  }
  if (wanted.includes('number') && value.trim() !== '' && Number.isFinite(Number(value))) {
    return 'a string: leave the quotes out, or write Number(process.env.NAME) for an environment variable'
  }
  const values = leavesOf(issue).flatMap((leaf) => leaf.code === 'invalid_value' ? leaf.values : [])
  const meant = values.find((each) => String(each).toLowerCase() === value.toLowerCase())
  if (meant !== undefined) return `${JSON.stringify(value)}: write ${JSON.stringify(meant)}`
  // A short one, such as HS256, can be meant as it is.
  const near = value.length > 8 ? nearest(value, values.map(String), 3) : undefined
  if (near !== undefined) return `another string: write ${JSON.stringify(near)}`
  if (issue.path[0] === 'algorithms' && /^\w{1,6}$/.test(value)) return JSON.stringify(value)
  return wanted.includes('string') ? 'another string' : 'a string'
}

/** The types of value that would be valid. */
function wantedBy (leaf: Issue): string[] {
  if (leaf.code === 'invalid_value') return leaf.values.map((each) => typeof each)
  if (leaf.code === 'invalid_type') return [leaf.expected]
  return leaf.code === 'invalid_format' ? ['string'] : []
}

/** Was a member written, with no value? */
function isGiven (path: readonly PropertyKey[], options: object): boolean {
  return Object.hasOwn(valueAt(path.slice(0, -1), options) as object, path.at(-1)!)
}

function valueAt (path: readonly PropertyKey[], options: object): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)[key], options)
}
