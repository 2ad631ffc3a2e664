// Who may read which field: directives in the schema, which the resolvers of the schema are wrapped with.
import type { FastifyRequest } from 'fastify'
import { KeycloakError } from 'fastify-keycloak-bearer'
import {
  defaultFieldResolver, type DirectiveNode, getDirectiveValues, type GraphQLField, type GraphQLInterfaceType, type GraphQLObjectType, type GraphQLSchema,
  isObjectType
} from 'graphql'
import type { MercuriusContext } from 'mercurius'

/** A field of Query, Mutation or Subscription needs a token unless it is `@public`. All roles of `@permission` are needed. */
export const directives = `
  directive @public on FIELD_DEFINITION
  directive @permission(roles: [String!]!) on FIELD_DEFINITION | OBJECT | INTERFACE
`

declare module 'mercurius' {
  interface MercuriusContext {
    request: FastifyRequest
  }
}

type Field = GraphQLField<unknown, MercuriusContext>

/**
 * Wraps the resolvers of all fields that are not open, so that it does not matter by which way a query reaches a field.
 * @throws {TypeError} for directives that contradict each other
 */
export function guardFields (schema: GraphQLSchema): void {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue
    for (const field of Object.values(type.getFields()) as Field[]) {
      const isPublic = field.astNode?.directives?.some(({ name }) => name.value === 'public') ?? false
      const roles = rolesOf(schema, type, field.name)
      if (isPublic && (roles.length > 0 || !roots.includes(type))) throw new TypeError(`${type.name}.${field.name} is @public, and has @permission or is no field of Query, Mutation or Subscription`)
      if (roles.length > 0 || (roots.includes(type) && !isPublic)) guardField(field, roles)
    }
  }
}

/** The roles that a field demands, by itself, its type, and their interfaces, whose directives GraphQL does not inherit. */
function rolesOf (schema: GraphQLSchema, type: GraphQLObjectType, name: string): string[] {
  const places: Array<GraphQLObjectType | GraphQLInterfaceType> = [type, ...type.getInterfaces()]
  const nodes = places.flatMap((place) => [place.astNode, ...place.extensionASTNodes, place.getFields()[name]?.astNode])
  return nodes.flatMap((node) => {
    const values = node && getDirectiveValues(schema.getDirective('permission')!, node as { directives?: readonly DirectiveNode[] })
    if (values == null) return []
    // Without a role it would demand nothing.
    if ((values.roles as string[]).length === 0) throw new TypeError(`@permission of ${type.name}.${name} names no role`)
    return values.roles as string[]
  })
}

function guardField (field: Field, roles: string[]): void {
  const { resolve = defaultFieldResolver, subscribe = defaultFieldResolver } = field
  field.resolve = (source, args, context, info) => {
    requireAccess(context, roles)
    return resolve(source, args, context, info)
  }
  // Before the subscription begins; `resolve` looks again at each event.
  field.subscribe = (source, args, context, info) => {
    requireAccess(context, roles)
    return subscribe(source, args, context, info)
  }
}

function requireAccess ({ request }: MercuriusContext, roles: string[]): void {
  if (request.user === null) throw new KeycloakError('not_authenticated', 'the field needs a token')
  // A WebSocket that is being closed may have messages that were not read yet.
  if (request.ws) request.authSignal!.throwIfAborted()
  if (roles.length > 0 && !request.hasPermission(roles)) throw new KeycloakError('permission_denied', `the field needs the roles ${roles}`)
}
