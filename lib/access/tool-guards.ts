import { kindOf } from '../util/kind-of.js'
import { plainCopy } from '../util/members.js'
import { MAX_SOUND, soundOf } from '../util/spelling.js'
import { isObject, type JsonObject } from '../util/strict-json.js'
import type { ThrowRouteError } from './route-config.js'
import type { RuleGuard } from './rule-guard.js'

/** The rule of a tool. */
export interface ToolGuard {
  readonly name: string
  readonly guard: RuleGuard
}

/** `config.mcp` after the checks. */
export interface McpGuard {
  /** `undefined` if the rule of the route is enough for all tools. */
  readonly tools: ToolGuards | undefined
}

/** The members of a tool's rule: those of a route's config that a single tool can have. */
const MEMBERS = ['permission', 'scope', 'issuer', 'acr', 'maxAge', 'authenticated', 'public']

/** The name that stands for all tools without a rule of their own. */
const OTHERS = '*'

const WHAT = 'true, or { tools: { "write-note": "notes:write" } }'
const RULE = 'a scope, an array of scopes, an object with permission, scope, issuer, acr, maxAge, authenticated or public, or false'

/** The rules of the tools of a route. */
export class ToolGuards {
  readonly #byName: ReadonlyMap<string, ToolGuard>
  readonly #bySound = new Map<string, ToolGuard[]>()
  readonly #others: readonly ToolGuard[]

  constructor (guards: ReadonlyMap<string, ToolGuard>) {
    this.#byName = guards
    for (const [name, guard] of guards) {
      const sound = soundOf(name)
      this.#bySound.set(sound, [...this.#bySound.get(sound) ?? [], guard])
    }
    const others = guards.get(OTHERS)
    this.#others = others === undefined ? [] : [others]
  }

  /**
   * The rules for a call: of a name that looks like one with a rule, that rule, because the server may take the one for the other.
   * @returns an empty list if the rule of the route is enough
   */
  of (name: string): readonly ToolGuard[] {
    const own = this.#byName.get(name)
    if (own !== undefined) return [own]
    return this.#bySound.get(soundOf(name)) ?? this.#others
  }

  /** The rules in words, by the names of tools. */
  list (): Record<string, string> {
    return Object.fromEntries(Array.from(this.#byName.values(), ({ name, guard }) => [name, inWords(guard)]))
  }

  /** All of them. */
  all (): Iterable<ToolGuard> {
    return this.#byName.values()
  }
}

/** The rule of a tool in words. */
export function inWords ({ text, access }: RuleGuard): string {
  return text ?? (access === 'optional' ? 'public' : 'authenticated')
}

/** A rule for `false`. */
const nobody = (): boolean => false

/**
 * `config.mcp`.
 * @param compile compiles the rule of a tool as the config of a route with this name in errors
 * @throws {TypeError} for a value that is not a rule, and for a tool that could not be found by its name
 */
export function compileMcp (mcp: unknown, fail: ThrowRouteError, compile: (config: JsonObject, name: string) => RuleGuard): McpGuard {
  if (mcp === true) return { tools: undefined }
  if (!isObject(mcp)) fail(`config.mcp must be ${WHAT}, not ${kindOf(mcp)}`)
  const { tools, ...others } = plainCopy(mcp as object, ['tools'])
  const stranger = Object.keys(others)[0]
  if (stranger !== undefined) fail(`config.mcp.${stranger} is not known; write config.mcp: ${WHAT}`)
  if (!isObject(tools)) fail(`config.mcp.tools must be an object of names and rules, such as { "write-note": "notes:write" }, not ${kindOf(tools)}`)
  const rules = tools as JsonObject
  if (![Object.prototype, null].includes(Object.getPrototypeOf(rules))) fail('config.mcp.tools must be a plain object, because an inherited rule would not count')
  const names = Reflect.ownKeys(rules)
  if (names.length === 0 || names.includes('')) fail(`config.mcp.tools must have a rule for each name, such as { "write-note": "notes:write" }, not ${names.length === 0 ? 'an empty object' : 'an empty name'}`)
  const guards = names.map((key) => {
    if (typeof key !== 'string') return fail('config.mcp.tools has a symbol, which is the name of no tool')
    if (key.length > MAX_SOUND) return fail(`config.mcp.tools has a name of more than ${MAX_SOUND} characters, and calls by such names are refused; give the tool a shorter one`)
    const where = `config.mcp.tools[${JSON.stringify(key)}]`
    return [key, { name: key, guard: compile(configOf(rules[key], where, fail), where) }] as const
  })
  return { tools: new ToolGuards(new Map(guards)) }
}

/** The rule of a tool as the config of a route. */
function configOf (rule: unknown, where: string, fail: ThrowRouteError): JsonObject {
  if (rule === false) return { permission: nobody }
  if (typeof rule === 'string' || Array.isArray(rule)) return { scope: rule }
  if (!isObject(rule)) return fail(`${where} must be ${RULE}, not ${kindOf(rule)}`)
  const members = plainCopy(rule, MEMBERS)
  const stranger = Object.keys(members).find((key) => !MEMBERS.includes(key))
  if (stranger !== undefined) fail(`${where}.${stranger} is not known; the rule must be ${RULE}`)
  if (Object.keys(members).length === 0) fail(`${where} must be ${RULE}, not an object without a rule`)
  return members
}
