import { kindOf } from '../util/kind-of.js'
import { isThenable } from '../util/maybe-promise.js'
import { memberOf, withoutPrototype } from '../util/members.js'
import { nearest } from '../util/spelling.js'
import { isObject } from '../util/strict-json.js'
import type { Issue } from './schemas.js'
import { type KnownOptions, unknownOption } from './unknown-option.js'

/**
 * Issues in one sentence with the option, its valid values, and its value: `option "leeway" must be a number of seconds, 0 or
 * more, not -1`.
 *
 * The only values that are shown are numbers, names of algorithms, and strings that cannot be a secret: any other value could
 * be a secret in the wrong place.
 * @param needed the words that complete "the options must be an object", such as " with issuer at least"
 */
export function explainIssues (issues: readonly Issue[], options: unknown, known: KnownOptions, needed = ''): string {
  if (!isObject(options)) return `the options must be an object${needed}, not ${kindOf(options)}`
  if (isThenable(options)) return `the options must be an object${needed}, not a promise: write await before it`
  // A misspelled key is named first, because it explains a missing one.
  const issue = issues.find(isUnknown) ?? mostSpecific(issues[0]!, options)
  if (issue.unknown !== undefined) return unknownOption(issue.unknown, issue.path, known)
  return `option "${issue.path.join('.')}" must be ${issue.message}, not ${issue.found ?? found(issue, options)}`
}

function isUnknown ({ unknown }: Issue): boolean {
  return unknown !== undefined
}

/** The most specific issue of several forms: one within the value that was given, or one that has words for that value. */
function mostSpecific (issue: Issue, options: object): Issue {
  const leaves = leavesOf(issue)
  const value = valueAt(issue.path, options)
  const misspelled = value instanceof URL ? undefined : leaves.find(isUnknown)
  if (misspelled !== undefined) return misspelled
  const within = typeof value === 'object' && !(value instanceof URL) ? deepest(leaves.filter(({ path }) => path.length > issue.path.length)) : undefined
  if (within !== undefined) return within
  const saying = leaves.find(({ found }) => found !== undefined)
  return saying === undefined ? issue : withoutPrototype({ ...saying, message: issue.message })
}

/** The issue that lies deepest, and of several the one that has words for the value. */
function deepest (issues: readonly Issue[]): Issue | undefined {
  const depth = Math.max(...issues.map(({ path }) => path.length))
  const candidates = issues.filter(({ path }) => path.length === depth)
  return candidates.find(({ found }) => found !== undefined) ?? candidates.at(0)
}

/** The issues of all forms, and of forms within them; for another issue, the issue itself. */
function leavesOf (issue: Issue): Issue[] {
  return issue.alternatives?.flatMap(leavesOf) ?? [issue]
}

/** The options and members that are secrets, or hold one: `secret` is that of `dpop.nonce`. */
const SECRET: ReadonlySet<PropertyKey> = new Set(['clientSecret', 'clientAssertion', 'clientCertificate', 'secret'])

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
  const values = leavesOf(issue).flatMap(({ values = [] }) => values)
  const meant = values.find((each) => String(each).toLowerCase() === value.toLowerCase())
  if (meant !== undefined) return `${JSON.stringify(value)}: write ${JSON.stringify(meant)}`
  // A short one, such as HS256, can be meant as it is.
  const near = value.length > 8 ? nearest(value, values.map(String), 3) : undefined
  if (near !== undefined) return `another string: write ${JSON.stringify(near)}`
  if (issue.path[0] === 'algorithms' && /^\w{1,6}$/.test(value)) return JSON.stringify(value)
  return wanted.includes('string') ? 'another string' : 'a string'
}

/** The types of value that would be valid. */
function wantedBy ({ types = [], values = [] }: Issue): string[] {
  return [...types, ...values.map((each) => typeof each)]
}

/** Was a member written, with no value? */
function isGiven (path: readonly PropertyKey[], options: object): boolean {
  return Object.hasOwn(valueAt(path.slice(0, -1), options) as object, path.at(-1)!)
}

function valueAt (path: readonly PropertyKey[], options: object): unknown {
  return path.reduce<unknown>((inner, key) => memberOf(inner as object, key), options)
}
