// The schemas that options are made of. Own code, because the import of zod took a third of the plugin's start. valibot loads in 3 ms, but
// takes an array for an object, drops members called "constructor", has no sentence of its own for a missing member, and reads members of a
// polluted Object.prototype: the code around it would be as long as this file.
import { withoutPrototype } from '../util/members.js'
import { hasSymbols, isPlain } from '../util/plain-object.js'
import { isObject } from '../util/strict-json.js'

type Path = readonly PropertyKey[]

/** A fault of a value that has the right type. */
export interface Fault {
  /** The words for the value itself, if it has some. */
  found?: string | undefined
  /** The member of an object that is to blame. */
  member?: string
  /** Another message than that of the check. */
  message?: string | undefined
  /** The types that would be valid. */
  types?: readonly string[]
}

/** A fault in the options. */
export interface Issue extends Omit<Fault, 'member' | 'message'> {
  path: Path
  /** Completes "option … must be". */
  message: string
  /** The values that would be valid. */
  values?: readonly unknown[]
  /** The name of a member that the object must not have. */
  unknown?: string
  /** The issues of all forms that the value may have, and has none of. */
  alternatives?: readonly Issue[]
  /** Has the value the right type, so that other checks can say more about it? */
  isTyped?: boolean
}

/** The form of a value. Messages complete "option … must be". */
export interface Schema<Output> {
  /** @returns the value with its defaults, which is of no use if issues were added */
  read: (value: unknown, path: Path, issues: Issue[]) => Output
}

/** The form of an object. */
export interface Group<Members extends Readonly<Record<string, Schema<unknown>>> = Readonly<Record<string, Schema<unknown>>>> extends Schema<MembersOf<Members>> {
  members: Members
}

/** The type of the values that a schema makes. */
export type OutputOf<Kind> = Kind extends Schema<infer Output> ? Output : never

type MembersOf<Members> = Flat<{
  [name in keyof Members as undefined extends OutputOf<Members[name]> ? never : name]: OutputOf<Members[name]>
} & {
  [name in keyof Members as undefined extends OutputOf<Members[name]> ? name : never]?: OutputOf<Members[name]>
}>

type Flat<Type> = { [name in keyof Type]: Type[name] }

/** An issue has no member of a polluted Object.prototype. */
function report (issues: Issue[], issue: Issue): void {
  issues.push(withoutPrototype(issue))
}

/** A value that passes a test. */
export function valueThat<Output> (isGood: (value: unknown) => boolean, message: string, valid: Pick<Issue, 'types' | 'values'> = {}): Schema<Output> {
  return {
    read (value, path, issues) {
      if (!isGood(value)) report(issues, { path, message, ...valid })
      return value as Output
    }
  }
}

export const string = (message: string): Schema<string> => valueThat((value) => typeof value === 'string', message, { types: ['string'] })
export const boolean = (message: string): Schema<boolean> => valueThat((value) => typeof value === 'boolean', message, { types: ['boolean'] })
export const number = (message: string): Schema<number> => valueThat(Number.isFinite, message, { types: ['number'] })
export const integer = (message: string): Schema<number> => valueThat(Number.isSafeInteger, message, { types: ['number'] })

/** One of some values. */
export function oneOf<const Values extends readonly unknown[]> (values: Values, message: string): Schema<Values[number]> {
  return valueThat((value) => values.includes(value), message, { values })
}

/** A schema with one more check of values that have the right type. */
export function checked<Output> (schema: Schema<Output>, message: string, faultOf: (value: Output) => Fault | undefined): Schema<Output> {
  return {
    read (value, path, issues) {
      const before = issues.length
      const output = schema.read(value, path, issues)
      const fault = issues.slice(before).every(({ isTyped }) => isTyped === true) ? faultOf(output) : undefined
      if (fault !== undefined) {
        const { member, message: other = message, ...rest } = withoutPrototype(fault)
        report(issues, { ...rest, path: member === undefined ? path : [...path, member], message: other, isTyped: true })
      }
      return output
    }
  }
}

