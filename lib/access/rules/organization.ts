import type { FastifyRequest } from 'fastify'
import { reasonFor } from '../../reasons/reason.js'
import { kindOf } from '../../util/kind-of.js'
import { isObject, type JsonObject, member } from '../../util/strict-json.js'
import type { Caller } from '../caller.js'
import type { ObjectRule, Rule, RulePlace } from '../rule.js'
import { lightweight } from './lightweight.js'
import { textOf } from './text.js'

const WHAT = 'the alias of an organization, true for any, or { param: "org" } for the one that a parameter of the route names'

const KINDS: Rule['kinds'] = new Set(['organization'])

/** The organization of a rule: in words, and by request. `null`: any; `undefined`: the request names none. */
interface Target {
  text: string
  isFixed: boolean
  aliasOf: (request: FastifyRequest) => string | null | undefined
}

/** `{ organization: 'acme' }`: a member of that organization, also of any (`true`), or of the one in the URL. */
export const organization: ObjectRule = {
  companions: ['role'],
  compile (members, place) {
    const { text, isFixed, aliasOf } = targetOf(members.organization, place)
    const role = Object.hasOwn(members, 'role') ? textOf(members, 'role', 'the name of a role in the organization', place) : undefined
    return {
      text: role === undefined ? `member of ${text}` : `member of ${text} with role ${role}`,
      dependsOnClaimsOnly: isFixed,
      kinds: KINDS,
      scopes: [],
      namedScopes: [],
      check ({ rights: { organizations }, request }) {
        const alias = aliasOf(request)
        if (alias === undefined) return false
        if (role !== undefined) return organizations.hasRole(alias ?? undefined, role)
        return alias === null ? !organizations.isEmpty : organizations.has(alias)
      },
      denial: (caller, rule) => denialOf(caller, rule, aliasOf(caller.request), role)
    } satisfies Rule
  }
}

function targetOf (value: unknown, place: RulePlace): Target {
  if (value === true) return { text: 'an organization', isFixed: true, aliasOf: () => null }
  if (typeof value === 'string' && value !== '') return { text: `organization ${value}`, isFixed: true, aliasOf: () => value }
  if (!isObject(value) || !Object.hasOwn(value, 'param') || Reflect.ownKeys(value).length > 1) throw new TypeError(`${place.name}.organization must be ${WHAT}, not ${kindOf(value)}`)
  const name = textOf({ param: value.param }, 'param', 'the name of a parameter of the route', { ...place, name: `${place.name}.organization` })
  if (!place.parameters().has(name)) throw new TypeError(`${place.name}.organization.param names "${name}", which is no parameter of the URL of the route; ${parametersOf(place)}`)
  return { text: `the organization in :${name}`, isFixed: false, aliasOf: ({ params }) => parameterOf(params, name) }
}

function parametersOf ({ parameters }: RulePlace): string {
  const names = [...parameters()]
  return names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`
}

/** The value of a parameter, which Fastify has decoded; `undefined` for an optional one that is missing, or an empty one. */
function parameterOf (params: unknown, name: string): string | undefined {
  const value = member(params as JsonObject, name)
  return typeof value === 'string' && value !== '' ? value : undefined
}

function denialOf (caller: Caller, rule: string, alias: string | null | undefined, role: string | undefined) {
  const { organizations } = caller.rights
  if (organizations.isEmpty) return lightweight(caller, rule, 'organization') ?? reasonFor('organization_absent', { rule })
  if (alias === undefined || (alias !== null && !organizations.has(alias))) return reasonFor('organization_missing', { rule })
  return reasonFor('organization_role_missing', { rule, role: role! })
}
