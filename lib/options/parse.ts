import { plainCopy } from '../util/members.js'
import { isObject, type JsonObject } from '../util/strict-json.js'
import { explainIssues } from './explain-issue.js'
import { entrySchema, groups, innerGroups, schema, severalSchema } from './schema.js'
import type { Group, Issue, OutputOf } from './schemas.js'
import { FOREIGN_NAMES } from './unknown-option.js'

/** The inner groups by their path: `dpop.nonce`. */
function innerNames (): Array<[string, Group]> {
  return Object.entries(innerGroups).flatMap(([group, inner]) => Object.entries(inner).map(([name, schema]): [string, Group] => [`${group}.${name}`, schema]))
}

/** The names of all options by group, for the advice about an unknown one. */
const known = {
  names: {
    ...Object.fromEntries([...Object.entries(groups), ...innerNames()].map(([group, { members }]) => [group, Object.keys(members)])),
    '': [...new Set([schema, severalSchema].flatMap(({ members }) => Object.keys(members)))]
  },
  foreign: FOREIGN_NAMES
}

/** The names of the options that an entry of `issuers` may have, for the advice about an unknown one. */
const knownInEntry = { ...known, names: { ...known.names, '': Object.keys(entrySchema.members) } }

/** The begin of each sentence. */
const PREFIX = 'fastify-keycloak-bearer: '

/** A plain copy of the options and of their groups, without the members of Object.prototype. */
export function plainOptions (options: unknown): unknown {
  if (!isObject(options)) return options
  const written = plainCopy(options, [...known.names[''], ...knownInEntry.names['']])
  for (const [name, { members }] of Object.entries(groups)) {
    if (isObject(written[name])) written[name] = plainGroup(written[name], name, Object.keys(members))
  }
  return written
}

function plainGroup (group: JsonObject, name: string, members: readonly string[]): JsonObject {
  const copy = plainCopy(group, members)
  for (const [inner, { members }] of Object.entries(innerGroups[name] ?? {})) {
    if (isObject(copy[inner])) copy[inner] = plainCopy(copy[inner], Object.keys(members))
  }
  return copy
}

/**
 * Check options by their schema, and fill in the defaults.
 * @param written a plain copy of the options
 * @param options for the sentences
 * @param entry the entry of `issuers` that has the options, such as `issuers[0]`; `undefined` for the options of the plugin
 * @throws {TypeError}
 */
export function parse<Kind extends Group> (schema: Kind, written: unknown, options: unknown, entry?: string): OutputOf<Kind> {
  const issues: Issue[] = []
  const parsed = schema.read(written, [], issues)
  if (issues.length > 0) {
    const sentence = explainIssues(issues, options, entry === undefined ? known : knownInEntry, ' with issuer at least')
    throw wrong(sentence, entry)
  }
  return parsed as OutputOf<Kind>
}

/** @param sentence begins with `option "…"` or `the options` */
export function wrong (sentence: string, entry?: string): TypeError {
  if (entry === undefined) return new TypeError(PREFIX + sentence)
  return new TypeError(PREFIX + sentence.replace(/^the options/, `option "${entry}"`).replace(/^option "(?!issuers)/, `option "${entry}.`))
}