/** A schema whose valid values are turned into others. */
export function made<Input, Output> (schema: Schema<Input>, make: (value: Input) => Output): Schema<Output> {
  return {
    read (value, path, issues) {
      const own: Issue[] = []
      const output = schema.read(value, path, own)
      for (const issue of own) report(issues, { ...issue, isTyped: false })
      return own.length === 0 ? make(output) : undefined as Output
    }
  }
}

/**
 * A value that may be left out.
 * @param byDefault stands for it then; a function makes a new one each time
 */
export function optional<Output> (schema: Schema<Output>): Schema<Output | undefined>
export function optional<Output> (schema: Schema<Output>, byDefault: NoInfer<Output> | (() => NoInfer<Output>)): Schema<Output>
export function optional<Output> (schema: Schema<Output>, byDefault?: Output | (() => Output)): Schema<Output | undefined> {
  const makeDefault = typeof byDefault === 'function' ? byDefault as () => Output : () => byDefault
  return { read: (value, path, issues) => value === undefined ? makeDefault() : schema.read(value, path, issues) }
}

/** An array of at least so many items. A hole in it is no item, whatever its class or a polluted prototype has in that place. */
export function list<Item> (item: Schema<Item>, message: string, least = 0): Schema<Item[]> {
  return {
    read (value, path, issues) {
      const isList = Array.isArray(value)
      const length = isList ? value.length : 0
      if (!isList || length < least) report(issues, { path, message, isTyped: isList })
      return Array.from({ length }, (_none, at) => item.read(Object.hasOwn(value as object, at) ? (value as unknown[])[at] : undefined, [...path, at], issues))
    }
  }
}

/** An object of any members, each of which has a key and a value of this form. */
export function record<Item> (key: Schema<string>, item: Schema<Item>, message: string): Schema<Record<string, Item>> {
  return {
    read (value, path, issues) {
      if (!isPlain(value)) report(issues, { path, message })
      else if (hasSymbols(value)) report(issues, { path, message, found: 'one with a symbol among its keys', isTyped: true })
      return withoutPrototype(Object.fromEntries(isPlain(value)
        ? Object.entries(value).map(([name, each]) => [key.read(name, [...path, name], issues), item.read(each, [...path, name], issues)])
        : []))
    }
  }
}

/**
 * An object with these members and no others.
 * @param others may it have others, which are not read?
 */
export function group<Members extends Readonly<Record<string, Schema<unknown>>>> (members: Members, message: string, others = false): Group<Members> {
  return {
    members,
    read (value, path, issues) {
      const output = withoutPrototype({}) as Record<string, unknown>
      if (!isObject(value)) {
        report(issues, { path, message })
        return output as MembersOf<Members>
      }
      for (const [name, schema] of Object.entries(members)) {
        const member = schema.read(value[name], [...path, name], issues)
        if (member !== undefined) output[name] = member
      }
      const unknown = others ? undefined : Object.keys(value).find((name) => !Object.hasOwn(members, name))
      if (unknown !== undefined) report(issues, { path, message, unknown })
      return output as MembersOf<Members>
    }
  }
}

/** A value of one of some forms. If it has the type of exactly one of them, its issues are those of that one. */
export function either<Forms extends ReadonlyArray<Schema<unknown>>> (forms: Forms, message: string): Schema<OutputOf<Forms[number]>> {
  return {
    read (value, path, issues) {
      const failed: Issue[][] = []
      for (const form of forms) {
        const own: Issue[] = []
        const output = form.read(value, path, own)
        if (own.length === 0) return output as OutputOf<Forms[number]>
        failed.push(own)
      }
      const typed = failed.filter((own) => own.every(({ isTyped }) => isTyped === true))
      if (typed.length === 1) issues.push(...typed[0]!)
      else report(issues, { path, message, alternatives: failed.flat() })
      return undefined as OutputOf<Forms[number]>
    }
  }
}

/** An object of a schema with the defaults of its members that are not given, which must be valid. */
export function filledIn<Output> (schema: Schema<Output>, members: object = {}): Output {
  return schema.read(withoutPrototype(members), [], [])
}
