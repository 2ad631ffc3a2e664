import type { FastifySchema } from 'fastify'
import type { OpenapiOptions, OpenapiTransform, OpenapiTransformInput, OtherTransform } from '../../types/openapi.js'
import { compileGuard, type Guard } from '../access/route-guard.js'
import type { Document, Requirement } from './document.js'
import { parseOpenapiOptions, wrong } from './options.js'
import { withRefusals } from './responses.js'
import { admittedBy, declareSchemes, schemesOf, withDpop } from './schemes.js'
import { requirementsOf, requirementsWithoutToken } from './security.js'
import { guardIn } from '../access/route-registry.js'
import type { Scheme } from '../token/credentials.js'
import { schemesTaken } from '../options/confirmation-rules.js'

/** The members of a route's schema that the transform reads and adds. */
interface OperationSchema {
  hide?: boolean
  security?: readonly Requirement[]
  response?: Readonly<Record<string, unknown>>
}

/**
 * Makes a `transform` for @fastify/swagger that documents who may call which route:
 *
 * ```ts
 * await app.register(swagger, { openapi: {}, transform: openapi() })
 * await app.register(swagger, { openapi: {}, transform: openapi(jsonSchemaTransform) }) // after a transform of yours
 * ```
 *
 * It adds the scheme `KeycloakAuth` to the document (for several issuers with a login, one scheme for each; with the option
 * `dpop` also `KeycloakAuth-DPoP`), and `security` and the answers 401, 403 and 503 to the routes that need
 * a token. The other routes get an empty `security` if the document demands a token of all routes. Your own declarations stay:
 * `security`, a scheme of the same name, a response for 401 (or 4xx, or default). A Swagger 2.0 document, which
 * @fastify/swagger makes without its option `openapi`, is not changed.
 * @param other a transform to run first
 * @throws {TypeError} for a wrong or unknown option
 */
export function openapi (other: OpenapiTransform, options?: OpenapiOptions): OpenapiTransform
export function openapi (other: OtherTransform | undefined, options?: OpenapiOptions): OpenapiTransform
export function openapi (options?: OpenapiOptions): OpenapiTransform
export function openapi (first?: OtherTransform | OpenapiOptions, second?: OpenapiOptions): OpenapiTransform {
  const composes = typeof first === 'function' || first === undefined
  if (!composes && second !== undefined) throw wrong('the transform comes first, then the options')
  const [other, settings] = composes ? [first, parseOpenapiOptions(second)] : [undefined, parseOpenapiOptions(first)]
  const plain = schemesOf(settings)
  const all = withDpop(plain, settings)

  return (input) => {
    const { schema, url } = transformed(other, input)
    const document = input.openapiObject as Document | undefined
    if (document === undefined) return { schema, url }
    // Declared even if all routes are open, because the user's own `security` may name the scheme.
    const guard = guardOf(input.route)
    const schemes = guard?.confirmation?.dpop === true ? all : plain
    declareSchemes(document, schemes)
    const operation = schema as OperationSchema | undefined
    if (operation?.hide === true || guard === undefined) return { schema, url }
    if (!needsToken(guard)) {
      const security = operation?.security ?? requirementsWithoutToken(document, schemes, guard.access === 'optional')
      return { schema: security === undefined ? schema : { ...operation, security } as FastifySchema, url }
    }
    const documented: OperationSchema = {
      ...operation,
      security: operation?.security ?? requirementsOf(document, schemes, admittedBy(schemes, takenBy(guard), guard.issuers), guard.scopes),
      response: withRefusals(operation?.response, document, guard)
    }
    return { schema: documented as FastifySchema, url }
  }
}

/** The schema and URL after the other transform. As in @fastify/swagger, a member that it leaves out is the route's own. */
function transformed (other: OtherTransform | undefined, input: OpenapiTransformInput): { schema: FastifySchema, url: string } {
  const result = (other as OpenapiTransform | undefined)?.(input)
  return { schema: result?.schema || input.schema, url: result?.url || input.url }
}

/**
 * The guard of a route. If the plugin's onRoute hook did not see the route, its config is compiled here; `undefined` if the
 * config has no rule, because the plugin may not guard the route, or if it has a mistake.
 */
function guardOf ({ config, url }: OpenapiTransformInput['route']): Guard | undefined {
  const seen = guardIn(config)
  if (seen !== undefined) return seen
  try {
    const compiled = compileGuard(config, { name: url, url }, true)
    return compiled.access === 'authenticated' && !compiled.ownRule ? undefined : compiled
  } catch {
    return undefined
  }
}

/** The schemes by which tokens come to a route; Bearer, if the plugin has not seen it. */
function takenBy ({ confirmation, senderConstrained }: Guard): readonly Scheme[] {
  return confirmation === undefined ? ['Bearer'] : schemesTaken(confirmation, senderConstrained)
}

function needsToken ({ access }: Guard): boolean {
  return access === 'authenticated' || access === 'restricted'
}
