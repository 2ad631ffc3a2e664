import type { z } from 'zod'
import { kindOf } from '../util/kind-of.js'
import { isThenable } from '../util/maybe-promise.js'
import { isObject } from '../util/strict-json.js'
import { type Known, unknownOption } from './unknown-option.js'

type Issue = z.core.$ZodIssue

/**
 * Zod's issues in one sentence that names the option, what it must be, and what it is. The messages of a schema complete
 * "… must be"; an issue with `params.found` says itself what was found.
 *
 * No value is shown but numbers, what looks like an algorithm and what nobody would call a secret: anything else could
 * be one in the wrong place.
 * @param needed what else to say of options that are no object
 */
export function sentence (issues: readonly Issue[], options: unknown, known: Known, needed = ''): string {
  if (!isObject(options)) return `the options must be an object${needed}, not ${kindOf(options)}`
  if (isThenable(options)) return `the options must be an object${needed}, not a promise: write await before it`
  // A misspelled key explains a missing one: name it first.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? telling(issues[0]!, options)
  if (issue.code === 'unrecognized_keys') return unknownOption(issue.keys[0]!, issue.path, known)
  return `option "${issue.path.join('.')}" must be ${issue.message}, not ${foundIn(issue) ?? found(issue, options)}`
}

/** Where several things may stand: what is wrong within the one that stands there, or with it. */
function telling (issue: Issue, options: object): Issue {
  const leaves = leavesOf(issue)
  const within = typeof valueAt(issue.path, options) === 'object' ? leaves.find(({ path }) => path.length > issue.path.length) : undefined
  if (within !== undefined) return within
  const saying = leaves.find((leaf) => foundIn(leaf) !== undefined)
  return saying === undefined ? issue : { ...saying, message: issue.message }
}

/** The issues of a union, those of unions within it too, with their whole paths; of another issue, itself. */
function leavesOf (issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  return issue.errors.flat().flatMap((inner) => leavesOf({ ...inner, path: [...issue.path, ...inner.path] }))
}

function foundIn (issue: Issue): string | undefined {
  return issue.code === 'custom' ? issue.params?.found as string | undefined : undefined
}

function found (issue: Issue, options: object): string {
  const { path } = issue
  const value = valueAt(path, options)
  if (typeof value === 'string' && value !== '') return foundString(issue, value)
  if (typeof value === 'number' && path[0] !== 'clientSecret') return String(value)
  if (value === null && path[0] !== 'issuer') return 'null: leave it out instead'
  if (isThenable(value)) return 'a promise: write await before it'
  if (value instanceof URL) return 'a URL object: write its href'
  return Buffer.isBuffer(value) ? 'a Buffer: write .toString()' : kindOf(value)
}

/** A string where something else is wanted often comes from an environment variable. */
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
  if (issue.path[0] === 'algorithms' && /^\w{1,6}$/.test(value)) return JSON.stringify(value)
  return wanted.includes('string') ? 'another string' : 'a string'
}

/** What kind of value would have been right. */
function wantedBy (leaf: Issue): string[] {
  if (leaf.code === 'invalid_value') return leaf.values.map((each) => typeof each)
  if (leaf.code === 'invalid_type') return [leaf.expected]
  return leaf.code === 'invalid_format' ? ['string'] : []
}

function valueAt (path: readonly PropertyKey[], options: object): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)[key], options)
}
