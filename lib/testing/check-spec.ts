import { isObject } from '../json.js'
import { kindOf } from '../permissions.js'
import { nearest } from '../spelling.js'
import type { TokenSpec } from './tokens.js'

type Rule = [is: (value: unknown) => boolean, what: string]

const text: Rule = [value => typeof value === 'string', 'a string']
const flag: Rule = [value => typeof value === 'boolean', 'true or false']
const seconds: Rule = [Number.isFinite, 'a number of seconds']
const object: Rule = [isObject, 'an object']
const list: Rule = [value => Array.isArray(value) && value.every(text[0]), 'an array of strings']

/** A table: what a token may be asked for. `kind` and `alg` are judged by what looks them up. */
const MEMBERS: Readonly<Record<keyof TokenSpec, Rule>> = {
  username: text,
  sub: text,
  roles: list,
  realmRoles: list,
  scope: text,
  claims: object,
  header: object,
  kind: text,
  alg: text,
  expired: flag,
  expiresIn: seconds,
  age: seconds,
  forged: flag,
  kid: [value => value === null || text[0](value), 'a string or null']
}

const NAMES = Object.keys(MEMBERS)

/**
 * Tests are often JavaScript, where a misspelled `role` would make a token without roles, and a test that passes for it.
 * @throws {TypeError} one sentence that names what is wrong
 */
export function checkSpec (spec: unknown): asserts spec is TokenSpec {
  if (!isObject(spec)) {
    throw new TypeError(`TestRealm.token() takes an object such as { username: 'bob', roles: ['admin'] }, not ${kindOf(spec)}.`)
  }
  for (const [name, value] of Object.entries(spec)) {
    if (!Object.hasOwn(MEMBERS, name)) throw new TypeError(`TestRealm.token(): "${name}" is unknown; ${advice(name)}.`)
    const [is, what] = MEMBERS[name as keyof TokenSpec]
    if (value !== undefined && !is(value)) throw new TypeError(`TestRealm.token(): ${name} must be ${what}, not ${kindOf(value)}.`)
  }
}

function advice (name: string): string {
  const meant = nearest(name, NAMES, Math.floor(name.length / 3))
  return meant === undefined ? `write one of ${NAMES.join(', ')}; a claim goes into claims` : `write "${meant}"`
}
