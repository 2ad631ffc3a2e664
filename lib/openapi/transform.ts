import type { FastifySchema } from 'fastify'
import type { OpenapiOptions, OpenapiTransform, OpenapiTransformInput, OtherTransform } from '../../types/openapi.js'
import { compileGuard, type Guard } from '../access/route-guard.js'
import type { Document, Requirement } from './document.js'
import { parseOpenapiOptions, wrong } from './options.js'
import { withRefusals } from './responses.js'
import { declareScheme, requirementsOf, requirementsWithoutToken } from './security.js'
import { guardIn } from '../access/route-registry.js'

/** The members of a route's schema that the transform reads and adds. */
interface OperationSchema {
  hide?: boolean
  security?: readonly Requirement[]
  response?: Readonly<Record<string, unknown>>
}

/**
 * Says in the document of @fastify/swagger who may call what. Give it to its `transform`:
 *
 * ```ts
 * await app.register(swagger, { openapi: {}, transform: openapi() })
 * await app.register(swagger, { openapi: {}, transform: openapi(jsonSchemaTransform) }) // after a transform of yours
 * ```
 *
 * Adds the scheme `KeycloakAuth` to the document, `security` and the answers 401, 403 and 503 to the routes that need a
 * token; the others get an empty `security`, if the document demands a token of all routes. What you declared stays as it is: your `security`, a scheme of the same name, a response for 401 (or 4xx, or
 * default). A Swagger 2.0 document, which @fastify/swagger makes without its option `openapi`, is left alone.
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

  return (input) => {
    const { schema, url } = transformed(other, input)
    const document = input.openapiObject as Document | undefined
    if (document === undefined) return { schema, url }
    // On every route, the open ones too: your own `security` may name the scheme anywhere.
    declareScheme(document, settings)
    const operation = schema as OperationSchema | undefined
    const guard = guardOf(input.route)
    if (operation?.hide === true || guard === undefined) return { schema, url }
    if (!needsToken(guard)) {
      const security = operation?.security ?? requirementsWithoutToken(document, settings.name, guard.access === 'optional')
      return { schema: security === undefined ? schema : { ...operation, security } as FastifySchema, url }
    }
    const documented: OperationSchema = {
      ...operation,
      security: operation?.security ?? requirementsOf(document, settings.name, guard.scopes),
      response: withRefusals(operation?.response, document, guard)
    }
    return { schema: documented as FastifySchema, url }
  }
}

/** As @fastify/swagger does it: what a transform leaves out is the route's own. */
function transformed (other: OtherTransform | undefined, input: OpenapiTransformInput): { schema: FastifySchema, url: string } {
  const result = (other as OpenapiTransform | undefined)?.(input)
  return { schema: result?.schema || input.schema, url: result?.url || input.url }
}

/**
 * The guard of a route. One that the plugin's onRoute did not see is judged by its config; `undefined` if that says
 * nothing, since the route may be out of the plugin's reach, or is senseless.
 */
function guardOf ({ config, url }: OpenapiTransformInput['route']): Guard | undefined {
  const seen = guardIn(config)
  if (seen !== undefined) return seen
  try {
    const compiled = compileGuard(config, url, true)
    return compiled.access === 'authenticated' && !compiled.ownRule ? undefined : compiled
  } catch {
    return undefined
  }
}

function needsToken ({ access }: Guard): boolean {
  return access === 'authenticated' || access === 'restricted'
}
