import { kindOf } from '../../util/kind-of.js'
import { shown } from '../../util/shown.js'
import { type JsonObject, member } from '../../util/strict-json.js'

/** Scopes of one resource of Keycloak's Authorization Services. */
export interface UmaPermission {
  /** Its name or its id. */
  readonly resource: string
  /** All of them are needed; none for a resource that has no scopes. */
  readonly scopes: readonly string[]
  /** The rule that asks for it, in words that may stand in a log. */
  readonly rule: string
}

/** A permission whose resource may have parameters of the route in it. */
export interface PermissionTemplate {
  /** @returns `undefined` if a parameter cannot be part of a resource */
  fill: (params: unknown) => UmaPermission | undefined
}

const WHAT = 'a resource and its scopes in Keycloak, such as "invoice#write" or "invoice:{id}#read,write"'

/** Characters of the longest name in Keycloak. */
const MAX_LENGTH = 255

/** Keycloak asks for all resources of a type, or of an owner, by such a name: `resource-type:…`, `resource-type-owner:…`. */
const TYPE = /^resource-type/i

/** Control characters and halves of characters: Keycloak or its database may refuse them by a 500, which would count as an outage. */
// eslint-disable-next-line no-control-regex
const UNFIT = /[\u0000-\u001f\u007f\ud800-\udfff]/u

const PARAMETER = /\{([^{}]*)\}/

/**
 * @param name of the value in error messages
 * @param parameters the names in the URL of the route
 * @throws {TypeError} for a text that is no permission
 */
export function compilePermission (text: unknown, name: string, parameters: () => ReadonlySet<string>): PermissionTemplate {
  const { resource, scopes } = parsed(text, name)
  const rule = shown(text) ?? 'one that cannot be shown'
  // Every second part is the name of a parameter.
  const parts = resource.split(PARAMETER)
  if (parts.some((part, at) => at % 2 === 0 && /[{}]/.test(part))) throw wrong(name, 'one with a brace that encloses no parameter of the route')
  for (const parameter of parts.filter((_part, at) => at % 2 === 1)) {
    if (!parameters().has(parameter)) throw new TypeError(`${name} names the parameter {${parameter}}, which is none of the URL of the route; ${listed(parameters())}`)
  }
  return {
    fill (params) {
      const values = parts.map((part, at) => at % 2 === 0 ? part : valueOf(params, part))
      if (values.includes(undefined)) return undefined
      const filled = values.join('')
      return fits(filled) ? { resource: filled, scopes, rule } : undefined
    }
  }
}

/** The permission as Keycloak reads it. */
export function textOf ({ resource, scopes }: Pick<UmaPermission, 'resource' | 'scopes'>): string {
  return scopes.length === 0 ? resource : `${resource}#${scopes.join(',')}`
}

function parsed (text: unknown, name: string): Pick<UmaPermission, 'resource' | 'scopes'> {
  if (typeof text !== 'string') throw wrong(name, kindOf(text))
  const [resource, list, ...others] = text.split('#')
  if (list === undefined) throw wrong(name, 'one without "#", after which its scopes stand; a resource without scopes is "dashboard#"')
  if (others.length > 0) throw wrong(name, 'one with more than one "#"')
  if (resource === '') throw wrong(name, 'one without a resource, which would be any resource')
  if (!fits(resource!)) throw wrong(name, `one whose resource has a comma, a control character, more than ${MAX_LENGTH} characters, or begins with "resource-type", which stands for many resources`)
  const scopes = list === '' ? [] : list.split(',')
  if (!scopes.every(isScope)) throw wrong(name, 'one whose scopes are empty, have blanks around them, braces or control characters; write "read,write"')
  return { resource: resource!, scopes: [...new Set(scopes)] }
}

function isScope (scope: string): boolean {
  return scope !== '' && scope === scope.trim() && !/[{}]/.test(scope) && !UNFIT.test(scope)
}

function fits (resource: string): boolean {
  return resource.length <= MAX_LENGTH && !TYPE.test(resource) && !resource.includes(',') && !UNFIT.test(resource)
}

/** A parameter of the request, decoded once by the router; a whole number if a schema has made one of it. */
function valueOf (params: unknown, name: string): string | undefined {
  const value = member(params as JsonObject, name)
  if (Number.isSafeInteger(value)) return String(value)
  return typeof value === 'string' && value !== '' && !value.includes('#') && fits(value) ? value : undefined
}

function listed (parameters: ReadonlySet<string>): string {
  return parameters.size === 0 ? 'it has none' : `it has ${[...parameters].map((name) => `{${name}}`).join(', ')}`
}

function wrong (name: string, found: string): TypeError {
  return new TypeError(`${name} must be ${WHAT}, not ${found}`)
}
