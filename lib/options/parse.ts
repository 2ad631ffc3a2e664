import type { z } from 'zod'
import { plainCopy, withoutPrototype } from '../util/members.js'
import { isObject, type JsonObject } from '../util/strict-json.js'
import { explainIssues } from './explain-issue.js'
import { entrySchema, groups, innerGroups, schema, severalSchema } from './schema.js'
import { FOREIGN_NAMES } from './unknown-option.js'

/** The inner groups by their path: `dpop.nonce`. */
function innerNames (): Array<[string, z.ZodObject]> {
  return Object.entries(innerGroups).flatMap(([group, inner]) => Object.entries(inner).map(([name, schema]): [string, z.ZodObject] => [`${group}.${name}`, schema]))
}

/** The names of all options by group, for the advice about an unknown one. */
const known = {
  names: {
    ...Object.fromEntries([...Object.entries(groups), ...innerNames()].map(([group, { shape }]) => [group, Object.keys(shape)])),
    '': [...new Set([schema, severalSchema].flatMap(({ shape }) => Object.keys(shape)))]
  },
  foreign: FOREIGN_NAMES
}

/** The names of the options that an entry of `issuers` may have, for the advice about an unknown one. */
const knownInEntry = { ...known, names: { ...known.names, '': Object.keys(entrySchema.shape) } }

/** The begin of each sentence. */
const PREFIX = 'fastify-keycloak-bearer: '

/** A plain copy of the options and of their groups, without the members of Object.prototype. */
export function plainOptions (options: unknown): unknown {
  if (!isObject(options)) return options
  const written = plainCopy(options, [...known.names[''], ...knownInEntry.names['']])
  for (const [name, { shape }] of Object.entries(groups)) {
    if (isObject(written[name])) written[name] = plainGroup(written[name], name, Object.keys(shape))
  }
  return written
}

function plainGroup (group: JsonObject, name: string, members: readonly string[]): JsonObject {
  const copy = plainCopy(group, members)
  for (const [inner, { shape }] of Object.entries(innerGroups[name] ?? {})) {
    if (isObject(copy[inner])) copy[inner] = plainCopy(copy[inner], Object.keys(shape))
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
export function parse<Schema extends z.ZodObject> (schema: Schema, written: unknown, options: unknown, entry?: string): z.output<Schema> {
  const parsed = schema.safeParse(written)
  if (!parsed.success) {
    const sentence = explainIssues(parsed.error.issues, options, entry === undefined ? known : knownInEntry, ' with issuer at least')
    throw wrong(sentence, entry)
  }
  // No member of a polluted Object.prototype is an option.
  return withoutPrototype(parsed.data)
}

/** @param sentence begins with `option "…"` or `the options` */
export function wrong (sentence: string, entry?: string): TypeError {
  if (entry === undefined) return new TypeError(PREFIX + sentence)
  return new TypeError(PREFIX + sentence.replace(/^the options/, `option "${entry}"`).replace(/^option "(?!issuers)/, `option "${entry}.`))
}
